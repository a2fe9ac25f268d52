"""Two processes train what one trains: weights, what they measure, what they write, how they stop and go on."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from snnlab import build
from snnlab.cli import main
from snnlab.config.schema import TrainerConfig
from snnlab.data.loader import epoch_batches, loader
from snnlab.errors import ConfigError
from snnlab.evaluate.one_pass import evaluate
from snnlab.machine.processes import ALONE, Processes, joined
from snnlab.neurons.dsatgo import DSATGO
from snnlab.runs.files import RunFiles
from snnlab.runs.load import load
from snnlab.runs.results import read_status
from snnlab.train.learner import Learner
from snnlab.train.session import Session
from tests.train.test_learner import NoSchedule
from tests.train.toy import ToyData, ToyNet, loss, pipeline

ROOT = Path(__file__).resolve().parents[2]


def spawn(*arguments: str) -> list[subprocess.Popen[str]]:
    """Two processes with the environment that torchrun gives its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                **common,
                "TORCHELASTIC_RUN_ID": "t",
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
            },
        )
        for rank in range(2)
    ]


def ends(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Exit code, output and errors of each."""
    return [
        (process.returncode, *found) for process in processes if (found := process.communicate(timeout=300))
    ]


def trained(processes: Processes) -> dict[str, Any]:
    """A network without batch statistics, one whose neurons pool theirs, and what an evaluation says of them."""
    found: dict[str, Any] = {}
    data = ToyData().train_set()
    part = (processes.rank, processes.count)
    for name in ("lif", "dsatgo"):
        torch.manual_seed(0)
        model = ToyNet()
        if name == "dsatgo":
            model.neuron = DSATGO(num_steps=3)
        learner = Learner(
            model,
            loss(),
            torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9),
            NoSchedule(),
            pipeline(),
            TrainerConfig(ema=0.5, clip_norm=0.3),
            processes=processes,
        )
        results = []
        for epoch in range(2):
            # 11 + 11 + 2 samples: uneven parts; the first two are accumulated.
            batches = list(loader(data, 11, shuffle=True, seed=1, epoch=epoch, part=part))
            results += [learner.step(batches[:2], epoch, 0, 22), learner.step(batches[2:], epoch, 2, 2)]
        first, last = processes.block(3)
        own = list(loader(data, 10, shuffle=False, seed=0, epoch=0))[first:last]
        measured = evaluate(model, loss(), own, pipeline(), 4, "fp32", processes)
        found[name] = {
            "weights": learner.weights(),
            "results": [(result.loss.item(), int(result.correct), result.count) for result in results],
            "metrics": measured.metrics,
        }
    return found


def test_two_processes_train_and_measure_what_one_does(tmp_path: Path) -> None:
    ended = ends(spawn(__file__, str(tmp_path)))
    assert [code for code, *_ in ended] == [0, 0], ended[0][2] + ended[1][2]
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    alone = trained(ALONE)
    for name, expected in alone.items():
        for kind, weights in one[name]["weights"].items():
            for key, value in weights.items():
                assert torch.equal(value, other[name]["weights"][kind][key]), (name, kind, key)
                torch.testing.assert_close(value, expected["weights"][kind][key], rtol=1e-5, atol=1e-6)
        for found in (one[name], other[name]):
            for result, single in zip(found["results"], expected["results"], strict=True):
                assert result == pytest.approx(single, rel=1e-5)
            assert found["metrics"] == pytest.approx(expected["metrics"], rel=1e-5)


def test_the_parts_of_a_batch_are_the_batch() -> None:
    whole = epoch_batches(23, 7, shuffle=True, seed=3, epoch=2)
    parts = [epoch_batches(23, 7, shuffle=True, seed=3, epoch=2, part=(rank, 3)) for rank in range(3)]
    for k, batch in enumerate(whole[:-1]):
        assert sorted(index for part in parts for index in part[k]) == sorted(batch)
    assert [part[-1] for part in parts] == [[whole[-1][0]], [whole[-1][1]], [whole[-1][0]]], "filled up"


SMALL = (
    "dataset=digits",
    "augment=crop_flip",
    "loss=tet",
    "num_steps=2",
    "model.channels=[4,8]",
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.batch_size=16",
    "trainer.limit_train_batches=3",
    "trainer.limit_test_batches=3",
    "trainer.eval_batch_size=11",
    "trainer.checkpoint_every=2",
    "trainer.ema=0.9",
    "trainer.device=cpu",
    "trainer.progress=none",
    "trainer.plots=false",
)


def test_a_run_of_two_processes_is_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("-m", "snnlab", "train", *SMALL, f"paths.runs={tmp_path}")
    (code, said, error), (other_code, other_said, other_error) = ends(spawn(*command))
    assert (code, other_code) == (0, 0), error + other_error
    assert "process  2 of them" in said
    assert other_said == ""
    (folder,) = tmp_path.glob("*/*/seed0")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [(row["split"], row["step"]) for row in rows] == [
        ("train", 3),
        ("test", 3),
        ("train", 6),
        ("test", 6),
    ]
    assert json.loads((folder / "env.json").read_text())["processes"] == 2
    last = json.loads((folder / "result.json").read_text())["last"]
    assert json.loads((folder / "result.json").read_text())["num_test"] == 32
    assert main(["eval", f"run={folder}"]) == 0
    assert main(["eval", f"run={folder}", "weights=average"]) == 0
    for name, split in (("eval-last-t", "test"), ("eval-last-average-t", "test_ema")):
        (path,) = folder.glob(f"{name}2-*.json")
        for key, value in json.loads(path.read_text())["metrics"].items():
            assert last[key.replace("test/", f"{split}/")] == pytest.approx(value, rel=1e-6), key


WITH_GRAPHS = """
import sys
from snnlab.cli import main
from snnlab.train import session
from tests.train.again import Again
session.capture_for = lambda trainer, device: None if trainer.cuda_graph == "off" else Again()
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_batches_of_several_processes_are_no_graphs_evaluations_are_and_nothing_else_changes(
    tmp_path: Path,
) -> None:
    rows = []
    for graph in ("off", "auto"):
        runs = tmp_path / graph
        ended = ends(spawn("-c", WITH_GRAPHS, *SMALL, f"paths.runs={runs}", f"trainer.cuda_graph={graph}"))
        assert [code for code, *_ in ended] == [0, 0], ended[0][2] + ended[1][2]
        (folder,) = runs.glob("*/*/seed0")
        rows.append((folder / "metrics.jsonl").read_text())
    assert rows[0] == rows[1]
    found = json.loads((folder / "result.json").read_text())["cuda_graph"]
    (why,) = found["why"]
    assert why.startswith("DistributedDataParallel exchanges the gradients")
    assert (found["replays"], found["updates"]["replays"]) == (0, 0)
    assert found["evaluation"]["replays"] > 0
    assert found["evaluation"]["eager"] == 0


OWN_DATA = """
import os, sys
from snnlab.cli import main
sys.exit(main(["train", f"paths.data={sys.argv[1]}/{os.environ['RANK']}", *sys.argv[2:]]))
"""


def test_processes_with_different_data_do_not_train(tmp_path: Path) -> None:
    for rank in range(2):
        for name in ("train/a/0.png", "train/b/0.png", "val/a/0.png", f"val/b/{rank}.png"):
            file = tmp_path / str(rank) / "imagenet" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (16, 16), 7).save(file)
    data = ("dataset=imagenet", "dataset.classes=2", "dataset.image_size=16", "dataset.resize=16")
    small = [one for one in SMALL if not one.startswith(("dataset", "augment", "trainer.synthetic"))]
    runs = f"paths.runs={tmp_path / 'runs'}"
    ended = ends(spawn("-c", OWN_DATA, str(tmp_path), *data, *small, runs))
    assert [code for code, *_ in ended] == [2, 2]
    assert "do not read the same files of imagenet" in ended[0][2]
    assert not list(tmp_path.glob("runs/*/*/seed0"))


STOP_ONE = """
import os, signal, sys
from snnlab.train.learner import Learner
original, steps = Learner.step, 0
def step(self, *args):
    global steps
    steps += 1
    if steps == 5 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGTERM)
    return original(self, *args)
Learner.step = step
from snnlab.cli import main
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_both_stop_when_one_is_told_to_and_go_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    command = [f"paths.runs={tmp_path / 'stopped'}", *SMALL]
    assert [code for code, *_ in ends(spawn("-c", STOP_ONE, *command))] == [75, 75]
    assert [code for code, *_ in ends(spawn("-m", "snnlab", "train", *command))] == [0, 0]
    command[0] = f"paths.runs={tmp_path / 'straight'}"
    assert [code for code, *_ in ends(spawn("-m", "snnlab", "train", *command))] == [0, 0]
    (stopped,), (straight,) = (tmp_path.glob(f"{name}/*/*/seed0") for name in ("stopped", "straight"))
    assert (stopped / "metrics.jsonl").read_text() == (straight / "metrics.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["0", "1"])
def test_the_survivor_of_a_kill_says_that_the_same_command_continues(tmp_path: Path, killed: str) -> None:
    kill_one = STOP_ONE.replace("SIGTERM", "SIGKILL").replace('== "1"', f'== "{killed}"')
    command = [f"paths.runs={tmp_path / 'killed'}", *SMALL]
    ended = ends(spawn("-c", kill_one, *command))
    survivor = ended[1 - int(killed)]
    assert (ended[int(killed)][0], survivor[0]) == (-9, 75), survivor[2]
    assert "The same command continues this run." in survivor[2]
    assert "Traceback" not in survivor[2]
    (folder,) = tmp_path.glob("killed/*/*/seed0")
    assert read_status(folder)["status"] == "preempted"
    assert [code for code, *_ in ends(spawn("-m", "snnlab", "train", *command))] == [0, 0]
    command[0] = f"paths.runs={tmp_path / 'straight'}"
    assert [code for code, *_ in ends(spawn("-m", "snnlab", "train", *command))] == [0, 0]
    (straight,) = tmp_path.glob("straight/*/*/seed0")
    assert (folder / "metrics.jsonl").read_text() == (straight / "metrics.jsonl").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 1}, "trainer.batch_size: 1 samples cannot be shared out to 2 processes"),
        ({"sync_bn": True}, "trainer.sync_bn: PyTorch synchronises normalisation between GPUs only"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(settings: dict[str, Any], message: str) -> None:
    cfg = load(["dataset=digits", "trainer.device=cpu"])
    cfg = replace(cfg, trainer=replace(cfg.trainer, **settings))
    make = partial(Session, cfg, RunFiles(Path("none")), build.build_dataset(cfg), torch.device("cpu"))
    with pytest.raises(ConfigError) as caught:
        make(Processes(1, 2, 1))
    assert caught.value.message == message
    make(ALONE)


def test_a_sweep_is_not_for_torchrun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "t")
    assert main(["train", "-m", "seed=0,1"]) == 2
    assert "error: train -m: a sweep starts processes of its own" in capsys.readouterr().err


if __name__ == "__main__":
    with joined() as these:
        torch.save(trained(these), Path(sys.argv[1]) / f"{these.rank}.pt")
