"""The quantised rectifier against its equation, the printed gradients, and finite differences."""

import math

import pytest
import torch

from snnlab.neurons import QuantReLU

PARAMETERS = ("n_s", "n_gamma", "s_gamma", "t_gamma")


def currents(n=400, seed=0):
    """From well below 0 to well above gamma."""
    z = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return 5.0 * z + 1.0


def make(parameters, t=5.3, gamma=3.1, **options):
    return QuantReLU(parameters=parameters, t_init=t, gamma_init=gamma, **options).double()


def values(neuron):
    return [parameter.item() for parameter in neuron.parameters()]


def t_and_step(parameters, first, second):
    """Real t and, given it, what s is: the table of the docstring, written again."""
    if parameters == "n_s":
        return 2**first, lambda t: second
    if parameters == "n_gamma":
        return 2**first, lambda t: second / t
    if parameters == "s_gamma":
        return second / first, lambda t: first
    return first, lambda t: second / t


@pytest.mark.parametrize("t", [1.0, 4.0, 5.3, 5.6, 0.7])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_output_is_the_nearest_level(parameters, t):
    neuron = make(parameters, t)
    levels = max(1, math.floor(t + 0.5))
    step = 3.1 / levels if parameters in ("n_gamma", "t_gamma") else 3.1 / t
    assert neuron.time_steps == levels
    assert neuron.height.item() == pytest.approx(step * levels)
    z = currents()
    expected = [step * min(max(math.floor(x / step + 0.5), 0), levels) for x in z.tolist()]
    torch.testing.assert_close(neuron(z), torch.tensor(expected, dtype=torch.float64))
    assert len(neuron(z).unique()) == levels + 1


def test_ties_are_rounded_up_as_the_converted_neuron_fires():
    neuron = QuantReLU(t_init=4, gamma_init=4.0)
    assert neuron(torch.tensor([0.5, 1.5, 2.5, 3.5, -0.5])).tolist() == [1, 2, 3, 4, 0]


@pytest.mark.parametrize("t", [4.0, 5.3, 6.7, 0.4])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_gradients_equal_finite_differences_of_the_straight_through_model(parameters, t):
    neuron = make(parameters, t)
    z = currents().requires_grad_()
    weight = currents(seed=1)
    found = torch.autograd.grad((weight * neuron(z)).sum(), [z, *neuron.parameters()])

    first, second = values(neuron)
    real, step_of = t_and_step(parameters, first, second)
    d = max(1, math.floor(real + 0.5)) - real
    s = step_of(real + d)
    q = (z.detach() / s + 0.5).floor()
    c = q - z.detach() / s
    below, above = q < 0, q > real + d

    def model(z, first, second):
        """The roundings are constants: c for z / s, d for t."""
        t, step_of = t_and_step(parameters, first, second)
        step = step_of(t + d)
        a = torch.where(above, torch.as_tensor(step * (t + d), dtype=torch.float64), step * (z / step + c))
        return torch.where(below, torch.zeros_like(a), a)

    torch.testing.assert_close(model(z.detach(), first, second), neuron(z).detach())
    h = 1e-6
    z0 = z.detach()
    numeric_z = weight * (model(z0 + h, first, second) - model(z0 - h, first, second)) / (2 * h)
    numeric_first = weight * (model(z0, first + h, second) - model(z0, first - h, second)) / (2 * h)
    numeric_second = weight * (model(z0, first, second + h) - model(z0, first, second - h)) / (2 * h)
    assert above.any()
    assert below.any()
    torch.testing.assert_close(found[0], numeric_z, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(found[1], numeric_first.sum(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found[2], numeric_second.sum(), rtol=1e-6, atol=1e-6)


def printed(parameters, z, g, t, gamma, saturated, negative):
    """Eq. 11 to 18 without the regulariser, with q / 2^n in Eq. 14; the masks as the options say."""
    s = gamma / t
    q = (z / s + 0.5).floor()
    up = (q > t).double()
    low = (q <= t).double() if negative == "printed" else ((q <= t) & (q >= 0)).double()
    extra = up if saturated == "printed" else 0 * up
    ln2 = math.log(2)
    return {
        "n_s": (t * ln2 * (g * s * up), g * ((q - z / s) * low + t * up)),  # 11, 12
        "n_gamma": (
            ln2 * g * ((z - s * q) * low + gamma * extra),  # 13
            g * ((q / t - z / gamma) * low + up),  # 14
        ),
        "s_gamma": (g * (q - z / s) * low, g * up),  # 15, 16
        "t_gamma": (
            g * ((z / t - gamma * q / t**2) * low + gamma / t * extra),  # 17
            g * ((q / t - z / gamma) * low + up),  # 18
        ),
    }[parameters]


@pytest.mark.parametrize("negative", ["zero", "printed"])
@pytest.mark.parametrize("saturated", ["autograd", "printed"])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_gradients_equal_the_printed_equations_at_whole_t(parameters, saturated, negative):
    neuron = make(parameters, 4.0, saturated=saturated, negative=negative)
    z, g = currents(), currents(seed=1)
    found = torch.autograd.grad((g * neuron(z)).sum(), list(neuron.parameters()))
    # 4 and 3.1 as the neuron holds them, in single precision.
    expected = printed(parameters, z, g, 4.0, neuron.height.item(), saturated, negative)
    for one, terms in zip(found, expected, strict=True):
        torch.testing.assert_close(one, terms.sum(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("parameters", ["n_gamma", "t_gamma"])
def test_the_two_saturated_terms_differ(parameters):
    both = []
    for saturated in ("autograd", "printed"):
        neuron = make(parameters, 4.0, saturated=saturated)
        neuron(torch.full((10,), 50.0, dtype=torch.float64)).sum().backward()
        both.append(next(neuron.parameters()).grad.item())
    assert both[0] == pytest.approx(0, abs=1e-12)
    assert both[1] > 1


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_bad_step_of_the_optimiser_is_no_dead_end(parameters):
    neuron = make(parameters)
    with torch.no_grad():
        for parameter in neuron.parameters():
            parameter.fill_(-5.0)
    y = neuron(currents())
    assert neuron.time_steps >= 1
    assert torch.isfinite(y).all()
    y.sum().backward()
    grads = [parameter.grad for parameter in neuron.parameters()]
    assert all(torch.isfinite(grad) for grad in grads)
    assert any(grad.abs() > 0 for grad in grads)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_learned_levels_fit_a_target_with_more_of_them(parameters):
    """From 2 levels, a target with 8 pulls t up: the gradients have the right sign."""
    neuron = make(parameters, 2.0, 4.0)
    z = torch.linspace(0, 4, 2001, dtype=torch.float64)
    optimizer = torch.optim.Adam(neuron.parameters(), lr=0.02)
    before = (neuron(z) - z).square().mean().item()
    for _ in range(300):
        optimizer.zero_grad()
        (neuron(z) - z).square().mean().backward()
        optimizer.step()
    assert (neuron(z) - z).square().mean().item() < 0.5 * before
