"""The run directory: one holder, whole files, a record that can be cut back."""

import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.errors import SnnlabError
from snnlab.runs.files import RunFiles


def test_metrics_are_cut_back_to_the_saved_state(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        for step in range(5):
            files.append_metrics({"step": step, "epoch": 0, "split": "train"})
        files.cut_metrics(3)
        assert [row["step"] for row in files.read_metrics()] == [0, 1, 2]


def test_a_line_cut_short_by_a_kill_is_not_read(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        files.append_metrics({"step": 1})
        with (tmp_path / "metrics.jsonl").open("a") as file:
            file.write('{"step": 2, "tra')
        assert files.read_metrics() == [{"step": 1}]


def test_a_second_process_is_refused_and_told_who_holds_the_run(tmp_path: Path) -> None:
    with RunFiles(tmp_path):
        code = f"""
from pathlib import Path
from snnlab.runs.files import RunFiles
RunFiles(Path({str(tmp_path)!r})).__enter__()
"""
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert other.returncode != 0
        assert "is in use by process" in other.stderr
    with RunFiles(tmp_path):
        pass


def test_the_same_process_cannot_enter_twice(tmp_path: Path) -> None:
    with RunFiles(tmp_path), pytest.raises(SnnlabError, match="in use"), RunFiles(tmp_path):
        pass


def test_a_result_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"status": "do')
    assert RunFiles(tmp_path).result() is None


def test_clear_forgets_results_and_checkpoints(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        (tmp_path / "result.json").write_text('{"status": "done"}')
        files.append_metrics({"step": 1})
        (files.checkpoints / "last.pt").write_bytes(b"x")
        files.clear()
        assert not (tmp_path / "result.json").exists()
        assert files.read_metrics() == []
        assert not list(files.checkpoints.iterdir())


@pytest.mark.parametrize("number", [37, 38, 95, 524])
def test_a_run_starts_where_the_file_system_has_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.warns(UserWarning, match="no locks on the file system"), RunFiles(tmp_path) as files:
        files.write_status("running")
    assert (tmp_path / "status.json").is_file()
