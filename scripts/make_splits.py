"""Makes the committed files of the random splits, `snnlab/data/splits/*.txt`: one held-out sample a line.

    python scripts/make_splits.py [waimai_10k.csv]

Made once; the files, not this script, define the splits (generators may change between versions).
"""

import csv
import sys
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


def waimai(file: Path) -> list[str]:
    """A fifth of every class, by scikit-learn's stratified split with random state 0; texts that occur twice stay.

    So many others of their class are held out as there are repeated texts among the drawn ones.
    """
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    labels = np.array([int(label) for label, _ in rows])
    texts = [text for _, text in rows]
    train, test = train_test_split(
        np.arange(len(rows)), test_size=0.2, random_state=0, stratify=labels, shuffle=True
    )
    repeated = {index for index, text in enumerate(texts) if texts.count(text) > 1}
    held_out = [index for index in test if index not in repeated]
    for label in (0, 1):
        missing = sum(labels[index] == label for index in set(test) & repeated)
        spare = [index for index in train if index not in repeated and labels[index] == label]
        held_out += spare[:missing]
    return [f"{index:05d}" for index in sorted(held_out)]


def write(name: str, comment: str, held_out: list[str]) -> None:
    lines = [f"# {comment}", *held_out]
    (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(
            "waimai-stratified80_seed0",
            "Held out: 2398 of 11987 rows, counted from 0 after the header; stratified, random state 0, no text twice.",
            waimai(Path(sys.argv[1])),
        )
    write("digits-stratified80_seed0", "Held out: 360 of 1797, stratified, random state 0.", digits())
    write(
        "cifar10_dvs-random9000_seed42",
        "Held out: 1000 of 10000, torch's random_split([9000, 1000]) with seed 42 over sorted file names.",
        cifar10_dvs(),
    )
