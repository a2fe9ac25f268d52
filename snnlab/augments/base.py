"""The interface of all augmentations: the call, and the sampling of one integer or angle per sample.

Shapes: B samples, T time steps, C channels, H rows, W columns.
"""

from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Augment(nn.Module):
    """One augmentation: `op(x_BTCHW, generator) -> x_BTCHW`.

    Each sample gets its own random transform, the same one for all of its time steps. All random numbers
    come from `generator`, which lives on the device of `x_BTCHW`, and their count depends on the batch size
    alone, so a run that continues from the generator's saved state sees the same transforms. Nothing is copied
    to the host. `generator=None` draws from torch's default generator of that device.
    """

    in_loader: ClassVar[bool] = False
    """True if it changes single stored images where they are loaded, False for batches on the training device."""
    mirrors: ClassVar[bool] = False
    """Whether left and right may change places, which is another class for some data."""
    normalized: bool = False
    """True if it works on normalised samples, where 0 is the mean; otherwise it comes before normalisation."""

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        raise NotImplementedError


@runtime_checkable
class SaysWhereItRuns(Protocol):
    """An augmentation, or its class, that has `in_loader`, with or without `Augment` as its base."""

    in_loader: bool


def runs_in_loader(op: object) -> bool:
    """Returns True for an augmentation or its class with `in_loader = True`."""
    return isinstance(op, SaysWhereItRuns) and op.in_loader


@runtime_checkable
class SaysWhetherItMirrors(Protocol):
    """An augmentation, or its class, that has `mirrors`, with or without `Augment` as its base."""

    mirrors: bool


def mirrors_images(op: object) -> bool:
    """Returns True for an augmentation or its class with `mirrors = True`."""
    return isinstance(op, SaysWhetherItMirrors) and op.mirrors


@runtime_checkable
class SaysWhen(Protocol):
    """An augmentation that has `normalized`, with or without `Augment` as its base."""

    normalized: bool


def follows_normalization(op: object) -> bool:
    """Returns True for an augmentation with `normalized = True`."""
    return isinstance(op, SaysWhen) and op.normalized


@runtime_checkable
class Mixes(Protocol):
    """An augmentation that mixes the samples of a batch, and their classes alike."""

    mixes: bool

    def mix(
        self, x_TBCHW: Tensor, target_B: Tensor, num_classes: int, epoch: int, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Returns the mixed samples and the probabilities of their classes, [B, K].

        Args:
            x_TBCHW: a batch, time first; it is not changed.
            target_B: the samples' classes.
            num_classes: K.
            epoch: counted from 0.
            seed: of all that is drawn, another one for each batch.
        """
        ...


def draw_integers(low: int, high: int, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws an integer in [low, high], both included, for each sample [B]."""
    return torch.randint(low, high + 1, (x_BTCHW.shape[0],), generator=generator, device=x_BTCHW.device)


def draw_uniform(low: float, high: float, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws a float32 number in [low, high) for each sample [B]."""
    unit_B = torch.rand(x_BTCHW.shape[0], generator=generator, device=x_BTCHW.device)
    return low + (high - low) * unit_B
