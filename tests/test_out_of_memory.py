"""What is said of memory that does not suffice."""

import numpy as np
import pytest
import torch

from snnlab.out_of_memory import as_memory_error

GPU = "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.11 GiB"


def failing(allocate):
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        allocate()
    return caught.value


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            lambda: failing(lambda: torch.empty(2**50)),
            "not enough memory: 4,503,599,627,370,496 bytes were asked",
        ),
        (lambda: failing(lambda: torch.empty(2**40, 2**40)), "not enough memory"),
        (lambda: failing(lambda: np.ones(2**50)), "not enough memory: 8.00 PiB were asked for at once"),
        (lambda: torch.OutOfMemoryError(GPU), "not enough memory: 2.50 GiB were asked for at once"),
        (MemoryError, "not enough memory"),
    ],
)
def test_an_allocation_that_fails_is_one_error_with_the_size(error, said):
    found = as_memory_error(error())
    assert found.message.startswith(said)
    assert found.exit_code == 2
    assert found.hint.startswith("smaller num_steps, ")


def test_other_errors_stay_and_the_traceback_can_be_kept(monkeypatch):
    assert as_memory_error(RuntimeError("expected 4 channels")) is None
    monkeypatch.setenv("SNNLAB_TRACEBACK", "1")
    assert as_memory_error(MemoryError()) is None
