"""The teacher in distillation: a run's network or a timm model, evaluated on the student's input.

Shapes: T time steps, B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from snnlab import build
from snnlab.config.schema import RunConfig
from snnlab.data.dataset import LabelledData
from snnlab.data.identity import DataIdentity
from snnlab.data.inputs import InputPipeline
from snnlab.errors import ConfigError
from snnlab.layers.time import EachStep
from snnlab.losses.base import Loss
from snnlab.machine.device import autocast
from snnlab.packages import need
from snnlab.runs import checkpoint
from snnlab.runs.data_check import refuse_other_samples
from snnlab.runs.stored_config import load_stored
from snnlab.runs.weights import is_run
from snnlab.train.weights_file import OF_TIMM, read_weights


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation per channel of an input's normalisation; None: not normalised."""

    mean: Sequence[float] | None
    std: Sequence[float] | None

    def affine_to(self, other: "Normalization", channels: int) -> tuple[Tensor, Tensor] | None:
        """(scale, shift), each [C, 1, 1], that convert this normalisation to another; None if they are equal."""
        mean, std, other_mean, other_std = (
            torch.tensor(default if values is None else values, dtype=torch.float64).expand(channels)
            for values, default in ((self.mean, 0.0), (self.std, 1.0), (other.mean, 0.0), (other.std, 1.0))
        )
        if torch.equal(mean, other_mean) and torch.equal(std, other_std):
            return None
        scale, shift = std / other_std, (mean - other_mean) / other_std
        return scale.float().view(-1, 1, 1), shift.float().view(-1, 1, 1)


class Teacher:
    """Logits of a trained network for the student's input: evaluation mode, no gradient, compute precision.

    Args:
        network: maps x_TBCHW to logits [T, B, K], on its device.
        sees: the teacher's input: `image`, the first of the student's steps, which are all equal; `frames`, all of
            them; `mean`, their mean over time.
        num_steps: for `image`: number of steps at which it is repeated.
        affine: (scale, shift) to the network's own normalisation of the input; None if it is the student's.
        device: the network's device.
        precision: precision of its matrix products.
    """

    def __init__(
        self,
        network: nn.Module,
        sees: Literal["image", "frames", "mean"],
        num_steps: int,
        affine: tuple[Tensor, Tensor] | None,
        device: torch.device,
        precision: str,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.sees = sees
        self.num_steps = num_steps
        self.affine = None if affine is None else (affine[0].to(device), affine[1].to(device))
        self.device = device
        self.precision = precision

    @torch.no_grad()
    def __call__(self, x_TBCHW: Tensor) -> Tensor:
        """Logits [B, K], the mean over the teacher's own time steps, in float32."""
        if self.sees == "image":
            x_TBCHW = x_TBCHW[:1]
        elif self.sees == "mean":
            x_TBCHW = x_TBCHW.mean(0, keepdim=True)
        if self.affine is not None:
            x_TBCHW = x_TBCHW * self.affine[0] + self.affine[1]
        if self.sees == "image":
            x_TBCHW = x_TBCHW.expand(self.num_steps, -1, -1, -1, -1)
        with autocast(self.device, self.precision):
            logits_TBK: Tensor = self.network(x_TBCHW)
        return logits_TBK.float().mean(0)

    def of_batch(self, x_TBCHW: Tensor, epoch: int, batch: int) -> Tensor:
        """Logits [B, K] for the input of a training batch; `epoch` and `batch` count from 0."""
        return self(x_TBCHW)


class CachedTeacher:
    """A teacher's logits for every training sample, computed once: for input that no augmentation changes.

    They are computed in stored order before the first step, so a continued run has the same ones.

    Args:
        logits_NK: of all training samples.
        order: the sample indices of every batch of an epoch.
    """

    def __init__(self, logits_NK: Tensor, order: Callable[[int], Sequence[Sequence[int]]]) -> None:
        self.logits_NK = logits_NK
        self._order = order
        self._epoch, self._batches = -1, order(0)

    def of_batch(self, x_TBCHW: Tensor, epoch: int, batch: int) -> Tensor:
        """The stored logits [B, K] of a training batch."""
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._order(epoch)
        index_B = torch.tensor(self._batches[batch], device=self.logits_NK.device)
        return self.logits_NK[index_B]


def logits_of_batches(
    teacher: Teacher, batches: Iterable[tuple[Tensor, Tensor]], pipeline: InputPipeline
) -> Iterator[Tensor]:
    """A teacher's logits [B, K] for stored batches without augmentation."""
    return (teacher(pipeline.test(raw)) for raw, _ in batches)


def teacher_for(
    cfg: RunConfig, loss: Loss, dataset: LabelledData, identity: DataIdentity | None, device: torch.device
) -> Teacher | None:
    """The teacher that a run's loss needs, None if it needs none.

    Building it draws no random number from the student's generators. Without an identity of the student's data, the
    samples are not compared with the teacher's.

    Raises:
        ConfigError: there is none, it does not fit the student's data, or it was trained on other samples of them.
    """
    if not loss.needs_teacher:
        return None
    if dataset.reads_words:
        raise ConfigError(
            f"loss: '{cfg.loss.name}' learns from a teacher, and none can read {cfg.dataset.name}", "loss=sdt"
        )
    name = cfg.distill.teacher
    if name is None:
        raise ConfigError(
            f"distill.teacher: the loss '{cfg.loss.name}' learns from a teacher, and none is given",
            "distill.teacher=<run directory of a trained network, or timm model>, or loss.alpha=0",
        )
    if cfg.input == "channels":
        raise ConfigError(
            "input: with frames as channels there is no teacher", "take input=mean or frames, or loss.alpha=0"
        )
    with torch.random.fork_rng():
        if is_run(name):
            teacher = _from_run(name, cfg, dataset, identity, device)
        else:
            teacher = _from_timm(name, cfg, dataset, device)
        _try(teacher, cfg, dataset)
    return teacher


def _from_run(
    name: str, cfg: RunConfig, dataset: LabelledData, identity: DataIdentity | None, device: torch.device
) -> Teacher:
    folder = Path(name)
    own = load_stored(folder, named=cfg.plugins)
    data = build.build_dataset(own)
    compared: dict[str, tuple[object, object]] = {
        "classes": (data.num_classes, dataset.num_classes),
        "channels": (data.in_channels, dataset.in_channels),
        "image size": (data.image_size, dataset.image_size),
        "kind of data": (_kind(data), _kind(dataset)),
    }
    if not dataset.static:
        compared["frames"] = (own.num_steps, cfg.num_steps)
        if cfg.input == "mean" or own.input == "channels":
            compared["input"] = (own.input, cfg.input)
    _refuse_difference(name, compared)
    otherwise = checkpoint.other(cfg.distill.checkpoint, "distill.checkpoint", "distill.teacher")
    content = checkpoint.load_of_run(folder, cfg.distill.checkpoint, otherwise)
    if identity is not None:
        refuse_other_samples(f"distill.teacher: {name}", content.get("data"), own.raw, cfg, identity)
    network = build.build_model(own, data).to(device)
    checkpoint.load_weights(network, checkpoint.weights_of(content), folder)
    sees: Literal["image", "frames", "mean"] = "frames"
    if dataset.static or cfg.input == "mean":
        sees = "image"
    elif own.input == "mean":
        sees = "mean"
    steps = 1 if own.neuron.name == "relu" else own.network_steps
    affine = _normalization(dataset).affine_to(_normalization(data), dataset.in_channels)
    return Teacher(network, sees, steps, affine, device, cfg.trainer.precision)


def _from_timm(name: str, cfg: RunConfig, dataset: LabelledData, device: torch.device) -> Teacher:
    need("timm", f"distill.teacher: '{name}' is no run directory; a model of timm")
    import timm

    if not timm.is_model(name):
        raise ConfigError(
            f"distill.teacher: '{name}' is neither a run directory nor a timm model",
            "timm.list_models() names the models; a run directory ends in seed<k>",
        )
    file = cfg.distill.weights
    if file is None:
        network = _published(name)
    else:
        network = timm.create_model(name, num_classes=dataset.num_classes, in_chans=dataset.in_channels)
        _load_file(network, file)
    published: dict[str, Any] = network.pretrained_cfg  # type: ignore[assignment]  # a plain attribute
    channels, size = (
        published["input_size"][:2] if file is None else (dataset.in_channels, dataset.image_size)
    )
    _refuse_difference(
        name,
        {
            "classes": (network.num_classes, dataset.num_classes),
            "channels": (channels, dataset.in_channels),
            "image size": (size, dataset.image_size),
        },
    )
    own = Normalization(None, None)
    if dataset.in_channels == published["input_size"][0]:
        own = Normalization(published["mean"], published["std"])
    affine = _normalization(dataset).affine_to(own, dataset.in_channels)
    sees: Literal["image", "mean"] = "image" if dataset.static or cfg.input == "mean" else "mean"
    return Teacher(EachStep(network).to(device), sees, 1, affine, device, cfg.trainer.precision)


def _published(name: str) -> nn.Module:
    import timm

    try:
        # With other sizes, timm would initialise the weights that do not fit at random.
        return timm.create_model(name, pretrained=True)
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"distill.teacher: the published weights of {name} cannot be had: {str(error).splitlines()[0]}",
            "they are a download from Hugging Face, once; without a network take distill.weights=<file>",
        ) from error


def _load_file(network: nn.Module, file: Path) -> None:
    weights = read_weights(file)
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise ConfigError(
            f"distill.weights: {file} does not fit the teacher: {reasons[0] if reasons else error}", OF_TIMM
        ) from error


def _try(teacher: Teacher, cfg: RunConfig, dataset: LabelledData) -> None:
    """Runs one blank sample, so that a model for another image size fails here and not in the first epoch."""
    size = (cfg.network_steps, 1, dataset.in_channels, dataset.image_size, dataset.image_size)
    try:
        teacher(torch.zeros(size, device=teacher.device))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ConfigError(
            f"distill.teacher: {cfg.distill.teacher} cannot see {dataset.image_size} x {dataset.image_size} "
            f"inputs of {dataset.in_channels} channels: {error}",
            "choose a teacher that was trained on this data",
        ) from error


def _refuse_difference(name: str, compared: dict[str, tuple[object, object]]) -> None:
    different = [f"{what} {one} but {other}" for what, (one, other) in compared.items() if one != other]
    if different:
        raise ConfigError(
            f"distill.teacher: {name} does not fit the student's data: {'; '.join(different)}",
            "the first is the teacher's; train one on this data, or change the student's dataset",
        )


def _kind(dataset: LabelledData) -> str:
    return "images" if dataset.static else "events"


def _normalization(dataset: LabelledData) -> Normalization:
    return Normalization(dataset.mean, dataset.std)
