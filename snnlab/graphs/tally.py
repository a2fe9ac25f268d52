"""Counts what ran as a CUDA graph and what did not."""

from collections import Counter
from typing import Any


class Tally:
    """Counts of one kind of work.

    Attributes:
        replays: how often it was a graph's.
        eager: how often it was not, by the reason.
    """

    def __init__(self) -> None:
        self.replays = 0
        self.eager: Counter[str] = Counter()

    def as_mapping(self) -> dict[str, Any]:
        """What `result.json` says of it."""
        return {"replays": self.replays, "eager": self.eager.total(), "why": dict(self.eager)}

    def __str__(self) -> str:
        why = "; ".join(f"{count} times: {reason}" for reason, count in self.eager.most_common())
        return f"{self.replays} replays, {self.eager.total()} eager" + (f" ({why})" if why else "")
