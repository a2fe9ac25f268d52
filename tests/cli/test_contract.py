"""The outside contract: output, exit codes, no torch before it is needed, answers at once."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import snnlab as package
from snnlab.cli import main, verbs
from snnlab.config.search import SearchPath
from snnlab.registry import component_files

WITHOUT_TORCH = """
import sys
from snnlab.cli import main
for line in sys.argv[1:]:
    code = main(line.split())
    assert code in (0, 2), (line, code)
    assert "torch" not in sys.modules, line
    assert "rich" not in sys.modules, line
"""
LINES = [
    "",
    "--help",
    "--version",
    *(
        f"{verb} --help"
        for verb in (
            "train",
            "eval",
            "analyse",
            "show",
            "check",
            "list",
            "data",
            "diff",
            "doctor",
            "completion",
        )
    ),
    "list",
    "list neuron",
    "list experiment",
    "runs",
    "show +experiment=quickstart",
    "check --no-build +experiment=quickstart",
    "completion bash",
    "train neuron.tua=3",
    "train -m seed=0,-1",
    "nope",
]


def test_torch_is_not_imported(here):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *LINES, "completion --query snnlab"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_hydra_is_not_imported_for_help_and_lists(here):
    code = WITHOUT_TORCH.replace("rich", "hydra")
    lines = ["", "--help", "train --help", "analyse --help", "list", "list neuron", "list experiment", "nope"]
    done = subprocess.run([sys.executable, "-c", code, *lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_configuration_error_answers_at_once(snnlab):
    """CPU time, as wall time is the neighbours' business; importing torch alone takes twice as long."""

    def cpu_seconds(*command):
        before = os.times()
        subprocess.run([sys.executable, *command], capture_output=True, check=False)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    command = ("-m", "snnlab", "train", "+experiment=quickstart", "neuron.tua=3")
    assert any(cpu_seconds(*command) < 1.0 for _ in range(3))


def test_quickstart_help_and_version(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert sum(line.startswith("  snnlab ") for line in out.splitlines()) == 3
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"snnlab {package.__version__}\n"
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out for verb in verbs())


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_help_has_examples(verb, capsys):
    assert main([verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.partition("examples:\n")[2].count("snnlab ") >= 3
    assert main(["help", verb]) == 0
    assert capsys.readouterr().out == out
    assert 20 < len(verbs()[verb]) < 110


def test_show(capsys):
    assert main(["show", "+experiment=quickstart", "neuron.threshold=0.7"]) == 0
    out = capsys.readouterr().out
    shown = yaml.safe_load(out)
    assert shown["neuron"]["threshold"] == 0.7
    assert shown["experiment"] == "quickstart"
    lines = {line.split(":")[0].strip(): line for line in out.splitlines()}
    assert lines["threshold"].endswith("# command line")
    assert lines["lr"].partition("# ")[2].startswith("conf/experiment/quickstart.yaml:")
    assert "# run directory: " in out
    assert main(["show", "+experiment=quickstart", "neuron.threshold=0.7", "--plain"]) == 0
    plain = capsys.readouterr().out
    assert yaml.safe_load(plain) == shown
    assert "#" not in plain
    assert main(["show", "+experiment=quickstart", "neuron.threshold=0.7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["config"] == shown
    assert found["origins"]["neuron.threshold"] == "command line"
    assert found["run_dir"].endswith("seed0")


def test_check(capsys):
    assert main(["check", "+experiment=quickstart"]) == 0
    assert capsys.readouterr().out.startswith("ok: ")
    assert main(["check", "--json", "a1=1", "seed=-1"]) == 2
    problems = json.loads(capsys.readouterr().out)
    assert [one["error"].partition(":")[0] for one in problems] == ["a1", "seed"]
    assert all(one["hint"] for one in problems)


def test_every_experiment_checks(capsys):
    assert main(["check", "--all", "--no-build", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {name: [] for name in SearchPath().options("experiment")}


@pytest.mark.slow
def test_every_experiment_can_be_built_and_run(capsys):
    assert main(["check", "--all", "--json"]) == 0
    assert not any(json.loads(capsys.readouterr().out).values())


def test_check_all_says_which_are_wrong(capsys, monkeypatch):
    monkeypatch.setattr(SearchPath, "options", lambda self, group: ["quickstart", "tmc_nmnist"])
    assert main(["check", "--all", "seed=-1"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "quickstart: error: seed: -1 is out of range, expected an integer >= 0"
    assert lines[2].startswith("tmc_nmnist: error: ")


def test_list(capsys):
    assert main(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()][:2] == ["augment", "dataset"]
    assert main(["list", "neurons", "*lif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["lif", "plif"]
    assert all(len(line.split()) > 4 for line in lines)
    assert main(["list", "loss", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == list(component_files("loss"))
    assert all(one["description"] for one in found)


def test_a_whole_name_lists_its_keys(capsys):
    assert main(["list", "neuron", "plif"]) == 0
    first, second, *lines = capsys.readouterr().out.splitlines()
    assert first == "# conf/neuron/plif.yaml"
    assert second.startswith("# Leaky ")
    assert any(line.startswith("decay_input: false  # true: scale") for line in lines)
    assert main(["list", "experiment", "quickstart"]) == 0
    assert capsys.readouterr().out.count("A small VGG-SNN") == 1


def test_a_group_without_a_choice_lists_its_keys(capsys):
    assert main(["list", "trainer"]) == 0
    assert "\nepochs: 100  # passes over the training set" in capsys.readouterr().out


def test_long_lists_are_broken_on_a_terminal_only(capsys, monkeypatch):
    assert main(["list"]) == 0
    whole = capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["list"]) == 0
    broken = capsys.readouterr().out
    assert broken.split() == whole.split()
    assert max(map(len, broken.splitlines())) <= 60 < max(map(len, whole.splitlines()))


def test_completion_scripts(capsys):
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        assert "snnlab completion --query" in capsys.readouterr().out
    assert main(["completion", "--query", "snnlab train neuron=pl"]) == 0
    assert capsys.readouterr().out == "neuron=plif\n"


def test_bash_completes(snnlab, here):
    (here / "snnlab").write_text(f'#!/bin/sh\nexec {sys.executable} -m snnlab "$@"\n')
    (here / "snnlab").chmod(0o755)
    script = """
        eval "$(snnlab completion bash)"
        COMP_LINE="snnlab train neuron=pl"; COMP_POINT=${#COMP_LINE}; COMP_WORDBREAKS="= "
        _snnlab; echo "${COMPREPLY[@]}"
    """
    path = f"{here}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    )
    assert done.stdout == "plif\n"


def test_diff(tmp_path, capsys):
    for name, loss, accuracy in (("a", "tet", 0.9), ("b", "tmc", 0.95)):
        (tmp_path / name).mkdir()
        assert main(["show", "--plain", f"loss={loss}"]) == 0
        (tmp_path / name / "config.yaml").write_text(capsys.readouterr().out)
        last = {"test/acc": accuracy, "test/acc_cum/t1": accuracy, "test/ece": None}
        (tmp_path / name / "result.json").write_text(json.dumps({"last": last, "best": last}))
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["config"]["loss.name"] == {"a": "tet", "b": "tmc"}
    assert "seed" not in found["config"]
    assert found["metrics"]["last"]["test/acc"]["difference"] == pytest.approx(0.05)
    assert found["metrics"]["last"]["test/ece"]["difference"] is None
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "+0.05" in out
    assert "test/acc_cum" not in out
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "a")]) == 0
    assert "config: no difference" in capsys.readouterr().out


def test_doctor_lists_what_starts_sweeps(capsys, monkeypatch):
    monkeypatch.setattr("snnlab.config.hydra_errors.find_spec", lambda module: None)
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"hydra/launcher +process, basic, ray.*, joblib \(not installed\), submitit_slurm", told)
    assert re.search(r"hydra/sweeper +basic, optuna \(not installed\)", told)


def test_doctor_never_shows_the_key(capsys, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "secret-of-mine")
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert "secret" not in out + err
    assert any(line.split() == ["wandb", "key", "set"] for line in out.splitlines())
    assert "evtouch_containers  " in out, "names and values stand apart"


def test_a_bug_keeps_its_traceback(stand_in, snnlab):
    done = snnlab("train", "loss=tet", CRASH="tet0")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError: what a pity" in done.stderr


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/dev/null/runs", "error: /dev/null/runs: Not a directory\nhint: paths.runs=DIR "),
        ("/tmp", "error: /tmp: Is a directory\nhint: name a file in it\n"),
        ("/dev/full", "error: No space left on device\nhint: make room "),
    ],
)
def test_a_disk_that_cannot_be_written_is_no_bug(path, expected, capsys, monkeypatch):
    monkeypatch.setattr("snnlab.verbs.doctor.run", lambda _: Path(path).write_text("x"))
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err.startswith(expected)


def test_a_missing_file_that_nobody_named_stays_a_bug(monkeypatch):
    monkeypatch.setattr("snnlab.verbs.doctor.run", lambda _: Path("/nope").read_text())
    with pytest.raises(FileNotFoundError):
        main(["doctor"])


def test_a_closed_pipe_is_no_error(here):
    command = f"{sys.executable} -m snnlab show +experiment=quickstart | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_notes_go_to_stderr(capsys):
    assert main(["show", "+experiment=quickstart", "optimizer=sgd"]) == 0
    assert "note: optimizer.lr=" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["log x --runs closed", "runs --runs closed", "verify closed", "clean --runs closed"]
)
def test_a_folder_that_is_closed_to_the_user_is_not_an_empty_one(command, tmp_path, capsys, monkeypatch):
    """Simulated, since tests may run as root, to whom none is closed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path="."):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert main(command.split()) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.endswith("closed: Permission denied")
    assert hint.startswith("hint: this user may not read or write there; ")
