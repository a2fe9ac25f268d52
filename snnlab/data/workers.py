"""Worker processes that read ahead: they leave stop signals to the run, and hand errors over as they are.

PyTorch rebuilds an exception of a worker from the text of its traceback, which makes one line of 1,700 letters of it
and loses what the error knew, such as the file.
"""

import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from snnlab.errors import RunError
from snnlab.signals import STOP_SIGNALS
from snnlab.system import STARTING, die_with_parent

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Failure:
    """An error of a worker, with its traceback as text."""

    error: Exception
    trace: str


def read_ahead(
    get: Callable[[int], Item], indices: range, num_workers: int, *, pin_memory: bool = False
) -> Iterator[Item]:
    """Yields get(index) for each index, computed by worker processes; with 0 of them, by this process.

    The first worker starts at once.

    Raises:
        Exception: what `get` raised, with its type and attributes.
        RunError: a worker was killed.
    """
    loader = DataLoader(
        _Handed(get, len(indices) and indices[-1] + 1),
        batch_size=None,
        sampler=indices,
        num_workers=num_workers,
        pin_memory=pin_memory,
        worker_init_fn=_leave_signals_to_the_run,
        # Without its own generator it would draw from torch's, which dropout and initial weights use.
        generator=torch.Generator(),
    )
    # A worker starts with signals blocked, so that none arrives before it ignores them.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        with STARTING:
            items = iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return _opened(items)


def _opened(items: Iterator[Any]) -> Iterator[Any]:
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except RuntimeError as error:
            if str(error).startswith("DataLoader worker"):
                raise RunError(
                    f"a process that reads data ended: {' '.join(str(error).split())}",
                    "most often memory or shared memory (/dev/shm) ran out: fewer trainer.num_workers; "
                    "the same command continues a run",
                ) from error
            raise
        if isinstance(item, _Failure):
            raise item.error from RuntimeError(f"in a worker process:\n{item.trace}")
        yield item


class _Handed(Dataset[Any], Generic[Item]):
    """Index k gives get(k), or in a worker the error."""

    def __init__(self, get: Callable[[int], Item], count: int) -> None:
        self.get, self.count = get, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item | _Failure:
        try:
            return self.get(index)
        except Exception as error:
            if get_worker_info() is None or not _survives_pickling(error):
                raise
            return _Failure(error, traceback.format_exc())


def _survives_pickling(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:  # whatever the error's own methods raise
        return False


def _leave_signals_to_the_run(worker: int) -> None:
    """Ignores stop signals: those to the group or to the whole job must not stop a worker before the step is done."""
    die_with_parent()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # which also drops one that is pending
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
