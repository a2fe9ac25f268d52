"""Makes the committed files of the random splits, `snnlab/data/splits/*.txt`: one held-out sample a line.

    python scripts/make_splits.py

Made once; the files, not this script, define the splits (generators may change between versions).
"""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from snnlab.datasets.cifar10_dvs import CIFAR10DVS

FOLDER = Path(__file__).parent.parent / "snnlab" / "data" / "splits"


def digits() -> list[str]:
    """A fifth of every class, by scikit-learn's stratified split with random state 0."""
    labels = load_digits().target
    held_out = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)[1]
    return [f"{index:04d}" for index in sorted(held_out)]


def cifar10_dvs() -> list[str]:
    """The last 1000 of torch's permutation with seed 42 over spikingjelly's order (class, then file name)."""
    numbers = sorted(range(1000), key=lambda number: f"{number}.")
    order = [f"{name}/{number}" for name in CIFAR10DVS.class_names for number in numbers]
    permutation = torch.randperm(len(order), generator=torch.Generator().manual_seed(42)).tolist()
    held_out = [order[i] for i in permutation[9000:]]
    return sorted(held_out, key=lambda name: (name.split("/")[0], int(name.split("/")[1])))


def write(name: str, comment: str, held_out: list[str]) -> None:
    lines = [f"# {comment}", *held_out]
    (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    write("digits-stratified80_seed0", "Held out: 360 of 1797, stratified, random state 0.", digits())
    write(
        "cifar10_dvs-random9000_seed42",
        "Held out: 1000 of 10000, torch's random_split([9000, 1000]) with seed 42 over sorted file names.",
        cifar10_dvs(),
    )
