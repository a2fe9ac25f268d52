"""Max pools of networks with own time steps: the greatest rate, as spikes."""

import pytest
import torch
from torch import nn

from snnlab.layers.max_pool_over_time import MaxPoolOverTime, pool_over_time
from snnlab.layers.time import EachStep
from snnlab.neurons import MixedIF


def converted(how="counts"):
    neuron = MixedIF(max_pool=how)
    neuron.set_extra_state(torch.tensor([5]))
    return neuron


def spikes(*shape, steps=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rates = torch.rand(*shape, generator=generator)
    return (torch.rand(steps, *shape, generator=generator) < rates).float()


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, stride=2, padding=1)])
def test_the_output_is_spikes_with_the_greatest_count_of_each_window(pool):
    x = spikes(2, 3, 6, 6)
    y = MaxPoolOverTime(pool, [converted()])(x)
    assert torch.equal(y.sum(0), pool(x.sum(0)))
    assert set(y.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(EachStep(pool)(x).sum(0), pool(x.sum(0)))


def test_currents_of_either_sign():
    x = torch.randn(5, 2, 3, 4, dtype=torch.float64)
    pool = nn.MaxPool1d(2)
    torch.testing.assert_close(MaxPoolOverTime(pool, [converted()])(x).mean(0), pool(x.mean(0)))


def test_the_gate_passes_on_the_leader():
    one, two = [0.0, 1, 0, 0, 1], [1.0, 0, 1, 0, 0]
    x = torch.tensor([one, two]).T.view(5, 1, 1, 1, 2)
    y = MaxPoolOverTime(nn.MaxPool2d((1, 2)), [converted("gate")])(x).flatten()
    # Sums: 0 1 1 1 2 and 1 1 2 2 2; the first of equal ones leads.
    assert y.tolist() == [1, 1, 1, 0, 1]


def test_before_conversion_and_by_choice_it_is_the_maximum_of_each_step():
    x, pool = spikes(2, 3, 4, 4), nn.MaxPool2d(2)
    for neuron in (MixedIF(), converted("spikes")):
        assert torch.equal(MaxPoolOverTime(pool, [neuron])(x), EachStep(pool)(x))


def test_names_stay_and_a_second_call_changes_nothing():
    model = nn.Sequential(EachStep(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2)), EachStep(nn.MaxPool2d(2)), MixedIF())
    names = [name for name, _ in model.named_modules()]
    pool_over_time(model)
    first = model[1]
    pool_over_time(model)
    assert isinstance(first, MaxPoolOverTime)
    assert model[1] is first
    assert type(model[0]) is EachStep
    assert [name for name, _ in model.named_modules()] == names
