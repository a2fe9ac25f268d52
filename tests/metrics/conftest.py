"""A stand-in for a GPU that refuses to be waited for."""

from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

WAITING_OPS = {
    "_local_scalar_dense",
    "item",
    "nonzero",
    "masked_select",
    "is_nonzero",
    "_unique2",
    "bincount",
}


class RefuseWaiting(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        assert name not in WAITING_OPS, f"{name} waits for the device"
        return function(*args, **(kwargs or {}))


@contextmanager
def refuse_waiting():
    refused = AssertionError("a copy to the host waits for the device")
    with (
        RefuseWaiting(),
        mock.patch.object(torch.Tensor, "tolist", side_effect=refused),
        mock.patch.object(torch.Tensor, "cpu", side_effect=refused),
        mock.patch.object(torch.Tensor, "numpy", side_effect=refused),
    ):
        yield


@pytest.fixture
def no_waiting():
    """A context in which reading a value, or a size that depends on values, fails."""
    return refuse_waiting
