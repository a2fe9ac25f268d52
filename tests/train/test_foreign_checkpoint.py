"""A damaged checkpoint, or one of another run, continues nothing and is measured nowhere; lost rows come back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from snnlab.cli import main

SMALL = [
    "+experiment=quickstart",
    "model.channels=[4,8]",
    "trainer.batch_size=256",
    "trainer.epochs=2",
    "trainer.plots=false",
    "trainer.progress=none",
    "trainer.device=cpu",
    "num_steps=2",
]


def train(root: Path, *overrides: str) -> int:
    return main(["train", *SMALL, f"paths.runs={root}", f"paths.data={root.parent / 'data'}", *overrides])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("here") / "runs"
    assert train(root) == 0
    assert train(root, "seed=1") == 0
    assert train(root, "neuron.threshold=0.5") == 0
    return root


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run that was stopped after its first epoch, in a folder with others."""
    shutil.copytree(finished.parent, tmp_path / "here")
    (folder,) = (one.parent for one in (tmp_path / "here").glob("runs/*/*/seed1"))
    own = folder / "seed0"
    (own / "result.json").unlink()
    return own


def root_of(run: Path) -> Path:
    return run.parents[2]


def state(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def damage(run: Path) -> None:
        content = torch.load(run / "checkpoints/last.pt", weights_only=True)
        change(content)
        torch.save(content, run / "checkpoints/last.pt")

    return damage


def flip_bits(run: Path) -> None:
    """Three bits in the middle of a tensor: the file is still a zip, and torch reads it."""
    file = run / "checkpoints/last.pt"
    content = bytearray(file.read_bytes())
    weights = torch.load(file, weights_only=True)["learner"]["model"]
    name = max(weights, key=lambda one: weights[one].numel())
    at = content.find(weights[name].numpy().tobytes())
    for place in (at + 40, at + 81, at + 122):
        content[place] ^= 0x08
    file.write_bytes(content)
    torch.load(file, weights_only=True)


def other_seed(run: Path) -> None:
    shutil.copy(run.with_name("seed1") / "checkpoints/last.pt", run / "checkpoints")


def cut(run: Path) -> None:
    file = run / "checkpoints/last.pt"
    file.write_bytes(file.read_bytes()[:5000])


def one_shape(content: dict) -> None:
    content["learner"]["model"]["head.weight"] = torch.zeros(3)


def other_settings(run: Path) -> None:
    (other,) = (one for one in run.parents[1].glob("*/seed0") if one.parent != run.parent)
    shutil.copy(other / "checkpoints/last.pt", run / "checkpoints/last.pt")


FOREIGN = {
    "flipped bits": (flip_bits, "is damaged: the checksum of"),
    "another seed": (
        lambda run: shutil.copy(run.with_name("seed1") / "checkpoints/last.pt", run / "checkpoints"),
        "seed 1, not 0",
    ),
    "other settings": (other_settings, "is of another run"),
    "cut": (cut, "last.pt"),
    "empty": (lambda run: (run / "checkpoints/last.pt").write_bytes(b""), "last.pt"),
    "a list": (lambda run: torch.save([1, 2], run / "checkpoints/last.pt"), "it holds a list"),
    "no position": (state(lambda content: content.pop("position")), "does not fit this run"),
    "no learner": (state(lambda content: content.pop("learner")), "does not fit this run"),
    "no optimiser": (state(lambda content: content["learner"].pop("optimizer")), "does not fit this run"),
    "odd position": (state(lambda content: content.update(position=[1])), "does not fit this run"),
    "odd data": (state(lambda content: content.update(data=3)), "its data are no mapping"),
    "a shape": (state(one_shape), "does not fit"),
    "a weight less": (state(lambda content: content["learner"]["model"].popitem()), "does not fit"),
}


@pytest.mark.parametrize(("damage", "said"), FOREIGN.values(), ids=FOREIGN)
def test_a_damaged_or_foreign_checkpoint_is_refused(run, damage, said, capsys):
    damage(run)
    capsys.readouterr()
    assert train(root_of(run)) == 2
    error, hint, *others = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert "trainer.on_existing=restart" in hint
    assert others == []
    assert not (run / "result.json").exists()


@pytest.mark.parametrize("name", ["another seed", "other settings", "flipped bits"])
def test_it_is_not_measured_either(finished, tmp_path, name, capsys):
    shutil.copytree(finished.parent, tmp_path / "here")
    (folder,) = (one.parent for one in (tmp_path / "here").glob("runs/*/*/seed1"))
    run = folder / "seed0"
    FOREIGN[name][0](run)
    for command in (["eval", f"run={run}"], ["export", f"run={run}"]):
        capsys.readouterr()
        assert main([*command, f"paths.data={tmp_path / 'data'}"]) == 2
        said = capsys.readouterr().err
        assert FOREIGN[name][1] in said
        assert "checkpoint=best" in said
    assert train(root_of(run), f"init.run={run}") == 2
    assert "init.checkpoint=best" in capsys.readouterr().err


READERS = {
    "eval": (["eval", "{run}"], "checkpoint=best"),
    "init.run": (["train", *SMALL, "init.run={run}"], "init.checkpoint=best"),
    "distill.teacher": (["train", *SMALL, "loss=twd", "distill.teacher={run}"], "distill.checkpoint=best"),
    "init.file": (["train", *SMALL, "init.file={run}/checkpoints/last.pt"], ""),
    "resume": (["train", *SMALL, "paths.runs={root}"], "trainer.on_existing=restart"),
}


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_a_checkpoint_calls_junk_damaged(run, reader, capsys, monkeypatch):
    """A missing one leads to the run's other checkpoint, where it is one that can be chosen."""
    monkeypatch.chdir(run.parents[3])
    last = run / "checkpoints" / "last.pt"
    last.write_bytes(b"hello, this is a text\n" * 20)
    words, hint = READERS[reader]
    command = [word.format(run=run, root=root_of(run)) for word in words]
    for error in ("is damaged", "no "):
        capsys.readouterr()
        assert main([*command, "paths.data=data"]) == 2
        said = capsys.readouterr().err.splitlines()
        assert str(last) in said[-2]
        assert error in said[-2]
        assert "Error" not in said[-2]
        assert hint in said[-1]
        last.unlink(missing_ok=True)
        if reader in ("resume", "init.file"):
            break


ROWS = {
    "removed": lambda file: file.unlink(),
    "emptied": lambda file: file.write_bytes(b""),
    "torn": lambda file: file.write_bytes(file.read_bytes()[:90]),
    "doubled": lambda file: file.write_bytes(file.read_bytes() * 2),
    "no text": lambda file: file.write_bytes(b"\xff" + file.read_bytes()),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", [*ROWS], ids=ROWS)
def test_lost_rows_come_back_from_the_checkpoint(finished, run, damage, capsys):
    whole = run / "metrics.jsonl"
    rows = whole.read_bytes()
    ROWS[damage](whole)
    capsys.readouterr()
    if damage == "a folder":
        assert train(root_of(run)) == 2
        assert str(whole) in capsys.readouterr().err
        return
    assert train(root_of(run)) == 0
    said = capsys.readouterr().out
    assert whole.read_bytes() == rows
    assert ("has lost rows" in said) is (damage != "doubled")
    result = json.loads((run / "result.json").read_text())
    stored = json.loads(next(finished.glob(f"*/{run.parent.name}/seed0/result.json")).read_text())
    assert result["last"] == stored["last"]
