"""Two finished runs that take a second each, for tests of what is done with the files of a run."""

from pathlib import Path

from snnlab.cli import main

TINY = (
    "+experiment=quickstart",
    "model.channels=[4,8]",
    "trainer.batch_size=256",
    "trainer.epochs=1",
    "num_steps=2",
    "trainer.plots=false",
    "trainer.progress=none",
    "trainer.device=cpu",
)


def train_two_seeds(root: Path) -> Path:
    """Trains seeds 0 and 1 below a folder; returns the directory of seed 0, beside which seed 1 lies."""
    paths = (f"paths.runs={root}", f"paths.data={root / 'data'}")
    for seed in (0, 1):
        assert main(["train", *TINY, *paths, f"seed={seed}"]) == 0
    (run,) = root.glob("*/*/seed0")
    return run
