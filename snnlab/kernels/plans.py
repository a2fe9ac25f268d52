"""What the back ends have worked out about the calls of a neuron, kept with the neuron."""

from collections.abc import Hashable
from typing import Any


class Plans(dict[Hashable, Any]):
    """Plans by what they depend on; a copy or a pickle of the neuron starts without any.

    A plan holds for calls whose key is equal, so the key has to contain everything that the plan was made from.
    """

    MOST = 64
    """With so many of them, all are dropped: shapes that never come again would fill the memory."""

    def keep(self, key: Hashable, plan: Any) -> None:
        if len(self) >= self.MOST:
            self.clear()
        self[key] = plan

    def __reduce__(self) -> tuple[type["Plans"], tuple[()]]:
        return Plans, ()
