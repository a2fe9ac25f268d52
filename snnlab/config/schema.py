"""The settings of a run outside of components, and the checked config that all code receives.

The text below a field is its documentation; types and bounds are enforced by `snnlab.config.check`, which
also reports a `ConfigError` of `__post_init__` (a rule across fields). A key that the result of a run does not
depend on is `Unhashed[...]`; every other one counts in the name of the run directory. No torch here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from snnlab.config.data_name import data_name
from snnlab.config.trainer_config import TrainerConfig as TrainerConfig
from snnlab.errors import ConfigError
from snnlab.ranges import NonNegativeInt, PositiveInt, Unhashed


@dataclass(frozen=True, kw_only=True)
class LoggerConfig:
    """Where metrics are shown besides the run directory, which always holds them."""

    wandb: Unhashed[Literal["off", "auto", "online", "offline"]] = "off"
    """Weights & Biases: off; auto = online if a key is set, else offline; or one of both."""
    tensorboard: Unhashed[bool] = False
    """Event files for TensorBoard, in tensorboard/ of the run directory."""
    csv: Unhashed[bool] = False
    """All rows in metrics.csv of the run directory."""
    every: Unhashed[PositiveInt | None] = 20
    """Optimiser steps for each row of training loss, accuracy and learning rate; null = once an epoch only."""
    project: Unhashed[str] = "snnlab"
    """W&B project."""
    entity: Unhashed[str | None] = None
    """W&B user or team; null = the account's default."""
    tags: Unhashed[tuple[str, ...]] = ()
    """W&B tags, each of 1 to 64 letters."""
    name: Unhashed[str | None] = None
    """W&B name of the run; null = components and seed."""
    group: Unhashed[str | None] = None
    """W&B group; null = experiment and variant, which all seeds share."""
    job_type: Unhashed[str | None] = None
    """W&B job type."""
    notes: Unhashed[str | None] = None
    """W&B notes, any text."""
    resume: Unhashed[Literal["auto", "allow", "must", "never"]] = "auto"
    """W&B run of the same id: auto = continued where the run is, else begun anew; the others are W&B's."""
    checkpoint: Unhashed[Literal["none", "last", "best"]] = "none"
    """Checkpoint that W&B keeps as an artefact at the end."""

    @property
    def is_off(self) -> bool:
        """Whether metrics are shown nowhere else."""
        return self.wandb == "off" and not self.tensorboard and not self.csv

    def __post_init__(self) -> None:
        for tag in self.tags:
            if not 1 <= len(tag) <= 64:
                raise ConfigError(
                    f"logger.tags: a tag of {len(tag)} letters: '{tag}'", "W&B takes tags of 1 to 64 letters"
                )
        for key, name in (("project", self.project), ("entity", self.entity)):
            if name is not None and not re.fullmatch(r"[^/\\#?%:\s][^/\\#?%:]{0,127}", name):
                raise ConfigError(
                    f"logger.{key}: W&B takes no such name: '{name}'",
                    "1 to 128 letters without / \\ # ? % :",
                )


@dataclass(frozen=True, kw_only=True)
class PlotsConfig:
    """Pictures of runs and of analyses."""

    format: Unhashed[Literal["png", "pdf", "svg"] | tuple[Literal["png", "pdf", "svg"], ...]] = "png"
    """png, pdf or svg, or a list of them; PNG, which reports show, is written in any case."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats as a sequence."""
        return (self.format,) if isinstance(self.format, str) else self.format


@dataclass(frozen=True, kw_only=True)
class PathsConfig:
    """Folders; absolute after checking."""

    runs: Unhashed[Path] = Path("runs")
    """Results: <runs>/<experiment>/<variant>-<hash>[-<data>]/seed<k>."""
    data: Unhashed[Path] = Path("data")
    """Root of the data sets and of the frame caches."""
    other_data: Unhashed[Literal["refuse", "allow"]] = "refuse"
    """A stored network, a teacher or initial weights from other samples of the same data set: refuse, or allow."""


@dataclass(frozen=True, kw_only=True)
class DistillConfig:
    """The teacher of a distillation loss, such as twd and skd."""

    teacher: Unhashed[str | None] = None
    """Run directory of a trained network (or a folder with that run only), or a timm model; null = no teacher."""
    checkpoint: Literal["last", "best"] = "last"
    """Which of a run's checkpoints; best was selected on the test split."""
    pretrained: bool = False
    """Take the weights that timm publishes for its model (a download)."""
    weights: Unhashed[Path | None] = None
    """File with weights of the timm model (.safetensors, .pt or .pth)."""
    cache: Unhashed[bool] = False
    """Ask the teacher once for every training sample and keep its logits in memory; no augmentation allowed."""
    identity: str = ""
    """What the teacher is, with a hash of its weights; filled in when a run is composed, never by hand."""


GRAPH = "graph.nir"
"""In the run directory of a network with model=nir: the file that its layers are made of."""


@dataclass(frozen=True, kw_only=True)
class InitConfig:
    """The weights that a run starts from."""

    run: Unhashed[str | None] = None
    """Run directory of a trained network with the same layers, or its .safetensors export; null = fresh weights."""
    checkpoint: Literal["last", "best"] = "last"
    """Which of that run's checkpoints; best was selected on the test split."""
    file: Unhashed[Path | None] = None
    """Released checkpoint (.pt, .pth, .tar, .safetensors) with its authors' names, or the .nir file of model=nir."""
    fresh: tuple[str, ...] = ()
    """Layers of the network that those weights may lack; they then start as without them."""
    identity: str = ""
    """What those weights are, as a hash; filled in when a run is composed, never by hand."""

    @property
    def graph(self) -> Path | None:
        """The NIR file of model=nir: the file that is named, or that of the named run."""
        if self.file is not None:
            return self.file if self.file.suffix == ".nir" else None
        return None if self.run is None else Path(self.run) / GRAPH

    def __post_init__(self) -> None:
        if self.run is not None and self.file is not None:
            raise ConfigError("init: run and file are two sources of weights", "leave one of them out")


@dataclass(frozen=True)
class Component:
    """A chosen component: its registered name and the values of its keys."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunLevel:
    """The keys at the top level that are plain values."""

    num_steps: PositiveInt = 10
    """Time steps T of the simulation."""
    input: Literal["frames", "mean", "channels"] = "frames"
    """frames = a frame at each step; at a single step, for ANNs: their mean, or all of them as channels."""
    seed: Unhashed[NonNegativeInt] = 0
    """Seed of all randomness; the seeds of one variant lie side by side in its folder."""
    plugins: tuple[str, ...] = ()
    """Importable packages whose components join the registry, for example [my_package]."""
    experiment: Unhashed[str] = "custom"
    """Name of the experiment file; set by `+experiment=name`, never by hand."""
    voters: PositiveInt | None = None
    """Spiking voters for each class behind the classifier; null = its values are the logits."""


@dataclass(frozen=True, kw_only=True)
class RunConfig(RunLevel):
    """The checked configuration of a run. Only `snnlab.config.check.check` creates it."""

    dataset: Component
    augment: tuple[Component, ...]
    """Augmentation operations, in the order in which they are applied."""
    model: Component
    norm: Component
    neuron: Component
    surrogate: Component
    loss: Component
    regulariser: tuple[Component, ...]
    """Penalties that are added to the loss; their order does not matter."""
    optimizer: Component
    scheduler: Component
    residual_neuron: Component | None = None
    """Neuron behind residual additions; None = as everywhere else in the model."""
    init: InitConfig
    distill: DistillConfig
    trainer: TrainerConfig
    logger: LoggerConfig
    plots: PlotsConfig
    paths: PathsConfig
    overrides: tuple[str, ...] = ()
    """The command line's overrides, as a sweep or a repetition would give them."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the config was composed, one line each."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The whole config as plain values: what config.yaml holds and the hash is made of."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What `auto` stands for, by key, where it changes digits; `trainer` and `raw` hold the same values."""
    data: str | None = None
    """Hash of the data's files, a part of the run directory's name; None: no files, or not looked for."""

    @property
    def data_name(self) -> str:
        """What results call the data: the data set's name, or the name of the folder with one's own."""
        return data_name(self.dataset.name, self.dataset.params)

    @property
    def network_steps(self) -> int:
        """Number of time steps of the network's input."""
        return self.num_steps if self.input == "frames" else 1

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", self.experiment):
            raise ConfigError(
                f"experiment: '{self.experiment}' cannot name a folder",
                "use letters, digits, '_', '-', '.' and '+'",
            )
        if self.distill.cache and self.augment and self.trainer.overfit_batches is None:
            raise ConfigError(
                f"distill.cache: the augmentation ({', '.join(one.name for one in self.augment)}) shows the teacher "
                "something else every time, so its logits cannot be kept",
                "distill.cache=false, or augment=none",
            )
        step = re.search(r"/t(\d+)$", self.trainer.select)
        if step and int(step[1]) > self.network_steps:
            raise ConfigError(
                f"trainer.select: '{self.trainer.select}' is beyond the last time step",
                f"steps go from 1 to num_steps={self.num_steps}"
                if self.input == "frames"
                else f"input={self.input} has 1",
            )
