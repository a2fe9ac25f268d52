"""Whether a run is being worked on: a status of `running` alone says nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snnlab.runs.files import RunFiles
from snnlab.runs.holder import PATIENCE_SECONDS
from snnlab.runs.results import read_status, running_in
from tests.faults.hostile import GOLDEN

HOLD = """
import sys
from pathlib import Path
from snnlab.runs.files import RunFiles
with RunFiles(Path(sys.argv[1])) as files:
    files.write_running()
    print("holds", flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_is_not_running(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert running_in(tmp_path) == f"process {process.pid} on {socket.gethostname()}"
        assert read_status(tmp_path)["status"] == "running"
        process.send_signal(signal.SIGKILL)
    assert json.loads((tmp_path / "status.json").read_text())["status"] == "running"
    assert running_in(tmp_path) is None
    assert read_status(tmp_path) == {"status": "preempted", "reason": "its process ended without a word"}


@pytest.mark.parametrize("status", ["running", "preempted"])
def test_a_run_that_is_stopped_after_its_result_is_done(tmp_path: Path, status: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(GOLDEN, run)
    (run / "status.json").write_text(json.dumps({"status": status, "pid": 0, "host": socket.gethostname()}))
    assert read_status(run) == {"status": "done"}
    (run / "result.json").write_text("{")
    assert read_status(run)["status"] == "preempted"


def write(folder: Path, **status: object) -> None:
    (folder / "status.json").write_text(json.dumps({"status": "running", **status}))


@pytest.mark.parametrize(("age", "lives"), [(1.0, True), (PATIENCE_SECONDS + 60, False)])
def test_a_run_of_another_machine_lives_by_its_heartbeat(tmp_path: Path, age: float, lives: bool) -> None:
    write(tmp_path, pid=1, host="elsewhere", heartbeat=time.time() - age)
    assert (running_in(tmp_path) is not None) == lives


@pytest.mark.parametrize(("pid", "lives"), [("mine", True), (2**22 + 1, False), (-1, False), ("x", False)])
def test_without_locks_the_process_number_decides(
    tmp_path: Path, pid: object, lives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snnlab.runs.holder.is_locked", lambda path: None)
    write(
        tmp_path, pid=os.getpid() if pid == "mine" else pid, host=socket.gethostname(), heartbeat=time.time()
    )
    assert (running_in(tmp_path) is not None) == lives


def test_a_status_of_an_earlier_version_is_judged_by_the_lock(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_status(tmp_path)["status"] == "preempted"
    with RunFiles(tmp_path):
        assert read_status(tmp_path)["status"] == "running"


def test_the_heartbeat_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunFiles(tmp_path) as files:
        files.write_running()
        first = (tmp_path / "status.json").read_text()
        files.beat()
        assert (tmp_path / "status.json").read_text() == first
        monkeypatch.setattr("snnlab.runs.files.BEAT_SECONDS", -1.0)
        files.beat()
        assert (tmp_path / "status.json").read_text() != first


def test_the_status_says_how_far_the_run_is_when_it_is_written_and_at_no_other_time(tmp_path: Path) -> None:
    asked = []

    def place() -> dict[str, object]:
        asked.append(1)
        return {"epoch": 2, "epochs": 3, "seconds_left": 1.5}

    with RunFiles(tmp_path) as files:
        files.place = place
        files.write_running()
        for _ in range(5):
            files.beat()
        assert len(asked) == 1
        status = json.loads((tmp_path / "status.json").read_text())
        assert {"pid", "host", "heartbeat", *place()} < set(status)
        files.write_ended("preempted", "SIGTERM")
    assert read_status(tmp_path) == {"status": "preempted", "reason": "SIGTERM", **place()}
