"""The time steps as a penalty: its value, its gradient, and what it does to a network."""

import pytest
from torch import nn

from snnlab.neurons import LIF, QuantReLU
from snnlab.optimizers import SGD
from snnlab.regularisers import TimeSteps


def network(parameters="t_gamma", t=(5.3, 2.6, 0.7)):
    return nn.Sequential(*(QuantReLU(parameters=parameters, t_init=one) for one in t))


@pytest.mark.parametrize("parameters", ["n_s", "n_gamma", "s_gamma", "t_gamma"])
def test_it_is_the_sum_of_real_t_and_at_least_one_per_layer(parameters):
    model = network(parameters)
    term = TimeSteps(weight=0.5).term(model)
    assert term.item() == pytest.approx(0.5 * (5.3 + 2.6 + 1))
    term.backward()
    first = [next(layer.parameters()).grad.item() for layer in model]
    slope = {
        "t_gamma": 1.0,
        "n_gamma": 5.3 * 0.6931472,
        "n_s": 5.3 * 0.6931472,
        "s_gamma": -(5.3**2) / 8,  # Eq. 15: -gamma / s^2 with gamma = 8, s = gamma / t
    }[parameters]
    assert first[0] == pytest.approx(0.5 * slope, rel=1e-4)
    assert first[2] == 0


def test_it_needs_a_layer_that_learns_its_time_steps():
    with pytest.raises(ValueError, match="quant_relu"):
        TimeSteps().watching(nn.Sequential(LIF()))


def test_weight_and_learning_rate_of_t_shorten_the_network():
    model = network()
    optimizer = SGD(model, lr=1e-9, momentum=0.0, weight_decay=0.0, lr_t=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        TimeSteps(weight=1.0).term(model).backward()
        optimizer.step()
    assert [layer.time_steps for layer in model] == [3, 1, 1]
