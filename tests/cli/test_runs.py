"""`snnlab runs`, as it is typed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.cli import main
from tests.runs.test_overview import GONE, make


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "runs", "net-tmc-00000001/seed0")
    make(tmp_path / "runs", "net-tmc-00000001/seed1", {"seed": 1}, GONE)
    make(
        tmp_path / "runs",
        "net-tet-00000002/seed0",
        {"loss": {"name": "tet"}},
        {"status": "failed", "reason": "x"},
    )
    return tmp_path


def test_a_line_for_each_run_of_the_current_folder(runs, capsys):
    assert main(["runs"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["state", "epoch", "left"]
    assert [line.split()[0] for line in lines] == ["failed", "finished", "dead"]
    assert lines[0].endswith("runs/one/net-tet-00000002/seed0  loss=tet seed=0")
    assert lines[2].endswith("runs/one/net-tmc-00000001/seed1  loss=tmc seed=1")


def test_patterns_states_and_json(runs, capsys):
    def listed(*arguments: str) -> list[str]:
        assert main(["runs", *arguments, "--json"]) == 0
        return [
            Path(one["run"]).parts[-2][4:7] + Path(one["run"]).name[-1]
            for one in json.loads(capsys.readouterr().out)
        ]

    assert listed() == ["tet0", "tmc0", "tmc1"]
    assert listed("tmc") == ["tmc0", "tmc1"]
    assert listed("tet", "*seed1") == ["tet0", "tmc1"]
    assert listed("runs/one/net-tet-00000002") == ["tet0"]
    assert listed("paths.runs=runs") == ["tet0", "tmc0", "tmc1"]
    assert listed("--state", "dead") == ["tmc1"]
    assert listed("nothing") == []
    os.chdir(runs / "runs/one")
    assert listed("--runs", str(runs / "runs"), "tet") == ["tet0"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nothing", "no run in or like nothing"),
        ("--state running", "no run that is running"),
        ("--sort test/ac", "Did you mean"),
    ],
)
def test_what_is_not_there_is_an_error(runs, capsys, line, said):
    assert main(["runs", *line.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error: ") == error.count("hint: ") == 1


def test_watched_runs_are_printed_again_when_something_changes(runs):
    command = [sys.executable, "-m", "snnlab", "runs", "--watch"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(5)]
        (runs / "runs/one/net-tet-00000002/seed0/status.json").write_text('{"status": "preempted"}')
        second = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 75
    assert (first[1].split()[0], second[1].split()[0]) == ("failed", "preempted")


def test_hundreds_of_runs_are_read_without_reading_each_variant_again(runs, monkeypatch, capsys):
    for seed in range(2, 30):
        make(runs / "runs", f"net-tmc-00000001/seed{seed}", {"seed": seed})
    from snnlab.runs import neighbours

    calls = []
    original = neighbours.deviations
    monkeypatch.setattr(neighbours, "deviations", lambda config: calls.append(1) or original(config))
    assert main(["runs"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 32
    assert len(calls) == 2
