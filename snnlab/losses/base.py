"""The interface of all losses: named terms whose sum is the loss, checked shapes, arithmetic in float32 at least.

Shape letters: T time steps, B samples, K classes.
"""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Loss(nn.Module, ABC):
    """Base class of classification losses on the logits of every time step; a subclass implements `terms`."""

    needs_teacher = False
    """Whether training needs a teacher's logits; see `TeacherLoss` in `base_teacher.py`."""
    heads_apart: bool = False
    """Whether `terms` also takes logits of two heads, [T, B, 2, K], from networks that have them (TeacherLoss)."""
    soft_targets: bool = False
    """Whether `terms` also takes probabilities of the classes, [B, K], as mixed samples have them."""

    @abstractmethod
    def terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns the scalar terms by name, weighted, so that their sum is the loss."""

    def forward(self, logits_TBK: Tensor, target: Tensor) -> Tensor:
        """Returns the loss, a scalar: the sum of `terms`."""
        return torch.stack(list(self.terms(logits_TBK, target).values())).sum()

    def held_out(self, logits_TBK: Tensor, target: Tensor) -> Tensor:
        """Returns the loss on held-out data, without the terms that need a teacher."""
        return self(logits_TBK, target)  # type: ignore[no-any-return]  # forward gives a tensor

    def part(self, logits_TBK: Tensor, target: Tensor) -> Tensor:
        """Returns what `of_parts` needs of one batch of a pass: here `held_out`, a scalar.

        A loss that is no mean over samples, such as one with statistics of the batch, overrides both.
        """
        return self.held_out(logits_TBK, target)

    def of_parts(self, parts: Tensor, counts_P: Tensor) -> Tensor:
        """Returns `held_out` of all batches of a pass together, whatever their sizes.

        Args:
            parts: What `part` returned for each batch, stacked: `[P]`, or `[P, ...]` where it is overridden.
            counts_P: Number of samples of each batch.
        """
        return (parts * counts_P).sum() / counts_P.sum()


def checked_logits(logits_TBK: Tensor, target: Tensor, *, soft_targets: bool) -> Tensor:
    """Returns the logits in float32 (float64 stays) after checking the shapes of both arguments.

    No value is read, so this does not synchronise with a GPU.

    Raises:
        ValueError: logits are not `[T, B, K]`, or the target is neither `[B]` class indices nor, where
            `soft_targets` allows it, `[B, K]` probabilities.
    """
    if logits_TBK.ndim != 3 or 0 in logits_TBK.shape or not logits_TBK.is_floating_point():
        raise ValueError(
            f"logits must be floating point of shape [T, B, K] with no size 0, "
            f"not {logits_TBK.dtype} {list(logits_TBK.shape)}"
        )
    _, batch, classes = logits_TBK.shape
    is_soft = target.is_floating_point()
    if is_soft and not soft_targets:
        raise ValueError(
            "this loss needs class indices [B]: soft targets [B, K] (mixup, cutmix) have no one target class"
        )
    expected = [batch, classes] if is_soft else [batch]
    if list(target.shape) != expected:
        raise ValueError(
            f"target {list(target.shape)} does not fit logits {list(logits_TBK.shape)}: expected {expected}"
        )
    return logits_TBK if logits_TBK.dtype == torch.float64 else logits_TBK.float()


def mean_cross_entropy(logits_TBK: Tensor, target: Tensor, label_smoothing: float) -> Tensor:
    """Returns the cross entropy of every step's logits, averaged over the samples and the steps."""
    num_steps = logits_TBK.shape[0]
    target = target.to(logits_TBK.dtype) if target.ndim == 2 else target.long()
    target = target.repeat(num_steps, *[1] * (target.ndim - 1))
    return F.cross_entropy(logits_TBK.flatten(0, 1), target, label_smoothing=label_smoothing)
