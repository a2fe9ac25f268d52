"""Damaged records are named and count as absent."""

import pytest

from snnlab.runs.records import read_record, read_rows
from snnlab.runs.results import read_result, read_status

DAMAGED = [
    b"",
    b"{",
    b"[1]",
    b"3",
    b"null",
    b'{"a": 1}}',
    b"\xff\xfe{}",
    b"\x00" * 40,
    b"[" * 100_000,
    b'{"a":' * 90_000,
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_record_is_absent_and_named_once(tmp_path, content, capsys):
    file = tmp_path / "record.json"
    assert read_record(file) is None
    assert capsys.readouterr().err == "", "no file is no damage"
    file.write_bytes(content)
    assert read_record(file) is None
    assert read_record(file) is None
    said = capsys.readouterr().err
    assert said.count(str(file)) == 1
    assert said.startswith("warning: ")
    assert said.count("\n") == 1


def test_a_folder_in_the_place_of_a_record(tmp_path, capsys):
    (tmp_path / "result.json").mkdir()
    assert read_result(tmp_path) is None
    assert "result.json" in capsys.readouterr().err
    assert read_record(tmp_path / "missing" / "result.json") is None


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"last": [], "best": {}}',
        b'{"last": {}, "best": {}, "num_steps": "six"}',
        b'{"last": {"a": []}, "best": {}}',
    ],
)
def test_a_result_of_another_shape_is_damaged(tmp_path, content, capsys):
    (tmp_path / "result.json").write_bytes(content)
    assert read_result(tmp_path) is None
    assert "result.json is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"{}", b'{"status": 3}', b'{"status": "running", "pid": "x"}'])
def test_a_status_of_another_shape_is_damaged(tmp_path, content, capsys):
    (tmp_path / "status.json").write_bytes(content)
    assert read_status(tmp_path) == {}
    assert "status.json is damaged" in capsys.readouterr().err


def test_rows_count_up_to_the_first_damaged_one(tmp_path, capsys):
    file = tmp_path / "metrics.jsonl"
    assert read_rows(file) == []
    file.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a"')
    assert read_rows(file) == [{"a": 1}, {"a": 2}]
    assert capsys.readouterr().err == "", "the last line of a killed process"
    file.write_bytes(b'{"a": 1}\n{"a"\xff\n{"a": 3}\n')
    assert read_rows(file) == [{"a": 1}]
    assert "line 2" in capsys.readouterr().err
    file.write_bytes(b'{"a": 1}\n{"a": 2}')
    assert len(read_rows(file)) == 2, "whole, though its end is missing"
