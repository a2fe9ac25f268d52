"""The identity of data: what changes it, what does not, and how a difference is said."""

import os

from snnlab.data.identity import DataFiles, differing, tree


def test_names_and_sizes_count_and_nothing_else(tmp_path):
    for name, content in {"a/1.png": b"12", "b/2.PNG": b"345", ".hidden.png": b"", "notes.txt": b"x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/1.png").write_bytes(b"resource fork")
    found = DataFiles.of(tree(tmp_path, (".png",)))
    assert (found.count, found.size, len(found.hash)) == (2, 5, 16)
    os.utime(tmp_path / "a/1.png", (0, 0))
    (tmp_path / "notes.txt").write_bytes(b"longer")
    assert DataFiles.of(tree(tmp_path, (".png",))) == found
    (tmp_path / "a/1.png").write_bytes(b"123")
    grown = DataFiles.of(tree(tmp_path, (".png",)))
    (tmp_path / "a/1.png").rename(tmp_path / "b/1.png")
    moved = DataFiles.of(tree(tmp_path, (".png",)))
    assert len({found.hash, grown.hash, moved.hash}) == 3


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
