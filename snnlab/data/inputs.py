"""Turns a stored batch into the network's input: decode, augment, normalise, time first.

Shapes: B batch, T time steps, C channels, H height, W width.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

from snnlab.augments.base import Mixes, follows_normalization, runs_in_loader
from snnlab.data.dataset import LabelledData
from snnlab.data.loader import AUGMENTS, MIXES, derived_seed

Batch = tuple[Tensor, Tensor]
"""Samples as they are stored [B, ...], and their classes [B]."""


class InputPipeline:
    """Turns stored batches into `x_TBCHW` on the training device.

    Augmentation draws from a generator that is seeded anew for each batch from (seed, epoch, batch), so what a
    sample looks like does not depend on what ran before: an interrupted run sees the same pictures.

    Args:
        dataset: decodes and normalises the samples.
        augments: augmentations. While training, those of batches are applied in order, before or after
            normalisation; one that mixes samples comes last, in `mixed`.
        num_steps: time steps; a static image is shown at every one of them.
        device: where the work is done.
        seed: the run's seed.
        form: "frames" at their steps, or at a single step: their "mean", or all as "channels", those of the first
            frame first.
        rank: number of the process, each of which augments its part of a batch by numbers of its own.
    """

    def __init__(
        self,
        dataset: LabelledData,
        augments: Iterable[nn.Module],
        num_steps: int,
        device: torch.device,
        seed: int,
        form: Literal["frames", "mean", "channels"] = "frames",
        rank: int = 0,
    ) -> None:
        self.dataset = dataset
        batched = [op for op in augments if not runs_in_loader(op)]
        self.mixers: list[Mixes] = [op for op in batched if isinstance(op, Mixes)]
        changing = [op for op in batched if not isinstance(op, Mixes)]
        self.augments = [op for op in changing if not follows_normalization(op)]
        self.normalized_augments = [op for op in changing if follows_normalization(op)]
        self.num_steps = num_steps if form == "frames" else 1
        self.form = form
        self.device = device
        self.seed = seed
        self._of_process = (rank,) if rank else ()
        self._generator = torch.Generator(device)
        self._channel_mean = _channels(dataset.mean, device)
        self._channel_std = _channels(dataset.std, device)

    def train(self, raw: Tensor, epoch: int, batch: int) -> Tensor:
        """An augmented training batch, [T, B, C, H, W]."""
        x_BTCHW = self._decode(raw)
        self._generator.manual_seed(derived_seed(self.seed, epoch, AUGMENTS, batch, *self._of_process))
        for augment in self.augments:
            x_BTCHW = augment(x_BTCHW, self._generator)
        x_BTCHW = self._normalize(x_BTCHW)
        for augment in self.normalized_augments:
            x_BTCHW = augment(x_BTCHW, self._generator)
        return self._in_time(x_BTCHW)

    def mixed(self, x_TBCHW: Tensor, target_B: Tensor, epoch: int, batch: int) -> tuple[Tensor, Tensor]:
        """What `train` returned, mixed with other samples of the batch, and what is to be learned from it.

        That is `target_B` itself, or probabilities [B, K] where an augmentation mixes.
        """
        if not self.mixers:
            return x_TBCHW, target_B
        (mixer,) = self.mixers
        seed = derived_seed(self.seed, epoch, MIXES, batch, *self._of_process)
        # A still image is the same at all steps, in the same memory.
        seen = x_TBCHW[:1] if self.dataset.static else x_TBCHW
        seen, target_BK = mixer.mix(seen, target_B, self.dataset.num_classes, epoch, seed)
        return seen.expand(len(x_TBCHW), *seen.shape[1:]), target_BK

    def test(self, raw: Tensor) -> Tensor:
        """A batch without augmentation, [T, B, C, H, W]."""
        return self._in_time(self._normalize(self._decode(raw)))

    def _decode(self, raw: Tensor) -> Tensor:
        return self.dataset.decode(raw.to(self.device, non_blocking=True))

    def _normalize(self, x_BTCHW: Tensor) -> Tensor:
        if self._channel_mean is None or self._channel_std is None:
            return x_BTCHW
        return (x_BTCHW - self._channel_mean) / self._channel_std

    def _in_time(self, x_BTCHW: Tensor) -> Tensor:
        if self.form == "mean":
            x_BTCHW = x_BTCHW.mean(1, keepdim=True)
        elif self.form == "channels":
            x_BTCHW = x_BTCHW.flatten(1, 2).unsqueeze(1)
        x_TBCHW = x_BTCHW.transpose(0, 1)
        if self.dataset.static:
            return x_TBCHW.expand(self.num_steps, -1, -1, -1, -1)
        return x_TBCHW


def _channels(values: tuple[float, ...] | None, device: torch.device) -> Tensor | None:
    return None if values is None else torch.tensor(values, device=device).view(1, 1, -1, 1, 1)
