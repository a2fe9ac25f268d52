"""Checkpoints: whole, safe to load, and with every random generator."""

import io
import os
import pickle
import random
import warnings
import zipfile
from pathlib import Path

import pytest
import torch

from snnlab.errors import SnnlabError
from snnlab.runs import checkpoint


def test_generators_continue_where_they_were(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c.pt", {"random": checkpoint.random_state()})
    expected = random.random(), torch.rand(3)
    random.random()
    torch.rand(7)
    checkpoint.set_random_state(checkpoint.load(tmp_path / "c.pt")["random"])
    assert random.random() == expected[0]
    assert torch.equal(torch.rand(3), expected[1])


def test_a_failed_write_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"value": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, {"value": 2})
    assert checkpoint.load(path)["value"] == 1


def test_a_full_disk_is_what_the_disk_says(tmp_path: Path) -> None:
    partial = tmp_path / f".last.pt.{os.getpid()}"
    partial.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        checkpoint.save(tmp_path / "last.pt", {"value": torch.zeros(10_000)})
    assert not list(tmp_path.iterdir()), "no part is left behind"


def test_a_missing_or_broken_or_foreign_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(SnnlabError, match="no checkpoint"):
        checkpoint.load(tmp_path / "none.pt")
    (tmp_path / "broken.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(SnnlabError, match=r"broken\.pt is refused as a checkpoint: it is damaged"):
        checkpoint.load(tmp_path / "broken.pt")
    torch.save({"format": 999}, tmp_path / "new.pt")
    with pytest.raises(SnnlabError, match="format 999"):
        checkpoint.load(tmp_path / "new.pt")


def test_a_file_that_holds_code_is_not_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, ("__import__('os').environ.__setitem__('SNNLAB_EVIL', '1')",))

    torch.save({"format": checkpoint.FORMAT, "x": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(SnnlabError, match="refused as a checkpoint"):
        checkpoint.load(tmp_path / "evil.pt")


@pytest.mark.parametrize("content", [[1, 2], {"format": 1}, torch.zeros(2)])
def test_another_content_is_one_error(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "last.pt")
    with pytest.raises(SnnlabError, match="holds"):
        checkpoint.weights_of(checkpoint.load(tmp_path / "last.pt"))


def test_the_refusal_does_not_advise_to_load_it_anyway(tmp_path: Path) -> None:
    torch.save({"format": 1, "path": tmp_path}, tmp_path / "last.pt")  # a path is no plain value
    with pytest.raises(SnnlabError, match="refused as a checkpoint") as error:
        checkpoint.load(tmp_path / "last.pt")
    assert "weights_only" not in f"{error.value} {error.value.hint}"


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    (tmp_path / "last.pt").touch()
    with pytest.raises(SnnlabError, match=r"cannot read checkpoint .*last\.pt: it is empty \(take another\)"):
        checkpoint.load(tmp_path / "last.pt", "take another")


def zip_of(**files: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return written.getvalue()


def saved(content: object, cut: int = 0, **how: bool) -> bytes:
    written = io.BytesIO()
    torch.save(content, written, **how)
    return written.getvalue()[: -cut or None]


JUNK = {
    "a text": b"hello, this is a text\n" * 20,
    "numbers": b"174812789\n",
    "JSON": b'{"format": 1}',
    "zeros": bytes(4000),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a pickled list": pickle.dumps([1, 2, 3]),
    "an old pickle": pickle.dumps({"format": 1}, 0),
    "a zip of other files": zip_of(readme="nothing"),
    "a zip of a folder": zip_of(**{"last/readme": "nothing"}),
    "an empty zip": zip_of(),
    "half a file": saved({"format": 1, "weights": torch.zeros(2000)}, cut=4000),
    "half an old file": saved(
        {"format": 1, "weights": torch.zeros(20)}, cut=40, _use_new_zipfile_serialization=False
    ),
    "no weights": saved({"format": 1, "position": {}}),
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_called_damaged_in_words(tmp_path, kind):
    """Nothing that torch says of such bytes, as KeyError: 174812789, would help anybody."""
    path = tmp_path / "checkpoints" / "last.pt"
    path.parent.mkdir()
    path.write_bytes(JUNK[kind])
    with (
        warnings.catch_warnings(record=True) as warned,
        pytest.raises(SnnlabError, match="damaged") as caught,
    ):
        checkpoint.load_of_run(tmp_path, "last", "take another")
    assert not warned
    assert caught.value.message.startswith(str(path))
    assert "Error" not in caught.value.message
    assert caught.value.hint == "take another"


def test_a_missing_checkpoint_leads_to_the_other_one_where_that_is_there(tmp_path):
    with pytest.raises(SnnlabError, match="saves its first one"):
        checkpoint.load(tmp_path / "last.pt", "take the other")
    checkpoint.save(tmp_path / "best.pt", {"value": 1})
    with pytest.raises(SnnlabError, match=r"no checkpoint .*take the other"):
        checkpoint.load(tmp_path / "last.pt", "take the other")


def test_what_a_checkpoint_lacks_is_named():
    with (
        pytest.raises(SnnlabError, match=r"last\.pt does not fit this run: it has no 'position' \("),
        checkpoint.restoring(Path("last.pt")),
    ):
        _ = {}["position"]
