"""The run that is analysed: its network, its samples, and where pictures go.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from rich.table import Table
from torch import Tensor, nn

from snnlab.analyse.arguments import Settings
from snnlab.config.schema import RunConfig
from snnlab.data.track import track
from snnlab.evaluate.batch_size import given_batch_size
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.machine.device import set_up
from snnlab.neurons.base import Neuron
from snnlab.plots.layer_names import layer_names
from snnlab.runs.identity import config_hash


@dataclass(frozen=True)
class Finding:
    """The result of an analysis.

    Attributes:
        picture: the PNG file; the numbers are in a CSV of the same name.
        table: the short form, for the terminal.
    """

    picture: Path
    table: Table


class Subject:
    """A stored run under analysis; the network is loaded when it is first asked for.

    Args:
        cfg: the run's configuration with overrides.
        folder: the run directory.
        which: `last` or `best`.
        settings: the sections of settings.
        plain: the run's configuration without overrides.
    """

    def __init__(
        self, cfg: RunConfig, folder: Path, which: str, settings: Settings, plain: RunConfig
    ) -> None:
        self.cfg = cfg
        self.folder = folder
        self.which = which
        self.settings = settings
        self.plain = plain

    @cached_property
    def stored(self) -> StoredRun:
        """The network with its weights, and its data."""
        return load_run(self.cfg, self.folder, self.which, set_up(self.cfg.trainer))

    @property
    def model(self) -> nn.Module:
        """The network, in evaluation mode; an analysis that changes it has to restore it."""
        return self.stored.model

    @cached_property
    def names(self) -> dict[str, str]:
        """What a person calls each neuron layer, by its name in `named_modules()`, in the order of the network."""
        return layer_names(name for name, module in self.model.named_modules() if isinstance(module, Neuron))

    @property
    def title(self) -> str:
        """The title of every picture."""
        return f"{self.cfg.experiment}: {self.cfg.model.name}, {self.cfg.neuron.name}, seed {self.cfg.seed}"

    def path(self, name: str) -> Path:
        """The picture's file: in the run's folder, with a name of its own if the run is measured otherwise."""
        digest = config_hash(self.cfg.raw)
        changed = "" if digest == config_hash(self.plain.raw) else f"-{digest}"
        best = "" if self.which == "last" else f"-{self.which}"
        return self.folder / "analysis" / f"{name}{best}{changed}.png"

    def batches(
        self, title: str, count: int | None = None, split: Literal["train", "test"] = "test"
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Samples evenly spaced over a split, as x_TBCHW and classes [B] on the device, with a progress bar.

        Args:
            title: of the bar.
            count: how many; None: `analyse.samples`.
            split: `train` comes without augmentation, too.
        """
        data, pipeline, trainer = self.stored.dataset, self.stored.pipeline, self.cfg.trainer
        samples = data.test_set() if split == "test" else data.train_set()
        wanted = self.settings.analyse.samples if count is None else count
        chosen = (
            np.linspace(0, len(samples) - 1, min(len(samples), wanted or len(samples))).round().astype(int)
        )
        size = given_batch_size(trainer)
        # Of nearly equal size, since batch statistics of a small last batch would distort the measurement.
        parts = np.array_split(chosen, -(-len(chosen) // size))
        for part in track(parts, len(parts), title):
            raw, target = samples.batch(part.tolist())
            yield pipeline.test(raw), target.to(pipeline.device)


def ends(values: Sequence[float]) -> list[str]:
    """Mean, first and last of shares over the steps, in %."""
    return [f"{100 * value:.2f}" for value in (sum(values) / len(values), values[0], values[-1])]


def table(title: str, *heads: str) -> Table:
    """A table for the terminal: the first column is text, the others numbers."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, head in enumerate(heads):
        made.add_column(head, justify="right" if index else "left", no_wrap=True)
    return made
