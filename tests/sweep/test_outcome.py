"""What jobs in other processes leave of their end."""

import io
from pathlib import Path

import pytest

from snnlab.sweep.ending import reason_in
from snnlab.sweep.outcome import Heard, Outcome, Outcomes

RUN = Path("runs/quickstart/net-1234/seed0")


def test_outcomes_are_read_by_their_sweep_only(tmp_path, capsys):
    ours, earlier = Outcomes(tmp_path), Outcomes(tmp_path, "earlier")
    earlier.write(RUN, Outcome(("seed=0",), (), 1, "old"))
    earlier.write(RUN.with_name("seed1"), Outcome(("seed=1",), (), 1, "old"))
    assert ours.read() == []
    assert capsys.readouterr().err == "", "those of earlier sweeps are no damage"
    told = Outcome(("seed=0",), ("conf",), 2, "why")
    ours.write(RUN, told)
    (tmp_path / "quickstart/damaged.job.json").write_bytes(b"\xff")
    (tmp_path / "quickstart/other.job.json").write_text(f'{{"sweep": "{ours.sweep}", "overrides": 1}}')
    assert ours.read() == [told]
    assert capsys.readouterr().err.count("is damaged") == 2
    assert [one.overrides for one in earlier.read()] == [("seed=1",)]


def test_signals_are_left_for_the_jobs_of_a_sweep_as_often_as_they_come(tmp_path):
    ours, other = Outcomes(tmp_path / "new"), Outcomes(tmp_path / "new", "other")
    assert ours.signals() == []
    for number in (2, 2, 15):
        ours.pass_on(number)
    assert (ours.signals(), other.signals()) == ([2, 2, 15], [])
    ours.forget_signals()
    assert ours.signals() == []


def test_the_reason_of_one_that_was_killed_is_not_what_it_wrote_last():
    assert reason_in(["epoch 3/16"], -9) == "killed by SIGKILL"
    assert reason_in(["epoch 3/16"], -11) == "killed by SIGSEGV"
    assert reason_in(["epoch 3/16"], -99) == "killed by signal 99"
    assert reason_in(["error: a", "hint: b"], -9) == "a"


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
