"""Kills training at random moments and while a file is being written; the continued run is the uninterrupted one.

pytest -m faults tests/faults/test_kills.py                      a minute
SNNLAB_FAULTS_SECONDS=3600 pytest -m faults tests/faults ...     an hour
SNNLAB_FAULTS_SEED=7 ...                                         other moments
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snnlab.runs.results import read_status
from tests.train.test_recipe import SMALL, assert_same, rows, run_folder, state

SECONDS = float(os.environ.get("SNNLAB_FAULTS_SECONDS", "60"))
SEED = int(os.environ.get("SNNLAB_FAULTS_SEED", "0"))
KEPT = ("all", "weights")  # of a finished run
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

# Runs the command line, but is killed by itself in the n-th operation on a file that the run writes: before or after a
# flush, before or after a file takes its place, in the middle of a row of metrics.
KILL_IN_WRITE = """
import io, os, signal, sys
from pathlib import Path
at, count = int(sys.argv[1]), 0
def tick():
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
flush, replace, opened = os.fsync, Path.replace, Path.open
def fsync(number):
    tick(); flush(number); tick()
def replace_(self, target):
    tick(); found = replace(self, target); tick(); return found
def open_(self, mode="r", *args, **kwargs):
    file = opened(self, mode, *args, **kwargs)
    if "a" in mode and self.name == "metrics.jsonl":
        write = file.write
        def half(text):
            write(text[: len(text) // 2]); file.flush(); tick()
            return write(text[len(text) // 2 :])
        file.write = half
    return file
os.fsync, Path.replace, Path.open = fsync, replace_, open_
from snnlab.cli import main
code = main(sys.argv[2:])
print("operations", count, flush=True)
sys.exit(code)
"""


def train(runs: Path, keep: str = "all") -> list[str]:
    return ["train", *SMALL, "trainer.progress=none", f"paths.runs={runs}", f"trainer.keep={keep}"]


def finish(runs: Path, keep: str = "all") -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snnlab", *train(runs, keep)], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def assert_is(runs: Path, straight: Path, keep: str = "all") -> None:
    """The run in `runs` is the uninterrupted one, bit for bit, and nothing of the kills is left."""
    folder = run_folder(runs)
    whole = state(straight)
    assert_same(state(folder), whole if keep == "all" else {**whole, "optimizer": None})
    assert rows(folder) == rows(straight)
    for name in ("last", "best"):
        one, other = (json.loads((place / "result.json").read_text())[name] for place in (folder, straight))
        assert one == other
    assert read_status(folder) == {"status": "done"}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    runs = tmp_path_factory.mktemp("straight")
    finish(runs)
    return run_folder(runs)


@pytest.mark.faults
@pytest.mark.timeout(SECONDS + 600)
def test_kills_at_random_moments(tmp_path: Path, straight: Path) -> None:
    """Each run is killed until it ends, at moments spread over the time that it takes."""
    draw, end, kills, number = random.Random(SEED), time.monotonic() + SECONDS / 2, 0, 0
    begin = time.monotonic()
    finish(tmp_path / "timed")
    takes = time.monotonic() - begin
    while time.monotonic() < end:
        number += 1
        runs, keep = tmp_path / str(number), draw.choice(KEPT)
        command = [sys.executable, "-m", "snnlab", *train(runs, keep)]
        for _ in range(draw.randint(1, 4)):
            process = subprocess.Popen(
                command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                process.wait(draw.uniform(0.2, takes))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
        for folder in runs.glob("*/*/seed0"):
            assert read_status(folder).get("status") != "running"
        finish(runs, keep)
        assert_is(runs, straight, keep)
    assert kills
    sys.stdout.write(f"{kills} kills at random moments in {number} runs\n")


@pytest.mark.faults
@pytest.mark.timeout(SECONDS + 600)
def test_kills_inside_of_writes(tmp_path: Path, straight: Path) -> None:
    """Each operation on a file once, in random order, as many as there is time for; then up to three more kills."""
    draw, end, kills, number = random.Random(SEED), time.monotonic() + SECONDS / 2, 0, 0
    operations = _operations(tmp_path)
    for number, at in enumerate(draw.sample(range(1, operations + 1), operations), start=1):
        runs, keep = tmp_path / str(number), draw.choice(KEPT)
        assert _killed_in_write(runs, at, keep) == -signal.SIGKILL
        kills += 1
        # What continues is killed again; it has fewer operations to make, so it may end before.
        for _ in range(draw.randint(0, 3)):
            kills += _killed_in_write(runs, draw.randint(1, operations // 2), keep) == -signal.SIGKILL
        finish(runs, keep)
        assert_is(runs, straight, keep)
        shutil.rmtree(runs)
        if time.monotonic() > end:
            break
    sys.stdout.write(f"{kills} kills inside of writes in {number} runs\n")


def _killed_in_write(runs: Path, at: int, keep: str = "all") -> int:
    command = [sys.executable, "-c", KILL_IN_WRITE, str(at), *train(runs, keep)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True).returncode


def _operations(folder: Path) -> int:
    """How many operations on files a whole run makes."""
    command = [sys.executable, "-c", KILL_IN_WRITE, "0", *train(folder / f"counted{time.monotonic_ns()}")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("operations ")]
    return int(line.split()[1])


# A stop signal at a named place: while modules are imported, while data are prepared, in an evaluation, twice.
SIGNAL_IN = """
import os, signal, sys
from snnlab.cli import main
numbers, place = [getattr(signal, name) for name in sys.argv[1].split("+")], sys.argv[2]
def send():
    for number in numbers:
        os.kill(os.getpid(), number)
def after(owner, name, nth=1):
    original, calls = getattr(owner, name), 0
    def wrapped(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == nth:
            send()
        return original(*args, **kwargs)
    setattr(owner, name, wrapped)
if place == "import":
    import snnlab.runs.load as load
    after(load, "load")
elif place == "data":
    from snnlab import build
    after(build, "build_dataset")
elif place == "step":
    from snnlab.train.learner import Learner
    after(Learner, "step", 3)
elif place == "evaluation":
    from snnlab.data.inputs import InputPipeline
    after(InputPipeline, "test", 2)
elif place == "last evaluation":
    from snnlab.data.inputs import InputPipeline
    after(InputPipeline, "test", 4)
sys.exit(main())
"""


def stopped(runs: Path, signals: str, place: str) -> subprocess.CompletedProcess[str]:
    # main() without arguments reads them from sys.argv, as the command does.
    code = SIGNAL_IN.replace("sys.exit(main())", "sys.argv[1:] = sys.argv[3:]; sys.exit(main())")
    command = [sys.executable, "-c", code, signals, place, *train(runs)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


PLACES = ("import", "data", "step", "evaluation", "last evaluation")
CASES = [
    *(
        (one, "step")
        for one in ("SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM+SIGTERM", "SIGTERM+SIGHUP")
    ),
    *(("SIGTERM", place) for place in PLACES),
    *(("SIGTERM+SIGTERM", place) for place in ("import", "data", "evaluation")),
]


@pytest.mark.faults
@pytest.mark.parametrize(("signals", "place"), CASES)
def test_stopped_by_any_signal_anywhere(tmp_path: Path, straight: Path, signals: str, place: str) -> None:
    done = stopped(tmp_path, signals, place)
    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr
    for folder in tmp_path.glob("*/*/seed0"):
        assert read_status(folder)["status"] == "preempted"
        assert json.loads((folder / "status.json").read_text())["status"] == "preempted"
    finish(tmp_path)
    assert_is(tmp_path, straight)


def test_stopped_before_there_is_a_run(tmp_path: Path) -> None:
    done = stopped(tmp_path, "SIGUSR1", "data")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (75, "interrupted by SIGUSR1")
