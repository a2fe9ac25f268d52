"""Checkpoints: all state that a bit-exact continuation needs, replaced atomically.

They hold tensors and plain values only, so `torch.load(..., weights_only=True)` reads them.
"""

import random
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from snnlab.atomic import replacing
from snnlab.errors import SnnlabError

FORMAT = 1
OTHERWISE = "take the other checkpoint (last or best), or train anew with trainer.on_existing=restart"


def save(path: Path, content: dict[str, Any]) -> None:
    """Writes a checkpoint to a temporary file, syncs it, and renames it.

    Raises:
        OSError: it could not be written; the earlier checkpoint is still there.
    """
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            torch.save({"format": FORMAT, **content}, file)
    except RuntimeError as error:
        # torch raises an error of its own writer; its cause is the error of the disk.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def load(path: Path) -> dict[str, Any]:
    """Reads a checkpoint into CPU memory; `load_state_dict` moves the tensors to the device.

    (Adam's step counts stay on the CPU; on a GPU, each would cost a synchronisation at every step.)

    Raises:
        SnnlabError: the file is missing, cannot be read, or has another format.
    """
    if not path.exists():
        raise SnnlabError(
            f"no checkpoint {path}", "the run saves its first one at the end of the first epoch"
        )
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        # torch's own words advise to load such a file without its protection.
        raise SnnlabError(
            f"{path} is refused as a checkpoint: it is damaged, or holds more than tensors and plain values, "
            "which could run code when it is loaded",
            OTHERWISE,
        ) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise SnnlabError(f"cannot read the checkpoint {path}: {reason}", OTHERWISE) from error
    if not isinstance(content, dict):
        raise SnnlabError(f"{path} is no checkpoint: it holds a {type(content).__name__}", OTHERWISE)
    if content.get("format") != FORMAT:
        raise SnnlabError(
            f"{path} has checkpoint format {content.get('format')}, this version reads {FORMAT}", OTHERWISE
        )
    return content


def weights_of(content: dict[str, Any], which: str = "model") -> dict[str, Any]:
    """The network's weights in a `last` or a `best` checkpoint.

    Args:
        content: the loaded checkpoint.
        which: `model`, or `average` for the moving average of the weights.

    Raises:
        SnnlabError: the checkpoint has no average.
    """
    holder = content.get("learner", content)
    if "model" not in holder:
        raise SnnlabError("the checkpoint holds no weights of a network", OTHERWISE)
    weights: dict[str, Any] | None = holder[which]
    if weights is None:
        raise SnnlabError(
            "weights=average: this run kept no average of its weights",
            "trainer.ema=0.999 in training keeps one; weights=model takes the weights as they were trained",
        )
    # `last` holds torch's AveragedModel: the network in it, and a count.
    if "n_averaged" not in weights:
        return weights
    return {name.removeprefix("module."): value for name, value in weights.items() if name != "n_averaged"}


def load_weights(model: nn.Module, weights: dict[str, Any], folder: Path) -> None:
    """Loads weights into a network.

    Raises:
        SnnlabError: they do not fit.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise SnnlabError(
            f"the weights of {folder} do not fit this configuration: {reasons[0] if reasons else error}",
            "leave dataset, model, norm and neuron as they were trained",
        ) from error


def random_state() -> dict[str, Any]:
    """The state of every random generator that a training step may draw from."""
    version, words, gauss = random.getstate()
    return {
        "python": [version, list(words), gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restores the generators to a state returned by `random_state`."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([words.cpu() for words in state["cuda"]])
