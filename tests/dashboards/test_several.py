"""Several dashboards at once: what reaches them, when, and that none stops a run."""

from pathlib import Path

import pytest

from snnlab.config.schema import LoggerConfig
from snnlab.dashboards import choose
from snnlab.dashboards.base import Dashboard
from snnlab.dashboards.choose import dashboards_for, need_packages
from snnlab.dashboards.over_time import show_over_time, summary_of
from snnlab.dashboards.several import Dashboards
from snnlab.packages import MissingPackageError
from snnlab.runs.identity import run_hash
from snnlab.runs.load import load
from snnlab.signals import Stopped


class Recorded(Dashboard):
    def __init__(self, fails: str = "") -> None:
        self.calls: list[tuple[object, ...]] = []
        for name in ("row", "series", "table", "pictures", "summary", "file", "finish"):
            setattr(self, name, lambda *arguments, name=name: self._note(name, *arguments))
        self.fails = fails

    def _note(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name == self.fails:
            raise RuntimeError("no\nway")


def test_rows_wait_for_the_checkpoint_that_holds_them():
    one = Recorded()
    shown = Dashboards([one], print)
    shown.row({"step": 1})
    assert one.calls == []
    shown.saved()
    shown.row({"step": 2})
    shown.finish("failed")
    assert one.calls == [("row", {"step": 1}), ("finish", "failed")], (
        "step 2 is done again when the run continues"
    )


def test_one_that_fails_is_left_out_and_the_others_go_on():
    bad, good, said = Recorded("row"), Recorded(), []
    shown = Dashboards([bad, good], said.append)
    for step in (1, 2):
        shown.row({"step": step})
        shown.saved()
    shown.finish("done")
    assert [name for name, *_ in bad.calls] == ["row"]
    assert [name for name, *_ in good.calls] == ["row", "row", "finish"]
    assert said == ["warning: dashboard: RuntimeError: no way; off from here on"]


@pytest.mark.parametrize(
    ("error", "status"), [(None, "done"), (Stopped("SIGTERM"), "preempted"), (ValueError(), "failed")]
)
def test_the_end_says_how_the_run_ended(error, status):
    one = Recorded()
    try:
        with Dashboards([one], print):
            if error is not None:
                raise error
    except (Stopped, ValueError):
        pass
    assert one.calls == [("finish", status)]


def test_what_depends_on_the_time_step_is_a_diagram_each_and_one_table():
    one = Recorded()
    metrics = {
        f"test/{name}_{reading}/t{t}": t / 10
        for name in ("acc", "ece")
        for reading in ("step", "cum")
        for t in (1, 2)
    }
    show_over_time(Dashboards([one], print), metrics | {"test/acc": 0.2, "test/ece_cum/t2": float("nan")})
    acc, ece, table = one.calls
    assert acc == (
        "series",
        "over_time/acc",
        [1, 2],
        {"single step": [0.1, 0.2], "cumulative mean": [0.1, 0.2]},
    )
    assert ece[3]["cumulative mean"] == [0.1, None]
    assert table[1] == "over_time/table"
    assert table[2][:3] == ["time_step", "acc_step", "acc_cum"]
    assert table[3][1][:3] == [2, 0.2, 0.2]
    assert summary_of("best", 3, {"test/acc": 0.5, "test/acc_cum/t1": 0.1}) == {
        "best/epoch": 3,
        "best/test/acc": 0.5,
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ([], ("auto", False, False)),
        (["logger=none"], ("off", False, False)),
        (["logger=csv"], ("off", False, True)),
        (["logger=tensorboard"], ("off", True, False)),
        (["logger=[wandb,tensorboard]"], ("auto", True, False)),
        (["logger=[csv,wandb]", "logger.wandb=offline"], ("offline", False, True)),
        (["debug=smoke"], ("off", False, False)),
    ],
)
def test_choices(choice, expected):
    logger = load(choice).logger
    assert (logger.wandb, logger.tensorboard, logger.csv) == expected


def test_no_logger_changes_the_name_of_a_run():
    names = {
        run_hash(load(["+experiment=quickstart", *one]))
        for one in ([], ["logger=none"], ["logger=[csv,wandb]", "logger.every=3"])
    }
    assert len(names) == 1


def start(cfg: LoggerConfig, folder: Path, said: list[str]) -> Dashboards:
    return dashboards_for(
        cfg, folder, said.append, continues=False, run_id="i", group="g", name="n", config={}
    )


def test_wandb_that_is_not_installed_is_said_once_and_tensorboard_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    monkeypatch.setattr("snnlab.packages.find_spec", lambda name: None)
    said = []
    with start(LoggerConfig(wandb="offline"), tmp_path, said) as shown:
        shown.row({"step": 1})
        shown.saved()
    assert len(said) == 1
    assert "pip install wandb" in said[0]
    with pytest.raises(MissingPackageError) as caught:
        need_packages(LoggerConfig(tensorboard=True))
    assert "pip install tensorboard" in caught.value.hint
    need_packages(LoggerConfig(wandb="auto", csv=True))


def test_a_process_that_cannot_be_started_stops_nothing(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr("subprocess.Popen", refuse)
    said = []
    with start(LoggerConfig(wandb="offline"), tmp_path, said) as shown:
        shown.row({"step": 1})
        shown.saved()
    assert said == ["warning: W&B: BlockingIOError: no more processes; off for this run"]
