"""Holds on the CPU what tests of the kernels need on a GPU, where hardly anybody runs them."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _no_generator_fills_a_tensor_of_the_device(monkeypatch):
    """A generator of the CPU cannot fill a tensor of a GPU, so tests draw on the CPU and copy."""
    for name in ("normal_", "uniform_", "bernoulli_", "random_", "exponential_", "log_normal_"):
        fill = getattr(torch.Tensor, name)

        def refuse(tensor, *arguments, fill=fill, generator=None, **options):
            assert generator is None, "draw on the CPU and copy: this generator cannot fill a tensor of a GPU"
            return fill(tensor, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, refuse)
