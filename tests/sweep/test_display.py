"""What is seen of a sweep's jobs: a table on a terminal, lines elsewhere."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from snnlab.runs.files import RunFiles
from snnlab.sweep.display import LIVE_SECONDS, PLAIN_SECONDS, Job, SweepDisplay


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs/one/a/seed0"
    with RunFiles(folder) as files:
        files.append_metrics({"step": 3, "epoch": 1, "split": "test", "test/acc": 0.25, "test/ece": 0.1})
        files.place = lambda: {"epoch": 1, "epochs": 16, "seconds_left": 90.0}
        files.write_ended("preempted", "x")
    return Job("[1/4] seed=0", folder, tmp_path / "a.log")


def shown(job: Job, *, terminal: bool, alone: bool = True) -> tuple[SweepDisplay, Clock, Console]:
    clock = Clock()
    console = Console(
        file=io.StringIO(), force_terminal=terminal, width=150, legacy_windows=False, _environ={}
    )
    return SweepDisplay(console, alone, clock), clock, console


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_where_there_is_no_terminal(job):
    display, clock, console = shown(job, terminal=False)
    with display:
        display.say(f"{job.name}: started; {job.places}")
        display.look([job], 3)
        assert text(console) == "[1/4] seed=0: started; run runs/one/a/seed0, log a.log\n"
        for _ in range(3):  # said once, as long as nothing changes
            clock.now += PLAIN_SECONDS
            display.look([job], 3)
    assert text(console).splitlines()[1:] == ["[1/4] seed=0: epoch 1/16; test/acc 25.00 %, test/ece 0.1000"]


def test_a_table_on_a_terminal(job):
    display, clock, console = shown(job, terminal=True)
    with display:
        clock.now += LIVE_SECONDS
        display.look([job], 3)
        assert "epoch 1/16; test/acc 25.00 %" in text(console)
        assert "runs/one/a/seed0, log a.log" in text(console)
        assert "3 waiting" in text(console)
        display.say("[1/4] seed=0 :smile: [bold]")
    assert "[1/4] seed=0 :smile: [bold]" in text(console)


def test_no_table_between_the_output_of_the_jobs_themselves(job):
    display, clock, console = shown(job, terminal=True, alone=False)
    with display:
        clock.now += LIVE_SECONDS
        display.look([job], 3)
        assert text(console) == ""


def test_a_job_that_has_written_nothing_or_damage_is_no_error(job):
    (job.folder / "status.json").write_text(json.dumps({"status": 3}))
    (job.folder / "metrics.jsonl").write_bytes(b"\xff\n")
    for terminal in (True, False):
        display, clock, _ = shown(job, terminal=terminal)
        with display:
            clock.now += PLAIN_SECONDS
            display.look([job, Job("[2/4]", job.folder.with_name("nothing"), None)], 0)
