"""Reads a file with the weights of a timm model."""

from pathlib import Path
from typing import Any

from torch import Tensor

from snnlab.errors import ConfigError, reason
from snnlab.packages import need
from snnlab.runs.safe_load import are_weights, safe_load

OF_TIMM = "the file holds the state of that timm model, with as many classes and channels as the data"


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors in a .safetensors, .pt or .pth file by name.

    Raises:
        SnnlabError: it is damaged, or holds something else.
    """
    content: Any
    if file.suffix == ".safetensors":
        need("safetensors", f"distill.weights={file}")
        from safetensors.torch import load_file

        try:
            content = load_file(file)
        except Exception as error:
            raise ConfigError(
                f"distill.weights: {file} is damaged, or no safetensors file: {reason(error)}", OF_TIMM
            ) from error
    else:
        content = safe_load(file, "distill.weights", OF_TIMM)
    if not are_weights(content):
        raise ConfigError(f"distill.weights: {file} holds no tensors by name", OF_TIMM)
    weights: dict[str, Tensor] = content
    return weights
