"""The settings of `snnlab eval` and `snnlab analyse`, which are no part of a run's configuration.

The text below a field is its documentation; types and bounds are enforced as those of `schema`. No torch here.
"""

from dataclasses import dataclass
from typing import Literal

from snnlab.errors import ConfigError
from snnlab.ranges import Fraction, NonNegativeInt, OpenFraction, Positive, PositiveInt

Noise = Literal["uniform", "salt_pepper", "gaussian"]
Change = Literal[
    "all",
    "clean",
    "uniform",
    "salt_pepper",
    "gaussian",
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "speckle_noise",
    "gaussian_blur",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "fog",
    "brightness",
    "contrast",
    "saturate",
    "pixelate",
    "jpeg_compression",
    "snow",
    "spatter",
    "elastic_transform",
    "artificial_frost",
]
"""Of samples: all of these, none, a noise, or a corruption."""


@dataclass(frozen=True, kw_only=True)
class EarlyExitConfig:
    """Early exit in `snnlab eval`; not part of a run's configuration."""

    threshold: tuple[Fraction, ...] = (0.7, 0.8, 0.9, 0.99, 0.999)
    """Confidences above which a sample stops, 0..1; all are measured in one pass."""
    logits: Literal["sum", "mean"] = "sum"
    """What the confidence is the softmax of: the sum of the logits so far (SEENN) or their mean."""
    streaming: bool = False
    """Also compute step by step, without the samples that have stopped, and measure the time."""

    def __post_init__(self) -> None:
        if not self.threshold:
            raise ConfigError(
                "early_exit.threshold: no threshold is given", "for example early_exit.threshold=[0.9]"
            )


@dataclass(frozen=True, kw_only=True)
class AnalyseConfig:
    """Settings shared by the analyses of `snnlab analyse`; not part of a run's configuration."""

    samples: PositiveInt | None = 512
    """Held-out samples to measure, evenly spaced over the split; null = all."""


@dataclass(frozen=True, kw_only=True)
class MembraneConfig:
    """`snnlab analyse what=membrane`."""

    bins: PositiveInt = 120
    """Bins of each histogram."""
    layers: PositiveInt = 6
    """Layers in the picture, the first, the last and evenly spaced ones; the CSV has all."""
    only: str = ""
    """Layers with this in their name, such as `block 2.1`, or in their place, `stages.1.0.`; empty = all."""


@dataclass(frozen=True, kw_only=True)
class MagnitudesConfig:
    """`snnlab analyse what=magnitudes`."""

    layer: str = ""
    """The last neuron layer with this in its name, such as `conv 3`, or place; empty = the last one."""
    neurons: PositiveInt = 128
    """Neurons in the map, evenly spaced."""
    samples: PositiveInt = 128
    """Samples in the map, evenly spaced over the test split."""
    limit: Positive | None = None
    """Magnitude at the end of the colours, for pictures to be compared; null = the greatest."""


@dataclass(frozen=True, kw_only=True)
class GradientSupportConfig:
    """`snnlab analyse what=gradient_support`."""

    least: OpenFraction = 0.01
    """Part of the surrogate's peak from which on a neuron counts as getting a gradient."""


@dataclass(frozen=True, kw_only=True)
class LandscapeConfig:
    """`snnlab analyse what=landscape`."""

    grid: PositiveInt = 21
    """Points along each direction; an odd number holds the trained weights themselves."""
    span: Positive = 1.0
    """From -span to span, in units of the norm of each filter."""
    samples: PositiveInt = 256
    """Samples that the loss is the mean over."""
    split: Literal["train", "test"] = "train"
    """Which samples, without augmentation."""
    seed: NonNegativeInt = 0
    """Seed of the two directions."""


@dataclass(frozen=True, kw_only=True)
class TsneConfig:
    """`snnlab analyse what=tsne`."""

    samples: PositiveInt = 500
    """Held-out samples, evenly spaced over the split."""
    perplexity: Positive = 30.0
    """About how many neighbours a sample has; less than a third of the samples."""
    panels: PositiveInt = 4
    """Numbers of steps in the picture, the first, the last and evenly spaced ones."""
    seed: NonNegativeInt = 0
    """Seed of the embedding."""


@dataclass(frozen=True, kw_only=True)
class EnergyConfig:
    """`snnlab analyse what=energy`."""

    convention: Literal["counted", "cf", "dsatgo", "mtsnn", "spikformer"] = "counted"
    """What is counted how, and the energy of an operation; see snnlab/metrics/energy.py."""


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """The noise that `snnlab eval` adds to held-out samples; not part of a run's configuration."""

    kind: Noise = "gaussian"
    """Distribution of the noise."""
    level: tuple[Fraction, ...] = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
    """Half width, standard deviation (both in units of the input's range) or share of the pixels, 0..1."""
    seed: NonNegativeInt = 0
    """Of the noise; a sample has the same noise for every network, level, batch size and device."""

    def __post_init__(self) -> None:
        if not self.level:
            raise ConfigError("noise.level: no level is given", "for example noise.level=[0,0.1,0.2]")


@dataclass(frozen=True, kw_only=True)
class RobustnessConfig:
    """The changes of held-out samples under which `snnlab eval` measures; not part of a run's configuration."""

    kinds: tuple[Change, ...] = ("all",)
    """The samples as they are, the three noises of `noise`, CIFAR-C's corruptions (images only), or all of these."""
    levels: tuple[Fraction, ...] = (0.05, 0.1, 0.2)
    """Of the three noises; see noise.level."""
    severities: tuple[Literal[1, 2, 3, 4, 5], ...] = (1, 3, 5)
    """Of the corruptions, as published for images of 32 x 32."""
    seed: NonNegativeInt = 0
    """Of noise and corruptions; a sample is changed alike for every network, batch size and device."""
