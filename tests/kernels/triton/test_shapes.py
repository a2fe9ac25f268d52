"""The Triton kernels against the plain recurrence for every option, size, layout and type of the inputs."""

import pytest
import torch

from snnlab.kernels import backend
from snnlab.neurons import CF, IF, LIF, PLIF

pytest.importorskip("triton")
from tests.kernels.triton.comparison import compare, normal

pytestmark = pytest.mark.usefixtures("device")


@pytest.mark.parametrize("steps", [1, 2, 7, 19])
@pytest.mark.parametrize("size", [1, 63, 1001])
def test_sizes_and_steps(size, steps, device):
    if steps == 19 and size != 63:
        pytest.skip("segments are alike for every size")
    compare(LIF(), (normal(steps, size) + 0.4).to(device))


@pytest.mark.parametrize(
    "neuron",
    [
        lambda: IF(),
        lambda: IF(reset="soft", v_init=0.5, threshold=0.7),
        lambda: IF(v_reset=-0.3, detach_reset=True),
        lambda: LIF(tau=2.0, decay_input=True, detach_reset=True),
        lambda: LIF(reset="soft", detach_reset=True, v_reset=0.2, threshold=0.7),
        lambda: LIF(v_reset=0.2, decay_input=True, v_init=0.4, threshold=0.7),
        lambda: PLIF(),
        lambda: PLIF(v_reset=-0.2),
        lambda: PLIF(v_reset=0.2, decay_input=True, reset="soft"),
        lambda: PLIF(decay_input=True, init_decay=0.8),
        lambda: CF(),
        lambda: CF(subtract="one", theta_N=0.7),
        lambda: CF(subtract="one", K_P=3, K_N=0, detach_reset=True),
        lambda: CF(K_P=1, K_N=1, detach_reset=True, threshold=0.6),
    ],
)
def test_options(neuron, device):
    neuron = neuron().to(device)
    compare(neuron, (1.5 * normal(3, 40)).to(device), (0.3 * normal(40, seed=3)).to(device))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bits(dtype, device):
    compare(PLIF().to(device), (normal(3, 1001) + 0.4).to(device, dtype))


@pytest.mark.parametrize("steps", [2, 18])
@pytest.mark.parametrize(
    "laid_out",
    [
        lambda x: x,
        lambda x: x.flatten(0, 1).to(memory_format=torch.channels_last).view(x.shape),
        lambda x: x[0].expand(x.shape),
        lambda x: x.permute(1, 2, 3, 4, 0).contiguous().permute(4, 0, 1, 2, 3),
        lambda x: x[:, :, 1:, ::2, 1:],
        lambda x: x.transpose(1, 3)[:, :, 1:],
        lambda x: x[:, :1, :, :1, 1:2],
        lambda x: x[:, :, :, :1].expand(x.shape),
    ],
    ids=["contiguous", "channels_last", "static", "time_inside", "slice", "order", "ones", "repeated"],
)
def test_layouts(laid_out, steps, device, request):
    if steps == 18 and "channels_last" not in request.node.name:
        pytest.skip("segments are alike for every layout")
    x_T = laid_out(normal(steps, 2, 3, 4, 5).to(device).add(0.4))
    weight_T = (
        normal(*x_T.shape, seed=5).to(device).permute(0, 4, 3, 1, 2).contiguous().permute(0, 3, 4, 2, 1)
    )
    spikes_T = compare(LIF(), x_T.detach(), weight_T=weight_T)
    if x_T[0].is_contiguous() or x_T[0].is_contiguous(memory_format=torch.channels_last):
        assert spikes_T[0].stride() == x_T[0].stride()


def test_more_axes_than_a_kernel_walks_through(device):
    x_T = normal(2, 3, 3, 3, 3, 3, 3).to(device)[:, ::2, ::2, ::2, ::2, ::2, ::2]
    compare(LIF(), x_T)


def test_gradient_that_repeats_one_number(device):
    compare(LIF(), normal(2, 6, 4).to(device), weight_T=torch.ones((), device=device).expand(2, 6, 4))


def test_no_elements(device):
    neuron = PLIF().to(device)
    x_T = torch.empty(2, 0, 3, device=device, requires_grad=True)
    with backend("triton"):
        spikes_T = neuron(x_T)
    spikes_T.sum().backward()
    assert spikes_T.shape == x_T.grad.shape == x_T.shape
    assert neuron.w.grad == 0
