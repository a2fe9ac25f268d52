"""What every regulariser of the registry has to do."""

import pytest
import torch

from snnlab.models import VGGSNN
from snnlab.neurons import LIF, QuantReLU
from snnlab.norms import BN
from snnlab.registry import component_files, load
from snnlab.regularisers.base import Regulariser

NAMES = list(component_files("regulariser"))
NEURONS = {"time_steps": QuantReLU}


def network(name):
    torch.manual_seed(0)
    return VGGSNN(NEURONS.get(name, LIF), BN, 2, 3, 16, channels=(4, 4, 8, 8))


def term(regulariser, model, x):
    with regulariser.watching(model):
        model(x)
    return regulariser.term(model)


@pytest.mark.parametrize("name", NAMES)
def test_the_term_is_a_scalar_with_a_gradient_and_scales_with_its_weight(name):
    cls, model, x = load("regulariser", name), network(name), torch.rand(3, 4, 2, 16, 16)
    one, two = (term(cls(weight=weight), model, x) for weight in (1.0, 2.0))
    assert issubclass(cls, Regulariser)
    assert one.shape == ()
    assert torch.isfinite(one)
    assert two.item() == pytest.approx(2 * one.item(), rel=1e-4)
    one.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert grads
    assert all(torch.isfinite(grad).all() for grad in grads)


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_outputs_and_the_model_as_they_are(name):
    regulariser, model, x = load("regulariser", name)(), network(name).eval(), torch.rand(3, 4, 2, 16, 16)
    before = model(x)
    attributes = {key: set(vars(module)) for key, module in model.named_modules()}
    with regulariser.watching(model):
        watched = model(x)
    assert torch.equal(before, watched)
    assert {key: set(vars(module)) for key, module in model.named_modules()} == attributes


@pytest.mark.parametrize("name", NAMES)
def test_each_step_has_a_term_of_its_own(name):
    regulariser, model, x = load("regulariser", name)(), network(name), torch.rand(3, 4, 2, 16, 16)
    first = term(regulariser, model, x).item()
    term(regulariser, model, 3 * x)
    assert term(regulariser, model, x).item() == pytest.approx(first, rel=1e-4)
