"""Runs, data and outputs in places that do not work: one error that names the place, before anything is measured."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snnlab.cli import main
from tests.faults.hostile import GOLDEN

TRAIN = ["train", "+experiment=quickstart", "debug=smoke", "trainer.device=cpu", "trainer.plots=false"]
WRITERS = {
    "eval": ["eval"],
    "eval of steps": ["eval", "num_steps=[1,2]"],
    "eval with early exit": ["eval", "early_exit.threshold=[0.9]"],
    "eval with noise": ["eval", "noise=gaussian", "noise.level=[0.1]"],
    "eval of variants": ["eval", "neuron.threshold=[1,2]"],
    "eval of speed": ["eval", "speed=true"],
    "export": ["export"],
    "export of weights": ["export", "format=safetensors"],
    "analyse": ["analyse", "what=energy"],
    "analyse all": ["analyse", "what=all"],
}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A run directory."""
    shutil.copytree(GOLDEN, tmp_path / "run")
    yield tmp_path / "run"
    (tmp_path / "run").chmod(0o755)


@pytest.fixture
def measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint or data that are read are a failure."""
    from snnlab import build
    from snnlab.runs import checkpoint

    def fail(*args: object, **settings: object) -> None:
        raise AssertionError("it has begun to measure")

    monkeypatch.setattr(checkpoint, "load", fail)
    monkeypatch.setattr(build, "build_model", fail)


def refused(command: list[str], capsys: pytest.CaptureFixture[str], place: str) -> str:
    """The hint of the one error that names the place."""
    capsys.readouterr()
    assert main(command) == 2
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error.startswith("error: "), error
    assert place in error
    assert hint.startswith("hint: ")
    return hint


@pytest.mark.usefixtures("measures_nothing")
@pytest.mark.parametrize("name", WRITERS)
def test_a_read_only_run_is_refused_before_it_is_measured(run, capsys, name):
    run.chmod(0o555)
    verb, *more = WRITERS[name]
    hint = refused([verb, f"run={run}", *more], capsys, f"{run} is read-only")
    assert f"cp -r {run} COPY && chmod -R u+w COPY" in hint
    run.chmod(0o755)
    if name != "eval of speed":  # it takes converted runs only
        with pytest.raises(AssertionError, match="begun to measure"):
            main([verb, f"run={run}", *more])


@pytest.mark.usefixtures("measures_nothing")
@pytest.mark.parametrize("kind", ["file", "dangling", "read-only"])
def test_where_pictures_go(run, capsys, kind):
    folder = run / "analysis"
    {
        "file": folder.touch,
        "dangling": lambda: folder.symlink_to("nowhere"),
        "read-only": lambda: folder.mkdir(mode=0o555),
    }[kind]()
    refused(["analyse", f"run={run}", "what=energy"], capsys, f"{folder} is ")


@pytest.mark.usefixtures("measures_nothing")
@pytest.mark.parametrize("out", ["file/a.nir", "dangling/a.nir", "read-only/a.nir", "folder", "x" * 256])
def test_where_a_network_is_exported_to(run, tmp_path, capsys, out):
    make_bad_places(tmp_path)
    assert "out=FILE" in refused(["export", f"run={run}", f"out={tmp_path / out}"], capsys, out.split("/")[0])


@pytest.mark.parametrize("out", ["file/a", "dangling/a", "read-only/a", "folder", "x" * 250])
def test_where_pages_and_tables_go(run, tmp_path, capsys, out):
    make_bad_places(tmp_path)
    place = tmp_path / out
    if out == "folder":
        (tmp_path / "folder.html").mkdir()
        (tmp_path / "folder.md").mkdir()
    for command, ending in ((["report", str(run)], "html"), (["table", "digits_losses"], "md")):
        refused([*command, "--output", f"{place}.{ending}"], capsys, out.split("/")[0])


@pytest.mark.usefixtures("measures_nothing")
@pytest.mark.parametrize("place", ["file", "file/a", "dangling", "loop", "read-only", "x" * 256])
def test_where_runs_go(tmp_path, capsys, place):
    make_bad_places(tmp_path)
    command = [*TRAIN, f"paths.data={tmp_path / 'data'}", f"paths.runs={tmp_path / place}"]
    assert "paths.runs=DIR" in refused(command, capsys, place.split("/")[0])


@pytest.mark.parametrize(
    "verb", ["eval", "export", "analyse", "convert", "report", "verify", "diff", "train"]
)
@pytest.mark.parametrize(
    "place", ["file", "dangling", "loop", "folder", "x" * 256, "/".join(["x" * 200] * 25)]
)
def test_what_is_no_run(tmp_path, capsys, verb, place):
    make_bad_places(tmp_path)
    path = str(tmp_path / place)
    commands = {
        "report": ["report", path],
        "verify": ["verify", path],
        "diff": ["diff", path, path],
        "train": [*TRAIN, f"init.run={path}", f"paths.runs={tmp_path / 'runs'}"],
    }
    refused(
        commands.get(verb, [verb, f"run={path}", *(["what=energy"] if verb == "analyse" else [])]), capsys, ""
    )


FILES = ["config.yaml", "status.json", "metrics.jsonl", "overrides.txt", "env.json", "evaluation.json"]
FILES += ["result.json", "log.txt", ".lock", "checkpoints/last.pt", "checkpoints/best.pt"]


@pytest.mark.faults
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_a_folder_or_a_dangling_link_where_a_run_has_any_file(tmp_path, capsys, name, kind):
    replace_in_a_run(tmp_path, capsys, name, kind)


@pytest.mark.parametrize(("name", "kind"), [("metrics.jsonl", "folder"), ("log.txt", "dangling")])
def test_a_folder_or_a_dangling_link_where_a_run_has_a_file(tmp_path, capsys, name, kind):
    replace_in_a_run(tmp_path, capsys, name, kind)


def replace_in_a_run(tmp_path, capsys, name, kind):
    """What can be replaced is; else one error names the file. Without it the run goes on."""
    command = [*TRAIN, "model.channels=[4,8]", "num_steps=2", "trainer.progress=none"]
    command += [f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'data'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("snnlab.train.recipe._train", stop)
        assert main(command) == 75
    (folder,) = tmp_path.glob("*/*/seed0")
    path = folder / name
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere/at/all")
    capsys.readouterr()
    code = main(command)
    printed = capsys.readouterr().err
    assert code in (0, 2), printed
    if code:
        assert str(path) in printed
        assert [line.partition(":")[0] for line in printed.splitlines()][-2:] == ["error", "hint"]
        path.rmdir() if kind == "folder" else path.unlink()
        assert main(command) == 0, capsys.readouterr().err


def stop(*args: object) -> bool:
    raise KeyboardInterrupt


def make_bad_places(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "read-only").mkdir(mode=0o555)
    (folder / "folder").mkdir()


def test_a_full_output_is_named_and_python_says_nothing_more(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "snnlab", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]
    assert "standard output" in done.stderr
