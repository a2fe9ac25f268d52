"""Tells whether a run has several processes, each with a part of the batch."""

from torch import distributed


def many_processes() -> bool:
    """Returns whether several processes train one network together."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
