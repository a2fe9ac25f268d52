"""What is kept with a neuron: bounded, and not copied or stored with it."""

import pickle
from copy import deepcopy

import torch

from snnlab.kernels.plans import Plans
from snnlab.neurons import LIF


def test_they_are_bounded() -> None:
    plans = Plans()
    for key in range(3 * Plans.MOST + 1):
        plans.keep(key, key)
        assert plans[key] == key
        assert len(plans) <= Plans.MOST


def test_a_copy_of_the_neuron_starts_without_any() -> None:
    neuron = LIF()
    neuron._plans.keep("key", lambda: None)  # cannot be pickled
    for copy in (deepcopy(neuron), pickle.loads(pickle.dumps(neuron))):
        assert copy._plans == {}
        assert isinstance(copy._plans, Plans)
    assert "key" in neuron._plans


def test_the_state_before_the_first_step_is_shared_by_calls_that_cannot_change_it() -> None:
    neuron, x_T = LIF(v_init=0.5), torch.randn(3, 1)
    assert neuron.rest(x_T).data_ptr() == neuron.rest(x_T).data_ptr()
    spikes_T = neuron(x_T)
    neuron.initial_state(x_T[0]).fill_(9)
    neuron.forward_with_state(x_T)[1].fill_(9)
    assert torch.equal(neuron(x_T), spikes_T)
    with torch.inference_mode():
        again = LIF(v_init=0.5)
        again(x_T)
    again(x_T.requires_grad_()).sum().backward()
