"""Files are either the old or the new one, never a part."""

import json
import os
from pathlib import Path

import pytest

from snnlab.atomic import replacing, write_json, write_text


def test_a_failed_write_keeps_the_old_file_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def stopped() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half of the n")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        stopped()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    seen: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_text()))
    write_text(path, "new")
    assert (seen, path.read_text()) == (["old"], "new")


def test_numbers_that_do_not_exist_become_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"last": {"test/ece": float("nan")}, "list": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"last": {"test/ece": None}, "list": [None, 1.5]}
