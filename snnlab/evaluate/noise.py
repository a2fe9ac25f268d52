"""Noise on held-out samples, the same for a sample whatever the level, the network, the batch and the device.

Shapes: B batch, T time steps, C channels, H height, W width.
"""

from typing import Literal

import torch
from torch import Tensor

from snnlab.data.inputs import InputPipeline
from snnlab.data.loader import NOISE, derived_seed

Kind = Literal["uniform", "salt_pepper", "gaussian"]


def noisy(
    x_TCHW: Tensor, kind: Kind, level: float, generator: torch.Generator, top: Tensor | float = 1.0
) -> Tensor:
    """One sample with noise, clipped to [0, top].

    uniform      x + level top U(-1, 1)
    gaussian     x + level top N(0, 1)
    salt_pepper  a share `level` of the pixels, all channels together, is set to 0 or to top, half each

    The circulate-firing paper (Fig. 9) names the three and an intensity without defining them; here noise is added to
    the image before normalisation, like the noise of a camera.

    Args:
        x_TCHW: from 0 to top; T = 1 for an image, which is then shown with the same noise at every time step.
        kind: see above.
        level: intensity; 0 returns the sample unchanged.
        generator: a CPU generator. At equal state, a higher level scales the same noise.
        top: end of the range: 1 for images, the largest value of a recording's frames.
    """
    if kind == "salt_pepper":
        draw = torch.rand(x_TCHW[:, :1].shape, generator=generator).to(x_TCHW)
        x_TCHW = torch.where(draw < level / 2, 0.0, x_TCHW)
        return torch.where(draw >= 1 - level / 2, top, x_TCHW)
    if kind == "uniform":
        draw = 2 * torch.rand(x_TCHW.shape, generator=generator) - 1
    else:
        draw = torch.randn(x_TCHW.shape, generator=generator)
    return (x_TCHW + level * top * draw.to(x_TCHW)).clamp(min=0).clamp(max=top)


class NoisyInput(InputPipeline):
    """An input pipeline whose held-out batches are noisy; they have to come in order, from the first.

    Args:
        clean: the pipeline without noise.
        kind, level: see `noisy`.
        seed: of the noise; each sample has a generator of its own, seeded by this and its number.
    """

    def __init__(self, clean: InputPipeline, kind: Kind, level: float, seed: int) -> None:
        super().__init__(clean.dataset, [], clean.num_steps, clean.device, clean.seed, clean.form)
        self.kind = kind
        self.level = level
        self.noise_seed = seed
        self._next = 0

    def _decode(self, raw: Tensor) -> Tensor:
        x_BTCHW = super()._decode(raw)
        generator = torch.Generator()
        samples = []
        for number, x_TCHW in enumerate(x_BTCHW, self._next):
            top = 1.0 if self.dataset.static else x_TCHW.amax()
            generator.manual_seed(derived_seed(self.noise_seed, 0, NOISE, number))
            samples.append(noisy(x_TCHW, self.kind, self.level, generator, top))
        self._next += len(samples)
        return torch.stack(samples)
