"""Checkpoints: all state that a bit-exact continuation needs, replaced atomically.

They hold tensors and plain values only, so `torch.load(..., weights_only=True)` reads them.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from snnlab.atomic import replacing
from snnlab.errors import SnnlabError, reason
from snnlab.runs.results import read_result
from snnlab.runs.safe_load import are_weights, safe_load

FORMAT = 1
ANEW = "trainer.on_existing=restart trains this run anew"
OTHERS = "take the run's other checkpoint (last or best), or another run"


def other(which: str, key: str, run: str) -> str:
    """The hint for a command that reads a run's checkpoint.

    Args:
        which: the one that cannot be used, `last` or `best`.
        key: the setting that chooses it, such as `init.checkpoint`.
        run: the setting that names the run.
    """
    return f"{key}={'best' if which == 'last' else 'last'} takes the run's other checkpoint, {run}=DIR another run"


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


def without_optimizer(learner: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a learner without the optimiser's part, which only further training steps need."""
    return {**learner, "optimizer": None}


def load(path: Path, otherwise: str = ANEW) -> dict[str, Any]:
    """Reads a checkpoint into CPU memory; `load_state_dict` moves the tensors to the device.

    (Adam's step counts stay on the CPU; on a GPU, each would cost a synchronisation at every step.)

    Args:
        path: the file.
        otherwise: the hint where it cannot be used, which depends on the command: see `other`.

    Raises:
        SnnlabError: the file is missing, cannot be read, or has another format.
    """
    if not path.exists():
        hint = "the run saves its first one at the end of the first epoch"
        raise SnnlabError(f"no checkpoint {path}", otherwise if any(path.parent.glob("*.pt")) else hint)
    content = safe_load(path, "a checkpoint", otherwise)
    if not isinstance(content, dict):
        raise SnnlabError(f"{path} is no checkpoint: it holds a {type(content).__name__}", otherwise)
    if not isinstance(content.get("data", {}), dict):
        raise SnnlabError(f"{path} is no checkpoint: its data are no mapping", otherwise)
    if "format" not in content:
        raise SnnlabError(f"{path} is no checkpoint of a run, though torch can read it", otherwise)
    if content["format"] != FORMAT:
        raise SnnlabError(
            f"{path} has checkpoint format {content['format']}, this version reads {FORMAT}", otherwise
        )
    return content


def refuse_other_run(
    content: Mapping[str, Any], path: Path, config_hash: str, seed: int, otherwise: str = ANEW
) -> None:
    """Refuses a checkpoint that was copied from another run.

    Args:
        content: the loaded checkpoint; in those of version 0.1.0 the seed is missing and is not compared.
        path: its file.
        config_hash, seed: those of the run.
        otherwise: the hint.

    Raises:
        SnnlabError: it has another hash of its settings and data, or another seed.
    """
    there, of_seed = content.get("config_hash"), content.get("seed", seed)
    if there != config_hash:
        raise SnnlabError(f"{path} is of another run: {there}, not {config_hash}", otherwise)
    if of_seed != seed:
        raise SnnlabError(f"{path} is of another run: seed {of_seed}, not {seed}", otherwise)


def load_of_run(folder: Path, which: str, otherwise: str) -> dict[str, Any]:
    """Reads a checkpoint of a stored run.

    Args:
        folder: the run directory, under any name.
        which: `last` or `best`.
        otherwise: the hint where it cannot be used: see `other`.

    Raises:
        SnnlabError: as `load`, and if the run's result is not of the same run.
    """
    path = folder / "checkpoints" / f"{which}.pt"
    content = load(path, otherwise)
    if not {"learner", "model"} & content.keys():
        raise SnnlabError(f"{path} is damaged: it holds no weights of a network", otherwise)
    result = read_result(folder)
    if result is not None and "config_hash" in result and "seed" in result:
        refuse_other_run(content, path, result["config_hash"], result["seed"], otherwise)
    return content


@contextmanager
def restoring(path: Path, otherwise: str = ANEW) -> Iterator[None]:
    """Makes one error of whatever a checkpoint's content does to those who restore it.

    Raises:
        SnnlabError: keys are missing, or values have other types or shapes.
    """
    try:
        yield
    except SnnlabError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        said = f"it has no {error.args[0]!r}" if isinstance(error, KeyError) and error.args else reason(error)
        raise SnnlabError(f"{path} does not fit this run: {said}", otherwise) from error


def weights_of(content: dict[str, Any], which: str = "model") -> dict[str, Any]:
    """The network's weights in a `last` or a `best` checkpoint.

    Args:
        content: the loaded checkpoint.
        which: `model`, or `average` for the moving average of the weights.

    Raises:
        SnnlabError: the checkpoint has no average.
    """
    holder = content.get("learner", content)
    if not isinstance(holder, dict) or which not in holder:
        raise SnnlabError("the checkpoint holds no weights of a network", OTHERS)
    weights: dict[str, Any] | None = holder[which]
    if weights is None:
        raise SnnlabError(
            "weights=average: this run kept no average of its weights",
            "trainer.ema=0.999 in training keeps one; weights=model takes the weights as they were trained",
        )
    if not are_weights(weights):
        raise SnnlabError("the checkpoint's weights are no tensors by name", OTHERS)
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
