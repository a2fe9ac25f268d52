"""The public functions `lif` and `lif_step`: against the module LIF and against a loop in float64."""

import pytest
import torch
from torch import Tensor

from snnlab.kernels import backend
from snnlab.kernels.functional import lif, lif_step
from snnlab.neurons import IF, LIF, PLIF
from snnlab.surrogates import TSG, ATan

SETTINGS = {
    "hard": {"decay": 0.7, "threshold": 0.9},
    "rest": {"decay": 0.3, "v_reset": -0.4, "decay_input": True},
    "soft": {"decay": 0.9, "reset": "soft", "threshold": 1.2},
    "detached": {"decay": 0.5, "detach_reset": True},
}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 1.5


@pytest.mark.parametrize("name", ["eager", "compiled"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_equal_to_the_module(setting: str, name: str) -> None:
    x_T, v, found = normal(4, 3, 50).float(), normal(3, 50, seed=1).float(), []
    keys = SETTINGS[setting]
    for run in (lambda x, v: lif(x, v, surrogate=ATan(), **keys), LIF(ATan(), **keys).forward_with_state):
        leaves = [x_T.clone().requires_grad_(), v.clone().requires_grad_()]
        with backend(name):  # type: ignore[arg-type]
            spikes_T, last = run(*leaves)
        (spikes_T.sum() + last.square().sum()).backward()
        found.append([spikes_T, last, *(leaf.grad for leaf in leaves)])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert 0 < found[0][0].mean() < 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_steps_follow_the_equations_in_float64(setting: str) -> None:
    """The gradients are the chain rule by hand, with the arctangent's slope for that of the step."""
    keys = {"threshold": 1.0, "v_reset": 0.0, "decay_input": False, "reset": "hard", "detach_reset": False}
    keys |= SETTINGS[setting]
    decay, threshold, rest = (keys[name] for name in ("decay", "threshold", "v_reset"))
    gain = 1 - decay if keys["decay_input"] else 1
    x_T, weight_T = normal(5, 40).requires_grad_(), normal(5, 40, seed=1)
    v, spikes_T = None, []
    for x in x_T:
        spikes, v = lif_step(x, v, surrogate=ATan(alpha=2.0), **keys)
        spikes_T.append(spikes)
    assert v is not None
    ((torch.stack(spikes_T) * weight_T).sum() + v.sum()).backward()

    potential, h_T, s_T = torch.zeros(40, dtype=torch.float64), [], []
    for t in range(5):
        h = decay * (potential - rest) + rest + gain * x_T[t].detach()
        s = (h >= threshold).double()
        potential = h - threshold * s if keys["reset"] == "soft" else torch.where(s > 0, rest, h)
        h_T.append(h)
        s_T.append(s)
    grad, grads = torch.ones(40, dtype=torch.float64), []
    for h, s, weight in zip(reversed(h_T), reversed(s_T), reversed(weight_T), strict=True):
        slope = 1 / (1 + (torch.pi * (h - threshold)) ** 2)
        by_spike = -threshold if keys["reset"] == "soft" else rest - h
        kept = 1 if keys["reset"] == "soft" else 1 - s
        grad = (weight + grad * (0 if keys["detach_reset"] else by_spike)) * slope + grad * kept
        grads.append(gain * grad)
        grad = decay * grad
    torch.testing.assert_close(torch.stack(spikes_T), torch.stack(s_T), rtol=0, atol=0)
    torch.testing.assert_close(v, potential, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(x_T.grad, torch.stack(grads[::-1]), rtol=1e-10, atol=1e-12)


def test_a_learned_decay_and_a_learned_surrogate() -> None:
    x_T, surrogate = normal(3, 60).float(), TSG(3)
    plif = PLIF(surrogate)
    decay = plif.w.detach().sigmoid().requires_grad_()
    spikes_T, v = lif(x_T[:1], decay=decay, surrogate=surrogate)
    later_T, _ = lif(x_T[1:], v, decay=decay, surrogate=surrogate, start=1)
    assert torch.equal(torch.cat([spikes_T, later_T]), plif(x_T))
    (spikes_T.sum() + later_T.sum()).backward()
    assert decay.grad is not None
    assert decay.grad != 0
    assert (surrogate.x.grad != 0).all()


def test_from_rest_and_without_a_leak() -> None:
    x = normal(2, 9).bfloat16()
    spikes, v = lif_step(x, decay=1.0)
    expected, state = IF().step(x)
    assert (spikes.dtype, v.dtype) == (torch.bfloat16, torch.float32)
    assert torch.equal(spikes, expected)
    assert torch.equal(v, state)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="'hard' or 'soft'"):
        lif_step(torch.zeros(3), reset="none")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"v has the shape \[1\], but a step of the input \[3\]"):
        lif_step(torch.zeros(3), torch.zeros(1))
