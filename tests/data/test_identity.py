"""The identity of data: what changes it, what does not, and how a difference is said."""

import os

import pytest

from snnlab.data.identity import DataFiles, differing
from snnlab.errors import DataError


def test_names_and_sizes_count_and_nothing_else(tmp_path):
    files = [tmp_path / "a/1.png", tmp_path / "b/2.png"]
    for file, content in zip(files, (b"12", b"345"), strict=True):
        file.parent.mkdir()
        file.write_bytes(content)
    found = DataFiles.at(tmp_path, files)
    assert (found.count, found.size, len(found.hash)) == (2, 5, 16)
    os.utime(files[0], (0, 0))
    assert DataFiles.at(tmp_path, files) == found
    files[0].write_bytes(b"123")
    grown = DataFiles.at(tmp_path, files)
    files[0].rename(tmp_path / "b/1.png")
    moved = DataFiles.at(tmp_path, [tmp_path / "b/1.png", files[1]])
    assert len({found.hash, grown.hash, moved.hash}) == 3


def test_a_link_to_a_file_that_is_gone_is_named(tmp_path):
    (tmp_path / "1.png").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"1\.png"):
        DataFiles.at(tmp_path, [tmp_path / "1.png"])


def test_the_order_of_the_file_system_does_not_count():
    assert DataFiles.of([("a", 1), ("b", 2)]) == DataFiles.of([("b", 2), ("a", 1)])
    assert DataFiles.of([("a", 1), ("b", 2)]).hash != DataFiles.of([("a", 2), ("b", 1)]).hash
    assert DataFiles.of([("a", 11)]).hash != DataFiles.of([("a1", 1)]).hash


def test_a_difference_is_said_in_numbers_where_they_explain_it():
    stored = {"files": 100, "bytes": 900, "hash": "a", "train": 80, "test": 20, "split_hash": "s"}
    assert differing(stored, stored) == ""
    assert differing(stored, {**stored, "files": 200, "hash": "b"}) == "100 files, now 200"
    assert differing(stored, {**stored, "hash": "b"}) == "names or sizes of files (hash a, now b)"
    assert "samples" in differing(stored, {**stored, "split_hash": "t"})
    assert differing(stored, {**stored, "train": 90}, ["files", "hash"]) == ""
