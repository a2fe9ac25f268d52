"""The names of noises and corruptions, for readers of measurements. No torch."""

from typing import get_args

from snnlab.config.measurements import Change, Noise

NOISES: tuple[Noise, ...] = get_args(Noise)
CORRUPTIONS: tuple[str, ...] = tuple(one for one in get_args(Change) if one not in ("all", "clean", *NOISES))
