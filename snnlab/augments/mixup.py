"""Mixes the samples of a batch and their classes: mixup and CutMix, as timm does.

Shapes: T time steps, B samples, C channels, H rows, W columns, K classes.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.augments._timm_draws import drawn_from
from snnlab.packages import need
from snnlab.ranges import Fraction, NonNegative, PositiveInt


class Mixup(nn.Module):
    """Mixes each sample with its mirror in the batch, the first with the last (Zhang et al., arXiv:1710.09412).

    timm's `Mixup` with its mode `batch`: one share for the whole batch, drawn from Beta(alpha, alpha); CutMix
    (Yun et al., arXiv:1905.04899) pastes a rectangle instead. A recording is mixed with the same share, or
    rectangle, at all its time steps. It comes after all other augmentations. The loss is given probabilities of the
    classes, and applies its own `label_smoothing`.

    Args:
        alpha: parameter of mixup's Beta distribution; 0: no mixup. Spikformer has 0.5, and 0.8 on ImageNet.
        cutmix: parameter of CutMix's Beta distribution; 0: no CutMix. Spikformer has 1 on ImageNet.
        p: probability that a batch is mixed. Spikformer has 0.5 on CIFAR10-DVS.
        switch_p: with both, the probability of CutMix for a batch.
        until_epoch: the first epoch without it, counted from 0; null: it is never switched off. Spikformer has
            200 on CIFAR-10 and 75 on CIFAR10-DVS.

    Raises:
        ValueError: alpha and cutmix are both 0.
    """

    mixes: ClassVar[bool] = True
    in_loader: ClassVar[bool] = False

    def __init__(
        self,
        *,
        alpha: NonNegative = 0.5,
        cutmix: NonNegative = 0.0,
        p: Fraction = 1.0,
        switch_p: Fraction = 0.5,
        until_epoch: PositiveInt | None = None,
    ) -> None:
        super().__init__()
        if alpha == 0 and cutmix == 0:
            raise ValueError("mixup: alpha and cutmix are both 0")
        need("timm", "augment.mixup")
        from timm.data.mixup import Mixup as TimmMixup

        self.until_epoch = until_epoch
        self._timm = TimmMixup(alpha, cutmix, prob=p, switch_prob=switch_p, label_smoothing=0.0)  # type: ignore[no-untyped-call]  # untyped in timm

    def mix(
        self, x_TBCHW: Tensor, target_B: Tensor, num_classes: int, epoch: int, seed: int
    ) -> tuple[Tensor, Tensor]:
        if self.until_epoch is not None and epoch >= self.until_epoch:
            return x_TBCHW, _one_hot(target_B, num_classes)
        batch, middle = len(target_B), len(target_B) // 2
        x_BTCHW = x_TBCHW.transpose(0, 1).clone(memory_format=torch.contiguous_format)
        if batch % 2 == 0:
            x_BTCHW, target_BK = self._mix_even(x_BTCHW, target_B, num_classes, seed)
        else:
            # timm wants an even number; the one in the middle would be mixed with itself.
            others = [i for i in range(batch) if i != middle]
            target_BK = _one_hot(target_B, num_classes)
            if others:
                x_BTCHW[others], target_BK[others] = self._mix_even(
                    x_BTCHW[others], target_B[others], num_classes, seed
                )
        return x_BTCHW.transpose(0, 1), target_BK

    def _mix_even(
        self, x_BTCHW: Tensor, target_B: Tensor, num_classes: int, seed: int
    ) -> tuple[Tensor, Tensor]:
        self._timm.num_classes = num_classes
        with drawn_from(seed):
            x_BKHW, target_BK = self._timm(x_BTCHW.flatten(1, 2), target_B)
        return x_BKHW.view(x_BTCHW.shape), target_BK


def _one_hot(target_B: Tensor, num_classes: int) -> Tensor:
    return F.one_hot(target_B.long(), num_classes).float()
