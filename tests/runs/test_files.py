"""The run directory: one holder, whole files, a record that can be cut back."""

import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.errors import SnnlabError
from snnlab.runs.files import RunFiles


def row(step: int) -> dict[str, object]:
    return {"step": step, "epoch": 0, "split": "train"}


@pytest.mark.parametrize(
    ("damage", "held"),
    [
        (lambda text: text, True),
        (lambda text: b"", False),
        (lambda text: text[: len(text) // 3], False),
        (lambda text: text + text, True),
        (lambda text: text.replace(b"0", b"\xff", 1), False),
        (lambda text: b"\n".join(reversed(text.splitlines())), False),
    ],
)
def test_metrics_are_those_of_the_saved_state_whatever_has_happened_to_them(tmp_path, damage, held):
    file = tmp_path / "metrics.jsonl"
    with RunFiles(tmp_path) as files:
        for step in range(5):
            if step == 3:
                saved = files.metrics_text
            files.append_metrics(row(step))
    file.write_bytes(damage(file.read_bytes()))
    with RunFiles(tmp_path) as files:
        assert files.restore_metrics(saved) is held
        assert files.metrics_text == saved
        files.append_metrics(row(9))
        assert [one["step"] for one in files.read_metrics()] == [0, 1, 2, 9]


def test_metrics_of_a_checkpoint_that_holds_their_number_only(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        for step in range(5):
            files.append_metrics(row(step))
        files.restore_metrics(files.first_rows(3))
        assert [one["step"] for one in files.read_metrics()] == [0, 1, 2]


def test_a_line_cut_short_by_a_kill_is_not_read(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        files.append_metrics(row(1))
        with (tmp_path / "metrics.jsonl").open("a") as file:
            file.write('{"step": 2, "tra')
        assert files.read_metrics() == [row(1)]


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
        files.append_metrics(row(1))
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
