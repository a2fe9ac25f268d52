"""`snnlab log`, as it is typed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.cli import main
from snnlab.runs.files import RunFiles
from tests.runs.test_overview import GONE, make


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    for number in (1, 2):
        folder = make(tmp_path / "runs", f"net-0000000{number}/seed0")
        (folder / "log.txt").write_text(f"run number {number}\n")
    return tmp_path / "runs/one"


@pytest.mark.parametrize(
    "name", ["runs/one/net-00000002/seed0", "runs/one/net-00000002", "0002", "0002/seed0"]
)
def test_a_run_is_named_by_its_folder_or_a_part_of_its_path(runs, capsys, name):
    assert main(["log", name]) == 0
    assert capsys.readouterr().out == "run number 2\n"


def test_what_names_no_run_or_several_is_an_error(runs, capsys):
    for name, said in (
        ("nothing", "no run in or like"),
        ("net", "2 runs are in or like"),
        ("runs", "2 runs are"),
    ):
        assert main(["log", name]) == 2
        assert said in capsys.readouterr().err
    (runs / "net-00000001/seed0/log.txt").unlink()
    assert main(["log", "0001"]) == 2
    assert "has no log.txt" in capsys.readouterr().err


def test_following_a_run_that_has_ended_prints_its_log(runs, capsys):
    assert main(["log", "0001", "-f"]) == 0
    assert capsys.readouterr().out == "run number 1\n"


@pytest.mark.parametrize("ends", ["the run", "Ctrl-C"])
def test_following_prints_what_is_written_until_the_run_ends(runs, ends):
    folder = runs / "net-00000001/seed0"
    with RunFiles(folder):
        process = subprocess.Popen(
            [sys.executable, "-m", "snnlab", "log", "0001", "-f"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "run number 1\n"
        with (folder / "log.txt").open("a") as log:
            log.write("epoch 1/2\nepo")
        assert process.stdout.readline() == "epoch 1/2\n"
        with (folder / "log.txt").open("a") as log:
            log.write("ch 2/2\n")
        assert process.stdout.readline() == "epoch 2/2\n"
        assert process.poll() is None
        if ends == "Ctrl-C":
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 75
    assert process.wait(30) == (75 if ends == "Ctrl-C" else 0)
    process.stdout.close()


@pytest.mark.parametrize(
    ("status", "is_dead"), [(GONE, True), ({"status": "preempted"}, False), (None, False)]
)
def test_following_a_run_that_was_killed_says_that_nothing_more_will_come(runs, capsys, status, is_dead):
    folder = make(runs.parent, "net-00000003/seed0", status=status)
    (folder / "log.txt").write_text("epoch 1/2\n")
    assert main(["log", "0003", "-f"]) == 0
    told = capsys.readouterr()
    assert told.out == "epoch 1/2\n"
    assert (
        (
            told.err == f"{Path('runs/one/net-00000003/seed0')} is dead: its process ended without a word; "
            "the same command continues it\n"
        )
        == is_dead
        == bool(told.err)
    )
