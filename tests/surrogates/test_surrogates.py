"""Every registered surrogate is a step forwards, its gradient backwards, and the derivative of its primitive.

The published formulas are written out here a second time, straight from their sources.
"""

import inspect
from math import pi

import pytest
import torch

from snnlab import registry
from snnlab.surrogates import ATan, FastSigmoid, Rectangle, Sigmoid, Triangle

NAMES = tuple(registry.component_files("surrogate"))


def variants(name):
    """The default, and one number changed at a time."""
    cls = registry.load("surrogate", name)
    yield cls()
    for key, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and isinstance(parameter.default, float | None):
            for factor in (0.4, 3.0):
                yield cls(**{key: factor * (parameter.default or 1.0)})


ALL = [pytest.param(s, id=f"{n}({s.extra_repr()})") for n in NAMES for s in variants(n)]


def points(count=2001):
    return torch.empty(count, dtype=torch.float64).uniform_(-3, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("surrogate", ALL)
def test_forward_is_a_step_that_includes_zero(surrogate, dtype):
    u = torch.tensor([-2.0, -1e-3, -0.0, 0.0, 1e-3, 2.0, float("nan"), float("inf")], dtype=dtype)
    spikes = surrogate(u)
    assert spikes.dtype == dtype
    assert spikes.tolist() == [0, 0, 1, 1, 1, 1, 0, 1]


@pytest.mark.parametrize("surrogate", ALL)
def test_backward_multiplies_by_the_gradient(surrogate):
    u = points().requires_grad_()
    incoming = torch.linspace(-1, 2, len(u), dtype=u.dtype)
    surrogate(u).backward(incoming)
    torch.testing.assert_close(u.grad, incoming * surrogate.gradient(u.detach()), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("surrogate", ALL)
def test_low_precision_keeps_its_dtype(surrogate, dtype):
    u = points().to(dtype).requires_grad_()
    surrogate(u).sum().backward()
    assert u.grad.dtype == dtype
    assert surrogate.primitive(u).dtype == dtype
    exact = surrogate.gradient(u.detach().double())
    # Away from a jump of the rectangle, where rounding decides on which side a point lies.
    near = (u.detach().double().abs() - getattr(surrogate, "width", 99) / 2).abs() < 0.02
    torch.testing.assert_close(
        u.grad.double()[~near], exact[~near], rtol=0.05, atol=0.05 * exact.max().item()
    )


@pytest.mark.parametrize("surrogate", ALL)
def test_gradient_is_the_derivative_of_the_primitive(surrogate):
    u = points().requires_grad_()
    (by_autograd,) = torch.autograd.grad(surrogate.primitive(u).sum(), u)
    torch.testing.assert_close(surrogate.gradient(u.detach()), by_autograd, rtol=1e-10, atol=1e-12)
    u, h = u.detach(), 1e-6
    by_differences = (surrogate.primitive(u + h) - surrogate.primitive(u - h)) / (2 * h)
    torch.testing.assert_close(surrogate.gradient(u), by_differences, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("surrogate", ALL)
def test_gradient_is_finite_and_not_negative(surrogate):
    u = torch.tensor([-1e30, -1e4, -1.0, 0.0, 1.0, 1e4, 1e30])
    gradient = surrogate.gradient(u)
    assert torch.isfinite(gradient).all()
    assert (gradient >= 0).all()


PUBLISHED = {
    "tet": (Triangle(), lambda u: max(0.0, 1.0 - abs(u))),
    "tet, gamma 0.5": (Triangle(gamma=0.5), lambda u: max(0.0, 0.5 - abs(u)) / 0.5**2),
    "plg, alpha 2": (Triangle(gamma=1 / 2), lambda u: max(0.0, 2 * (1 - 2 * abs(u)))),
    "nda": (Rectangle(), lambda u: float(abs(u) < 0.5)),
    "ds-atgo, k 1.6": (Rectangle(width=1.6), lambda u: float(abs(u) < 0.8) / 1.6),
    "spikingjelly sigmoid": (Sigmoid(), lambda u: 4 * _logistic(4 * u) * (1 - _logistic(4 * u))),
    "spikingjelly atan": (ATan(), lambda u: 2 / 2 / (1 + (pi / 2 * 2 * u) ** 2)),
    "spikingjelly atan, alpha 3": (ATan(alpha=3.0), lambda u: 3 / 2 / (1 + (pi / 2 * 3 * u) ** 2)),
    "snntorch fast sigmoid": (FastSigmoid(), lambda u: 1 / (25 * abs(u) + 1) ** 2),
}


def _logistic(z):
    return 1 / (1 + torch.tensor(-z, dtype=torch.float64).exp().item())


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_formula(case):
    surrogate, formula = PUBLISHED[case]
    u = points(200)
    expected = torch.tensor([formula(x) for x in u.tolist()], dtype=u.dtype)
    torch.testing.assert_close(surrogate.gradient(u), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("value", [0.3, 1.0, 2.5])
@pytest.mark.parametrize(
    ("cls", "key"), [(Triangle, "gamma"), (Rectangle, "width"), (Sigmoid, "alpha"), (ATan, "alpha")]
)
def test_area_is_one_by_default_and_height_scales_it(cls, key, value):
    far = torch.tensor([-1e6, 1e6], dtype=torch.float64)
    unit = cls(**{key: value})
    low, high = unit.primitive(far).tolist()
    assert high - low == pytest.approx(1, abs=1e-5)
    zero = torch.zeros((), dtype=torch.float64)
    assert unit.gradient(zero).item() == pytest.approx(unit.height)
    scaled = cls(**{key: value}, height=3 * unit.height)
    assert scaled.gradient(zero).item() == pytest.approx(3 * unit.height)
    low, high = scaled.primitive(far).tolist()
    assert high - low == pytest.approx(3, abs=1e-5)


def test_area_of_the_fast_sigmoid():
    far = torch.tensor([-1e9, 1e9], dtype=torch.float64)
    low, high = FastSigmoid(slope=10.0, height=2.0).primitive(far).tolist()
    assert high - low == pytest.approx(2 * 2 / 10)


def test_rectangle_ends_are_outside():
    edge = torch.tensor([-0.5, 0.5, 0.4999, -0.4999])
    assert Rectangle().gradient(edge).tolist() == [0, 0, 1, 1]
