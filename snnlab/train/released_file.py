"""Reads a released checkpoint: a state by name, or a file that keeps one beside the settings of its training."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab.errors import ConfigError, reason
from snnlab.packages import need
from snnlab.runs.safe_load import are_weights, safe_load

KEYS = ("model", "state_dict", "net", "model_state_dict", "model_ema", "state_dict_ema")
"""Where training scripts keep the weights in a checkpoint; a moving average is taken where there is nothing else."""

EXPECTED = (
    f"init.file holds tensors by name, or a checkpoint with them under {', '.join(KEYS[:-1])} or {KEYS[-1]}"
)


def exported_by_us(file: Path) -> dict[str, Any] | None:
    """What `snnlab export format=safetensors` wrote beside the weights: the run's configuration and its data.

    Returns:
        None for files of others.
    """
    if file.suffix != ".safetensors":
        return None
    need("safetensors", f"init.file={file}")
    from safetensors import safe_open

    try:
        with safe_open(file, "pt") as content:
            about = json.loads((content.metadata() or {}).get("snnlab", "null"))
    except Exception:
        return None  # read_released says what is wrong with it
    return about if _is_description(about) else None


def _is_description(about: Any) -> bool:
    config = about.get("config") if isinstance(about, dict) else None
    if not isinstance(config, dict) or not isinstance(about.get("data"), dict | None):
        return False
    dataset, trainer = config.get("dataset"), config.get("trainer")
    return isinstance(dataset, dict) and isinstance(trainer, dict) and "synthetic" in trainer


def read_released(file: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by their released names.

    Raises:
        SnnlabError: it is damaged, holds something else, or more than tensors, plain values and argparse's settings.
    """
    content: Any
    if file.suffix == ".safetensors":
        need("safetensors", f"init.file={file}")
        from safetensors.torch import load_file

        try:
            content = load_file(file)
        except Exception as error:
            raise ConfigError(
                f"init.file: {file} is damaged, or no safetensors file: {reason(error)}", EXPECTED
            ) from error
    else:
        with torch.serialization.safe_globals(
            [Namespace]
        ):  # timm's and MAE's scripts store their settings, too
            content = safe_load(file, "init.file", EXPECTED)
    if isinstance(content, dict):
        content = next((content[key] for key in KEYS if are_weights(content.get(key))), content)
    if not content or not are_weights(content):
        raise ConfigError(f"init.file: {file} holds no tensors by name", EXPECTED)
    weights: dict[str, Tensor] = content
    return weights
