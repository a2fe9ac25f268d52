"""Where kernels run, and on the CPU what their tests need on a GPU, where hardly anybody runs them."""

import pytest
import torch

from snnlab.triton_language import INTERPRETED

pytest.register_assert_rewrite("tests.kernels.triton.comparison")  # so that what differs is shown


@pytest.fixture(autouse=True)
def _no_generator_fills_a_tensor_of_the_device(monkeypatch):
    """A generator of the CPU cannot fill a tensor of a GPU, so tests draw on the CPU and copy."""
    for name in ("normal_", "uniform_", "bernoulli_", "random_", "exponential_", "log_normal_"):
        fill = getattr(torch.Tensor, name)

        def refuse(tensor, *arguments, fill=fill, generator=None, **options):
            assert generator is None, "draw on the CPU and copy: this generator cannot fill a tensor of a GPU"
            return fill(tensor, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, refuse)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Triton's interpreter or a GPU. Empty tensors are full of NaN, so an element that a kernel leaves out shows."""
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # fills empty tensors with NaN
    yield request.param
    torch.use_deterministic_algorithms(before)
