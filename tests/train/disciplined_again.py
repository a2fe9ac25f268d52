"""A capture without a GPU whose replays raise where they do what a graph cannot hold."""

from torch import nn

from snnlab.graphs.capture import Work
from tests.train.again import Again
from tests.train.discipline import disciplined


class DisciplinedAgain(Again):
    """As `Again`, under discipline.

    Args:
        networks: whose gradients have to stay where they are.
    """

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self._networks = networks

    def record(self, work: Work) -> Work:
        replay = super().record(work)

        def held() -> None:
            with disciplined(*self._networks):
                replay()

        return held
