"""A line about each run: every state, damage of every kind, and what tells neighbours apart."""

import json
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from snnlab.errors import ConfigError
from snnlab.runs.files import RunFiles
from snnlab.runs.found import folders_of, run_folders
from snnlab.runs.listing import ordered, table
from snnlab.runs.neighbours import differences
from snnlab.runs.overview import run_line

FINISHED = Path(__file__).parents[1] / "golden/finished"


def make(
    root: Path, name: str, change: dict[str, Any] | None = None, status: dict[str, Any] | None = None
) -> Path:
    """A run of the experiment `one`; finished, or with a status and no result."""
    folder = root / "one" / name
    shutil.copytree(FINISHED, folder)
    if status is not None:
        (folder / "result.json").unlink()
        (folder / "status.json").write_text(json.dumps(status))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    for key, value in (change or {}).items():
        *parts, last = key.split(".")
        inner = config
        for part in parts:
            inner = inner[part]
        inner[last] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


GONE = {"status": "running", "pid": 2**22 + 1, "host": socket.gethostname(), "heartbeat": 0.0}


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (None, "finished", None),
        (
            {"status": "failed", "reason": "RunError: the loss is not finite"},
            "failed",
            "RunError: the loss is",
        ),
        ({"status": "preempted", "reason": "SIGTERM"}, "preempted", "SIGTERM"),
        (GONE, "dead", "its process ended without a word"),
        ({**GONE, "host": "elsewhere"}, "dead", "its process ended"),
        ({"status": "done"}, "damaged", "result.json: it is not there"),
        ({"status": "sleeping"}, "damaged", "status.json: values are missing"),
    ],
)
def test_every_state(tmp_path, status, state, reason):
    line = run_line(make(tmp_path, "a-00000000/seed0", status=status))
    assert line.state == state
    assert (line.reason or "").startswith(reason or "")


def test_a_running_run_says_how_far_it_is(tmp_path):
    beat = time.time() - 10
    place = {"epoch": 2, "epochs": 16, "seconds_left": 100.0}
    folder = make(
        tmp_path, "a/seed0", status={"status": "running", "pid": os.getpid(), "heartbeat": beat, **place}
    )
    with RunFiles(folder):
        line = run_line(folder)
    assert (line.state, line.epoch, line.epochs) == ("running", 2, 16)
    assert line.seconds_left == pytest.approx(90, abs=5)
    assert line.holder == f"process {os.getpid()} on {socket.gethostname()}"
    assert "2/16  1:" in table([line], {})


def test_last_and_best_of_a_run_without_a_result_are_in_its_rows(tmp_path):
    folder = make(tmp_path, "a/seed0", status=GONE)
    rows = [
        {"step": n, "epoch": n, "split": "test", "test/acc": acc, "test/ece": 0.1 * n}
        for n, acc in enumerate([0.2, 0.6, 0.5], start=1)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(text + '{"step": 4, "ep')  # cut short by the kill
    line = run_line(folder)
    assert (line.epoch, line.last["test/acc"], line.best["test/acc"]) == (3, 0.5, 0.6)
    assert not line.problems


@pytest.mark.parametrize("name", ["config.yaml", "status.json", "result.json"])
@pytest.mark.parametrize(
    "content", [b"\xff\xff", b"{", b"[1", b"null", b"[" * 100_000, b"- " * 100_000, None]
)
def test_a_damaged_run_is_shown_as_such(tmp_path, name, content):
    whole, folder = make(tmp_path, "a/seed0"), make(tmp_path, "b/seed0", {"seed": 1})
    if content is None:
        (folder / name).unlink()
        (folder / name).mkdir()
    else:
        (folder / name).write_bytes(content)
    lines = [run_line(one) for one in run_folders(tmp_path)]
    assert [line.state for line in lines] == ["finished", "damaged"]
    assert name in lines[1].problems[0]
    text = table(lines, differences(lines))
    assert str(whole) in text
    assert f"{folder}: {name}" in text


def test_a_run_without_any_file_but_checkpoints_is_dead(tmp_path):
    (tmp_path / "one/a/seed0/checkpoints").mkdir(parents=True)
    (line,) = map(run_line, run_folders(tmp_path))
    assert (line.state, line.epoch, line.epochs) == ("dead", 0, None)


def test_neighbours_are_told_apart_by_what_differs(tmp_path):
    changes = {
        "a": {},
        "b": {"loss": {"name": "tet", "lamb": 0.1}},
        "c": {"neuron.threshold": 0.5},
        "d": {"regulariser": {"pnb": {}}, "seed": 3},
        "e": {"trainer.epochs": 9, "trainer.num_workers": 7, "paths.data": "/elsewhere"},
    }
    lines = [run_line(make(tmp_path, f"{name}/seed0", change)) for name, change in changes.items()]
    shown = {folder.parent.name: found for folder, found in differences(lines).items()}
    common = {
        "loss": "tmc",
        "regulariser": "none",
        "neuron.threshold": "1",
        "seed": "0",
        "trainer.epochs": "2",
    }
    assert shown["a"] == common
    assert shown["b"] == {**common, "loss": "tet", "loss.lamb": "0.1"}
    assert shown["c"] == {**common, "neuron.threshold": "0.5"}
    assert shown["d"] == {**common, "regulariser": "pnb", "seed": "3"}
    assert shown["e"] == {**common, "trainer.epochs": "9"}
    assert len({tuple(found.items()) for found in shown.values()}) == len(changes)


def test_settings_that_are_no_configuration_of_ours_are_no_error(tmp_path):
    changes = [
        {"neuron": {"name": "nobodys", "x": 1}},
        {"optimizer": {"name": "sgd"}},
        {},
    ]
    lines = [run_line(make(tmp_path, f"{n}/seed0", change)) for n, change in enumerate(changes)]
    shown = [found["neuron"] for found in differences(lines).values()]
    assert shown == ["nobodys", "plif", "plif"]


def test_order(tmp_path):
    lines = []
    for name, acc, ece in (("a", 0.5, 0.2), ("b", 0.7, 0.3), ("c", None, 0.1)):
        folder = make(tmp_path, f"{name}/seed0")
        result = json.loads((folder / "result.json").read_text())
        result["last"] = {"test/ece": ece} | ({} if acc is None else {"test/acc": acc})
        (folder / "result.json").write_text(json.dumps(result))
        lines.append(run_line(folder))

    def names(key: str) -> str:
        return "".join(one.folder.parent.name for one in ordered(lines[::-1], key))

    assert (names("test/acc"), names("test/ece"), names("name")) == ("bac", "cab", "abc")
    with pytest.raises(ConfigError, match=r"no run has this metric\. Did you mean 'test/acc'"):
        ordered(lines, "test/ac")


def test_runs_before_their_first_evaluation_are_in_an_order_by_a_metric_too(tmp_path):
    folders = [make(tmp_path, f"{name}/seed0", status=GONE) for name in "ab"]
    for folder in folders:
        (folder / "metrics.jsonl").unlink()
    lines = [run_line(one) for one in folders]
    assert ordered(lines[::-1], "test/acc") == lines
    with pytest.raises(ConfigError, match="no run has this metric"):
        ordered(lines, "test/ac")


def test_runs_are_found_wherever_they_are_and_by_parts_of_their_names(tmp_path):
    deep = make(tmp_path / "x/y", "a-loss/seed0")
    flat = make(tmp_path, "b/seed1")
    (tmp_path / ".sweeps/z").mkdir(parents=True)
    (tmp_path / ".sweeps/z/config.yaml").touch()
    found = run_folders(tmp_path)
    assert found == sorted([deep, flat])
    assert run_folders(flat) == [flat]
    assert folders_of(tmp_path, ["loss"]) == [deep]
    assert folders_of(tmp_path, ["one/?/seed1"]) == [flat]


def test_a_run_to_which_several_ways_lead_is_there_once(tmp_path):
    """A link to the best run, one that leads around in a circle, one to nothing, and a folder of runs elsewhere."""
    first, second = make(tmp_path / "runs", "a/seed0"), make(tmp_path / "runs", "b/seed0")
    make(tmp_path / "scratch", "c/seed0")
    for name, target in {
        "1_best": first,
        "2_loop": "..",
        "3_gone": "nowhere",
        "4_more": "../scratch",
    }.items():
        (tmp_path / "runs" / name).symlink_to(target)
    (tmp_path / "place").symlink_to("runs")
    for root in (tmp_path / "runs", tmp_path / "place"):
        elsewhere = root / "2_loop/scratch/one/c/seed0"
        assert run_folders(root) == [elsewhere, root / "one/a/seed0", root / "one/b/seed0"]
        assert folders_of(root, []) == run_folders(root)
        assert folders_of(root, ["best"]) == [root / "1_best"], "the link's own name is one of the run's"
        assert folders_of(root, ["b/seed", str(second)]) == [root / "one/b/seed0"]
