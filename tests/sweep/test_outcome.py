"""What jobs in other processes leave of their end."""

import io
from pathlib import Path

import pytest

from snnlab.sweep.outcome import Heard, Outcome, Outcomes, reason_in

RUN = Path("runs/quickstart/net-1234/seed0")


def test_outcomes_are_read_by_their_sweep_only_and_earlier_ones_are_not_called_damaged(tmp_path, capsys):
    ours, earlier = Outcomes(tmp_path), Outcomes(tmp_path, "earlier")
    earlier.write(RUN, Outcome(("seed=0",), (), 1, "old"))
    earlier.write(RUN.with_name("seed1"), Outcome(("seed=1",), (), 1, "old"))
    assert ours.read() == []
    assert capsys.readouterr().err == ""
    told = Outcome(("seed=0",), ("conf",), 2, "why")
    ours.write(RUN, told)
    (tmp_path / "quickstart/damaged.ended.json").write_bytes(b"\xff")
    (tmp_path / "quickstart/other.ended.json").write_text(f'{{"sweep": "{ours.sweep}", "overrides": 1}}')
    assert ours.read() == [told]
    assert capsys.readouterr().err.count("is damaged") == 2
    assert [one.overrides for one in earlier.read()] == [("seed=1",)]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["error: a", "hint: b", ""], "a"),
        (["Traceback", "ZeroDivisionError: x"], "ZeroDivisionError: x"),
        (["", " "], "exit code 3"),
    ],
)
def test_the_reason_of_a_failure(lines, reason):
    assert reason_in(lines, 3) == reason


def test_what_is_heard_is_written_too():
    stream = io.StringIO()
    heard = Heard(stream)
    print("error: a", file=heard)
    assert stream.getvalue() == heard.kept == "error: a\n"
    assert not heard.isatty()
