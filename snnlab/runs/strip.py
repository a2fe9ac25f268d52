"""Takes the optimiser's state out of the checkpoint of a finished run, which keeps its identity."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab.atomic import replacing, write_json
from snnlab.runs import checkpoint
from snnlab.runs.weights import STRIPPED, content_hash, identity_of_run


def optimizer_bytes(folder: Path) -> int:
    """The size of the optimiser's state in a run's `last` checkpoint; 0 if there is none, or if it is damaged."""
    file = folder / "checkpoints" / "last.pt"
    try:
        # The tensors themselves are not read.
        content = torch.load(str(file), map_location="cpu", weights_only=True, mmap=True)
        return _bytes(content["learner"]["optimizer"])
    # torch's own errors are of many kinds; `snnlab verify` names the damage.
    except Exception:
        return 0


def strip(folder: Path) -> None:
    """Writes the `last` checkpoint without the optimiser's state, atomically; call it with the run's lock held.

    A run that was initialised with it or learned from it has its hash in its own identity, so the earlier hash is
    kept beside it.

    Raises:
        SnnlabError: the checkpoint is damaged.
        OSError: it could not be written; the earlier checkpoint is still there.
    """
    file = folder / "checkpoints" / "last.pt"
    content = checkpoint.load(file)
    was = identity_of_run(folder, "last", "clean").rpartition(" ")[2]
    content["learner"] = checkpoint.without_optimizer(content["learner"])
    with replacing(file) as temporary:
        with temporary.open("wb") as stream:
            torch.save(content, stream)
        # Before the file takes its place: until then the record does not fit and is not used.
        write_json(file.parent / STRIPPED, {file.name: {"was": was, "is": content_hash(temporary)}})


def _bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, dict):
        return sum(map(_bytes, state.values()))
    return sum(map(_bytes, state)) if isinstance(state, list | tuple) else 0
