"""Every surrogate in the Triton kernels, one from elsewhere, learned numbers, and what is refused by its reason."""

import pytest
import torch

from snnlab import registry
from snnlab.kernels import BackendError, backend
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.surrogates import Triangle
from snnlab.surrogates.base import Surrogate

pytest.importorskip("triton")
from snnlab.kernels.triton import backward
from snnlab.triton_language import jit, tl
from tests.kernels.triton.comparison import compare, make_surrogate, normal

pytestmark = pytest.mark.usefixtures("device")
SURROGATES = tuple(registry.component_files("surrogate"))


@pytest.mark.parametrize("programs", [1, 2, 1024])
@pytest.mark.parametrize("steps", [3, 20])
def test_learned_parameters_over_several_programs_blocks_and_segments(steps, programs, device, monkeypatch):
    """1700 elements are four blocks, done by one program, by two and by four."""
    monkeypatch.setattr(backward, "_PROGRAMS", programs)
    neuron = PLIF(make_surrogate("tsg", steps), decay_input=True).to(device)
    with torch.no_grad():
        neuron.surrogate.x.copy_(1 + 0.2 * normal(steps))
    compare(neuron, (normal(steps, 1700) + 0.4).to(device))


@pytest.mark.parametrize("family", [LIF, CF])
@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_is_covered_or_refused(name, family, device):
    neuron = family(make_surrogate(name, 3)).to(device)
    if type(neuron.surrogate).kernel_gradient is None:
        with backend("triton"), pytest.raises(BackendError, match="kernel_gradient"):
            neuron(normal(2, 3).to(device))
    else:
        compare(neuron, 1.5 * normal(3, 50).to(device))


def test_numbers_of_a_surrogate_that_depends_on_the_threshold(device):
    surrogate = make_surrogate("multilevel_rectangle", 1)
    compare(LIF(surrogate, threshold=0.6).to(device), normal(2, 50).to(device))
    compare(CF(surrogate, theta_P=0.6, theta_N=0.8).to(device), normal(2, 50).to(device))


def test_a_learned_surrogate_in_the_middle_of_a_sequence(device):
    neuron = LIF(make_surrogate("tsg", 24)).to(device)
    with torch.no_grad():
        neuron.surrogate.x.copy_(normal(24))
    compare(neuron, normal(19, 5).to(device), start=5)


class Gaussian(Surrogate):
    """A surrogate of somebody else's, with a gradient for kernels in the same file."""

    @jit
    def kernel_gradient(u, a, numbers):  # noqa: N805
        return tl.exp(-0.5 * u * u / (numbers[0] * numbers[0]))

    def kernel_numbers(self):
        return (0.6,)

    def gradient(self, u):
        return torch.exp(-0.5 * (u / 0.6) ** 2)


class Changed(Triangle):
    def gradient(self, u):
        return super().gradient(u) / 2


def test_a_surrogate_from_elsewhere(device):
    compare(LIF(Gaussian()), normal(2, 30).to(device))


def refused(neuron, x_T, words):
    with backend("triton"), pytest.raises(BackendError, match=words):
        neuron(x_T)


def test_refusals_name_their_reason(device):
    x_T = normal(2, 3).to(device)
    refused(LIF(Changed()), x_T, "surrogate Changed has no kernel_gradient")
    refused(LIF(), x_T.double(), "float64")
    neuron = DSATGO(num_steps=2).to(device)
    neuron.measure = lambda h_T: h_T.mean()
    refused(neuron, x_T, "watched")
