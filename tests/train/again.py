"""A capture without a GPU: a replay does the work again, on the tensors that it was recorded with, as a graph does."""

from snnlab.graphs.capture import WARM_UPS, Work


class Again:
    """Stands in for `CudaCapture`.

    Args:
        fails: error message of each recording, or None.
    """

    def __init__(self, fails: str | None = None) -> None:
        self.fails = fails
        self.recorded = self.replayed = self.warmed_up = 0

    def warm_up(self, work: Work) -> None:
        self.warmed_up += 1
        for _ in range(WARM_UPS):
            work()

    def record(self, work: Work) -> Work:
        if self.fails is not None:
            raise RuntimeError(self.fails)
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            work()

        return replay
