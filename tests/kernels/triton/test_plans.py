"""Calls of one neuron in any order, with settings changed in between, equal those of a neuron that has run nothing."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from snnlab.kernels import BackendError, backend
from snnlab.kernels.functional import lif
from snnlab.layers.fused import norm_and_neuron
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.norms import BN
from snnlab.surrogates import TSG, ATan, MultilevelRectangle, Triangle

pytest.importorskip("triton")
from snnlab.triton_language import INTERPRETED, jit, tl


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)], autouse=True)
def device(request):
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    with backend("triton"):
        yield request.param


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 0.4


def results(neuron, x_T, state=None, weight_T=None, keep_state=False):
    """Spikes and all gradients, and the state if it is asked for."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in (x_T, state) if tensor is not None]
    leaves[0] = x_T.detach().requires_grad_()  # laid out as it is
    weight_T = normal(*x_T.shape, seed=1).to(x_T) if weight_T is None else weight_T
    if keep_state:
        spikes_T, after = neuron.forward_with_state(*leaves)
        outputs, weights = [spikes_T, after], [weight_T, torch.ones_like(after)]
    else:
        spikes_T = neuron(*leaves)
        outputs, weights = [spikes_T], [weight_T]
    leaves += neuron.parameters()
    return [*outputs, *torch.autograd.grad(outputs, leaves, weights, allow_unused=True)]


def same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        assert (a is None) == (b is None)
        assert a is None or (a.stride() == b.stride() and torch.equal(a, b))


def calls(device):
    x_T = normal(3, 2, 4, 6).to(device)
    yield {"x_T": x_T}
    yield {"x_T": normal(2, 2, 4, 6).to(device)}
    yield {"x_T": normal(3, 2, 4, 7).to(device)}
    yield {"x_T": normal(3, 6, 4, 2).to(device).transpose(1, 3)}
    yield {"x_T": normal(3, 2, 4, 12).to(device)[..., ::2]}
    yield {"x_T": x_T.bfloat16()}
    yield {"x_T": x_T, "keep_state": True}
    yield {"x_T": x_T, "state": normal(2, 4, 6).to(device), "keep_state": True}
    yield {"x_T": x_T, "state": normal(2, 6, 4).to(device).transpose(1, 2)}
    yield {"x_T": x_T, "weight_T": normal(3, 6, 4, 2).to(device).transpose(1, 3)}
    yield {"x_T": x_T, "weight_T": torch.ones((), device=device).expand(3, 2, 4, 6)}
    yield {"x_T": x_T}


@pytest.mark.parametrize("make", [LIF, PLIF], ids=["lif", "plif"])
def test_layouts_types_and_states(make, device):
    neuron = make().to(device)
    for call in calls(device):
        same(results(neuron, **call), results(deepcopy(neuron), **call))
    with torch.no_grad():
        assert torch.equal(neuron(call["x_T"]), deepcopy(neuron)(call["x_T"]))
    assert len(neuron._plans) == 9  # what differs in gradients only shares one


class Buffered(Triangle):
    """A surrogate whose constant is in a buffer, which is changed in place."""

    def __init__(self):
        super().__init__()
        self.register_buffer("width", torch.tensor(0.5))

    def kernel_numbers(self):
        return 1 / float(self.width) ** 2, 1 / float(self.width)


class Doubled(Triangle):
    """Another gradient with the same numbers."""

    @jit
    def kernel_gradient(u, a, numbers):  # noqa: N805
        return 2 * tl.maximum(numbers[1] - tl.abs(u) * numbers[0], 0.0)


def changes():
    yield lambda neuron: setattr(neuron, "surrogate", Doubled())
    yield lambda neuron: setattr(neuron, "surrogate", Triangle())
    yield lambda neuron: setattr(neuron, "decay", 0.9)
    yield lambda neuron: setattr(neuron, "v_init", 0.7)
    yield lambda neuron: setattr(neuron, "surrogate", Triangle(gamma=0.5))
    yield lambda neuron: setattr(neuron.surrogate, "gamma", 2.0)
    yield lambda neuron: setattr(neuron.surrogate, "height", 0.1)
    yield lambda neuron: setattr(neuron, "surrogate", MultilevelRectangle())
    yield lambda neuron: setattr(neuron, "dynamics", replace(neuron.dynamics, threshold=0.6))
    yield lambda neuron: setattr(neuron, "dynamics", replace(neuron.dynamics, v_reset=-0.2))
    yield lambda neuron: setattr(neuron, "dynamics", replace(neuron.dynamics, decay_input=True))
    yield lambda neuron: setattr(neuron, "dynamics", replace(neuron.dynamics, detach_reset=True))
    yield lambda neuron: setattr(neuron, "dynamics", replace(neuron.dynamics, soft_reset=True))
    yield lambda neuron: setattr(neuron, "surrogate", ATan(alpha=3.0))
    yield lambda neuron: setattr(neuron, "surrogate", Buffered())
    yield lambda neuron: neuron.surrogate.width.fill_(0.8)


def test_settings_that_change(device):
    neuron, x_T, before = LIF(), normal(3, 40).to(device), None
    for change in changes():
        change(neuron.to(device))
        found = results(neuron, x_T)
        same(found, results(deepcopy(neuron), x_T))
        assert before is None or not all(torch.equal(a, b) for a, b in zip(found, before, strict=True))
        before = found


def test_thresholds_of_either_sign_that_change(device):
    neuron, x_T = CF().to(device), 2 * normal(3, 40).to(device) - 1
    before = results(neuron, x_T)
    for keys in ({"threshold": 0.6}, {"negative_threshold": 0.7}):
        neuron.dynamics = replace(neuron.dynamics, **keys)
        found = results(neuron, x_T)
        same(found, results(deepcopy(neuron), x_T))
        assert not torch.equal(found[0], before[0])
        before = found


def test_training_and_evaluation_of_adaptive_thresholds(device):
    neuron = DSATGO(TSG(num_steps=3), num_steps=3).to(device)
    for training in (True, False, True, False):
        again = deepcopy(neuron.train(training))
        x_T = normal(3, 30, seed=int(training)).to(device)
        same(results(neuron, x_T), results(again, x_T))
        assert torch.equal(neuron.threshold_T, again.threshold_T)


def test_norm_and_residual(device):
    norm, neuron, y_T = BN(4).to(device), LIF(), normal(3, 2, 4, 6).to(device)
    residuals = [None, normal(3, 2, 4, 6, seed=3), normal(3, 6, 4, 2, seed=3).transpose(1, 3), None]
    for training in (True, False):
        for residual in residuals:
            found = []
            for one, fires in ((norm, neuron), (deepcopy(norm), deepcopy(neuron))):
                leaves = [t.detach().to(device).requires_grad_() for t in (y_T, residual) if t is not None]
                spikes_T = norm_and_neuron(one.train(training), fires, *leaves)
                weight_T = normal(*y_T.shape, seed=1).to(device)
                found.append(
                    [spikes_T, *torch.autograd.grad(spikes_T, [*leaves, *one.parameters()], weight_T)]
                )
            same(*found)


def test_tensors_that_come_back_laid_out_anew(device):
    """A hook on saved tensors may return other strides than it was given."""
    neuron, x_T = LIF(), normal(3, 6, 4, 2).to(device).transpose(1, 3).requires_grad_()
    weight_T, found = normal(3, 2, 4, 6, seed=1).to(device), []
    for unpack in (lambda saved: saved, lambda saved: saved.contiguous(), lambda saved: saved):
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
            spikes_T = neuron(x_T)
        found.append(torch.autograd.grad(spikes_T, x_T, weight_T)[0])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_functions_share_plans_but_not_settings(device):
    x_T = normal(3, 40).to(device)
    for keys in ({}, {"decay": 0.9}, {"threshold": 0.5}, {"reset": "soft"}, {}):
        assert torch.equal(lif(x_T, **keys)[0], LIF(**keys)(x_T))


def test_a_state_of_another_batch_or_type_is_refused(device):
    """Kernels would read beyond its end, also with the strides of a state that was right."""
    x_T, state = normal(2, 3, 5).to(device), normal(3, 5).to(device)
    neuron = LIF()
    neuron(x_T, state)
    with pytest.raises(ValueError, match=r"state has the shape \[2, 5\], but a step of the input \[3, 5\]"):
        neuron(x_T, state[:2])
    with pytest.raises(BackendError, match="float32"):
        neuron(x_T, state.double())


def test_a_tensor_on_another_device_is_refused(device):
    """Kernels take addresses, which say nothing about the device."""
    x_T = normal(2, 5).to(device)
    neuron = PLIF().to("meta")
    with pytest.raises(ValueError, match=f"on meta, its input on {device}"):
        neuron(x_T)


def test_gradients_of_gradients_are_refused(device):
    x_T, weight = normal(2, 5).to(device).requires_grad_(), torch.ones(5, device=device, requires_grad=True)
    (grad_T,) = torch.autograd.grad((LIF()(x_T) * weight).sum(), x_T, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad_T.sum().backward()
