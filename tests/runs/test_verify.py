"""`snnlab verify`: a whole run is whole, and whatever is done to one of its files is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.runs.verify import verify
from tests.tiny_runs import train_two_seeds


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_two_seeds(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "quickstart" / finished.parent.name
    shutil.copytree(finished.parent, copy)
    return copy / "seed0"


def edited(file: str, change: Callable[[dict], object]) -> Callable[[Path], object]:
    def damage(run: Path) -> None:
        content = json.loads((run / file).read_text())
        change(content)
        (run / file).write_text(json.dumps(content))

    return damage


def flipped(file: str) -> Callable[[Path], object]:
    def damage(run: Path) -> None:
        content = bytearray((run / file).read_bytes())
        for place in (len(content) // 3, len(content) // 2):
            content[place] ^= 0x10
        (run / file).write_bytes(content)

    return damage


def rows(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], object]:
    def damage(run: Path) -> None:
        file = run / "metrics.jsonl"
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))

    return damage


def checkpoint(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def damage(run: Path) -> None:
        content = torch.load(run / "checkpoints/last.pt", weights_only=True)
        change(content)
        torch.save(content, run / "checkpoints/last.pt")

    return damage


DAMAGES = {
    "config.yaml": [
        lambda run: (run / "config.yaml").write_bytes(b"\xff\xff"),
        lambda run: (run / "config.yaml").write_text("a: [1"),
    ],
    "status.json": [
        lambda run: (run / "status.json").unlink(),
        lambda run: (run / "status.json").write_text("{}"),
        edited("status.json", lambda status: status.update(status="finished")),
    ],
    "result.json": [
        lambda run: (run / "result.json").unlink(),
        lambda run: (run / "result.json").write_bytes(b"\xff"),
        edited("result.json", lambda result: result.pop("last")),
        edited("result.json", lambda result: result.update(num_steps=9)),
        edited("result.json", lambda result: result.update(config_hash="00000000")),
        lambda run: shutil.copy(run.parent / "seed1/result.json", run / "result.json"),
    ],
    "metrics.jsonl": [
        lambda run: (run / "metrics.jsonl").unlink(),
        rows(lambda lines: []),
        rows(lambda lines: [*lines, *lines]),
        rows(lambda lines: [lines[0][:20], *lines[1:]]),
        rows(lambda lines: lines[:-1]),
        lambda run: shutil.copy(run.parent / "seed1/metrics.jsonl", run / "metrics.jsonl"),
    ],
    "env.json": [lambda run: (run / "env.json").write_text("{}")],
    "checkpoints/last.pt": [
        flipped("checkpoints/last.pt"),
        lambda run: (run / "checkpoints/last.pt").unlink(),
        lambda run: shutil.copy(run.parent / "seed1/checkpoints/last.pt", run / "checkpoints/last.pt"),
        checkpoint(lambda content: content.update(config_hash="00000000")),
        checkpoint(lambda content: content["data"].update(train=1)),
    ],
    "checkpoints/best.pt": [flipped("checkpoints/best.pt")],
}


def test_a_finished_run_is_whole(run, capsys):
    assert verify(run) == []
    assert main(["verify", str(run)]) == 0
    assert "whole" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "damage"), [(file, damage) for file, several in DAMAGES.items() for damage in several]
)
def test_damage_is_found_in_the_file_that_has_it(run, file, damage):
    damage(run)
    assert file in {one.file for one in verify(run)}
    assert main(["verify", str(run)]) == 1
