"""The real W&B client, with a small server of our own that answers to the end, or is lost in the middle."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from snnlab.config.schema import LoggerConfig
from snnlab.dashboards.choose import dashboards_for
from snnlab.dashboards.several import Dashboards
from tests.dashboards import fake_server

pytestmark = pytest.mark.slow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, fake_server.__file__], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{int(process.stdout.readline())}")
        monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        yield process
        process.kill()


def begun(folder: Path, said: list[str]) -> Dashboards:
    """An online run that has started and sent a row."""
    shown = dashboards_for(
        LoggerConfig(wandb="online"),
        folder,
        said.append,
        continues=False,
        run_id="i",
        group="g",
        name="n",
        config={},
    )
    begin, step = time.monotonic(), 0
    while not said:
        assert time.monotonic() - begin < 60
        shown.row({"step": (step := step + 1), "loss": 0.5})
        shown.saved()
        time.sleep(0.2)
    assert said == [f"wandb    {said[0].split()[1]}"]
    assert said[0].endswith("/me/lab/runs/r")
    return shown


def test_a_server_that_answers_to_the_end(server, tmp_path):
    said: list[str] = []
    begun(tmp_path, said).finish("done")
    assert len(said) == 1, "the page of the run, and no warning"


def test_a_server_that_is_lost_in_the_middle_of_a_run(server, tmp_path):
    said: list[str] = []
    shown = begun(tmp_path, said)
    server.kill()
    server.wait()
    shown.row({"step": 1000, "loss": 0.25})
    shown.saved()
    begin = time.monotonic()
    shown.finish("done")
    assert time.monotonic() - begin < 60
    (warning,) = said[1:]
    assert "does not answer any more" in warning
    command = warning.rpartition(": ")[2]
    assert command == f"wandb sync {tmp_path}/wandb/run-*-i"
    assert len(list(tmp_path.glob("wandb/run-*-i/run-i.wandb"))) == 1, "what it sends"
