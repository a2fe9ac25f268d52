"""A number comes to the host without a wait, one at a time; told by stand-ins for `torch.cuda`."""

from typing import Any

import pytest
import torch

from snnlab.train.late_number import LateNumber

GPU = torch.device("cuda", 0)


class Event:
    """An event that is reached when it is told so."""

    def __init__(self) -> None:
        self.reached, self.waited = False, 0

    def record(self, stream: object) -> None:
        self.reached = False

    def query(self) -> bool:
        return self.reached

    def synchronize(self) -> None:
        self.waited += 1


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch) -> Event:
    one, zeros = Event(), torch.zeros

    def unpinned(*size: Any, pin_memory: bool, **settings: Any) -> torch.Tensor:
        assert pin_memory, "a copy to other memory makes the host wait"
        return zeros(*size, **settings)

    monkeypatch.setattr(torch, "zeros", unpinned)
    monkeypatch.setattr(torch.cuda, "Event", lambda: one)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    return one


def test_it_is_there_when_the_device_has_come_to_it(event: Event) -> None:
    number = LateNumber(GPU)
    assert number.arrived() is None
    number.send(torch.tensor(3))
    assert number.arrived() is None
    number.send(torch.tensor(4))  # the first is under way
    event.reached = True
    assert number.arrived() == 3
    assert number.arrived() is None
    number.send(torch.tensor(5))
    assert number.arrived() is None, "the event is of this copy"
    assert event.waited == 0


def test_processes_that_train_together_wait(event: Event) -> None:
    number = LateNumber(GPU, waits=True)
    assert number.arrived() is None
    number.send(torch.tensor(3))
    assert number.arrived() == 3
    assert event.waited == 1
