"""An allocation that failed, as one line: how much was asked for, and what makes it less."""

import os
import re

from snnlab.errors import SnnlabError
from snnlab.own_code import SHOWN

_SAID = (
    r"can't allocate memory: you tried to allocate (?P<asked>\d+ bytes)",
    r"out of memory\. Tried to allocate (?P<asked>[\d.]+ \w+)",
    r"Unable to allocate (?P<asked>[\d.]+ \w+)",
    r"Storage size calculation overflowed|integer multiplication overflow",
)
"""What PyTorch says of a CPU and a GPU, NumPy, and PyTorch of sizes beyond 64 bits."""


def as_memory_error(error: BaseException) -> SnnlabError | None:
    """The error to print where memory did not suffice; None for any other, and if SNNLAB_TRACEBACK is set."""
    if os.environ.get(SHOWN):
        return None
    found = next((match for said in _SAID if (match := re.search(said, str(error)))), None)
    if found is None and not isinstance(error, MemoryError):
        return None
    asked = found.groupdict().get("asked") if found else None
    size = f": {_readable(asked)} were asked for at once" if asked else ""
    return SnnlabError(
        f"not enough memory{size}",
        "smaller num_steps, trainer.batch_size, trainer.eval_batch_size, dataset.image_size or model take less; "
        f"{SHOWN}=1 in the environment prints where",
    )


def _readable(asked: str) -> str:
    number, unit = asked.split()
    return f"{int(number):,} {unit}" if number.isdigit() else asked
