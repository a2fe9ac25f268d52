"""Places in which nothing can be written are named before any work, for the superuser, too."""

import os
from pathlib import Path

import pytest

from snnlab.errors import SnnlabError
from snnlab.writable import refuse_unwritable_file, why_not


@pytest.mark.parametrize("below", ["", "a", "a/b/c"])
def test_a_folder_that_is_there_or_can_be_made(tmp_path: Path, below: str) -> None:
    assert why_not(tmp_path / below) == ""
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    assert why_not(tmp_path / "link" / below) == ""


@pytest.mark.parametrize("below", ["", "a", "a/b"])
@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("read-only", "read-only is read-only"),
        ("file", "file is a file, not a folder"),
        ("dangling", "dangling is a link to nowhere, which is not there"),
        ("loop", "Too many levels of symbolic links"),
        ("x" * 256, "File name too long"),
        ("/".join(["x" * 200] * 25), "File name too long"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, place: str, why: str, below: str) -> None:
    (tmp_path / "read-only").mkdir(mode=0o555)
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert why in why_not(tmp_path / place / below)


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert why_not(Path("a/b")) == ""
    tmp_path.chmod(0o555)
    assert "is read-only" in why_not(Path())
    tmp_path.chmod(0o755)


def test_a_file_that_is_there_may_be_replaced_and_a_folder_may_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o444)
    refuse_unwritable_file(tmp_path / "file", "elsewhere")
    with pytest.raises(SnnlabError, match=f"{tmp_path} is a folder, and a file belongs there"):
        refuse_unwritable_file(tmp_path, "elsewhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser writes into folders of others")
def test_a_folder_of_somebody_else() -> None:
    assert why_not(Path("/")) == "/ is read-only"
