"""`snnlab verify`: a whole run is whole, and whatever is done to one of its files is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.runs.verify import verify
from tests.tiny_runs import TINY, train_two_seeds

OTHERWISE = "optimizer.weight_decay=0.001"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_two_seeds(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def pair(finished: Path) -> tuple[Path, Path]:
    """Two runs that differ in one setting, which no record but the configuration names."""
    root = finished.parent.parent.parent
    assert main(["train", *TINY, f"paths.runs={root}", f"paths.data={root / 'data'}", OTHERWISE]) == 0
    (other,) = (one for one in root.glob("*/*/seed0") if one != finished)
    return finished, other


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


# What is of another run, and the file that says so.
SWAPPED = {
    ("result.json",): "result.json",
    ("result.json", "metrics.jsonl"): "result.json",
    ("config.yaml",): "result.json",
    ("checkpoints/last.pt",): "checkpoints/last.pt",
    ("checkpoints/best.pt",): "checkpoints/best.pt",
    ("config.yaml", "checkpoints/last.pt", "checkpoints/best.pt"): "result.json",
    ("result.json", "metrics.jsonl", "checkpoints/last.pt", "checkpoints/best.pt"): "result.json",
}


@pytest.mark.parametrize("name", ["", "copy"])
@pytest.mark.parametrize("files", SWAPPED)
@pytest.mark.parametrize("of", ["another setting", "another seed"])
def test_files_of_two_runs_are_told_apart_whatever_the_directory_is_called(pair, tmp_path, files, of, name):
    run, other = pair
    other = other if of == "another setting" else run.parent / "seed1"
    mixed = tmp_path / (name or f"{run.parent.name}/seed0")
    shutil.copytree(run, mixed)
    for file in files:
        shutil.copy(other / file, mixed / file)
    assert SWAPPED[files] in {one.file for one in verify(mixed)}


@pytest.mark.parametrize("file", ["last", "best"])
def test_a_checkpoint_of_another_run_is_found_where_there_is_no_result_yet(pair, tmp_path, file):
    mixed = tmp_path / "copy"
    shutil.copytree(pair[0], mixed)
    (mixed / "result.json").unlink()
    (mixed / "status.json").write_text('{"status": "preempted"}')
    assert verify(mixed) == []
    shutil.copy(pair[1] / f"checkpoints/{file}.pt", mixed / f"checkpoints/{file}.pt")
    assert [one.file for one in verify(mixed)] == [f"checkpoints/{file}.pt"]


@pytest.mark.parametrize("name", ["copy", "mine/seed0", "digits-lif-00000000/seed1"])
def test_a_run_under_another_name_is_whole_and_one_line_says_so(finished, tmp_path, capsys, name):
    copy = tmp_path / name
    shutil.copytree(finished, copy)
    assert verify(copy) == []
    assert main(["verify", str(copy)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{copy}: whole"
    assert said[1:] == [f"  copied, moved or renamed: it was made as {finished.parent.name}/{finished.name}"]
    assert main(["verify", str(finished)]) == 0
    assert capsys.readouterr().out == f"{finished}: whole\n"


def test_a_run_of_a_package_that_is_not_here_is_not_called_damaged(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    text = (copy / "config.yaml").read_text()
    text = text.replace("plugins: []", "plugins: [not_here]").replace("name: lif", "name: theirs")
    (copy / "config.yaml").write_text(text)
    assert verify(copy) == []
