"""Counts the calls of the neurons' back ends in work that a CUDA graph replays without asking for one."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from snnlab.kernels import counts


class NeuronCalls:
    """The calls of one piece of work, seen once and counted at each replay."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    def observe(self, work: Callable[[], object]) -> None:
        """Does the work and remembers its calls."""
        before = Counter(counts())
        work()
        self._calls = Counter(counts()) - before

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts the calls that were observed for what runs in the `with` block, whatever it counts itself."""
        before = Counter(counts())
        yield
        counts().clear()
        counts().update(before)
        counts().update(self._calls)
