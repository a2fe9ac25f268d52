"""A number on a GPU that the host reads when it has arrived, without waiting for it."""

import torch
from torch import Tensor


class LateNumber:
    """Copies an integer to the host while the host goes on; one copy is under way at a time.

    Args:
        device: the GPU.
        waits: whether `arrived` waits for the copy. Processes that train together do, so that all of them see it at
            the same step.
    """

    def __init__(self, device: torch.device, *, waits: bool = False) -> None:
        self._device, self._waits = device, waits
        self._host = torch.zeros((), dtype=torch.long, pin_memory=True)
        self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # untyped in torch
        self._sent = False

    def send(self, number: Tensor) -> None:
        """Begins to copy a number [], unless an earlier one is still under way."""
        if not self._sent:
            self._host.copy_(number, non_blocking=True)
            self._event.record(torch.cuda.current_stream(self._device))
            self._sent = True

    def arrived(self) -> int | None:
        """The number that was sent, once; None as long as it is under way."""
        if not self._sent:
            return None
        if self._waits:
            self._event.synchronize()
        elif not self._event.query():  # type: ignore[no-untyped-call]  # untyped in torch
            return None
        self._sent = False
        return int(self._host)
