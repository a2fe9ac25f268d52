"""The names of noises and corruptions, for readers of measurements. No torch."""

from typing import Literal

NOISES: tuple[Literal["uniform", "salt_pepper", "gaussian"], ...] = ("uniform", "salt_pepper", "gaussian")
CORRUPTIONS = (
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
)
