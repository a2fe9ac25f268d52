"""Memory of gradients that stays: what is allocated, kept, zeroed and left out."""

import torch
from torch import nn

from snnlab.train.static_gradients import StaticGradients


def two() -> tuple[nn.Parameter, nn.Parameter, StaticGradients]:
    a, b = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    return a, b, StaticGradients([a, b])


def test_only_parameters_that_get_a_gradient_have_memory_and_gradients_stay_meanwhile() -> None:
    a, b, gradients = two()
    a.grad = before = torch.full((2,), 5.0)
    learned = gradients.allocate(lambda: (2 * a).sum().backward())
    assert learned == {a}
    assert a.grad is before
    assert torch.equal(before, torch.full((2,), 5.0))
    assert not gradients.hold()
    gradients.bind(learned, keep=False)
    assert gradients.hold()
    assert a.grad is not before
    assert b.grad is None
    memory = a.grad
    assert gradients.allocate(lambda: (a + b).sum().backward()) == {a, b}
    assert a.grad is memory


def test_kept_gradients_are_brought_to_the_memory_and_missing_ones_are_zero() -> None:
    a, b, gradients = two()
    learned = gradients.allocate(lambda: (a + b).sum().backward())
    gradients.bind(learned, keep=False)
    memory = b.grad
    assert memory is not None
    memory.fill_(9.0)  # of an earlier step
    a.grad, b.grad = torch.full((2,), 5.0), None
    gradients.bind(learned, keep=True)
    assert torch.equal(a.grad, torch.full((2,), 5.0))
    assert b.grad is memory
    assert torch.equal(memory, torch.zeros(2))


def test_a_gradient_of_this_step_stays_where_the_next_graph_does_not_add_to_it() -> None:
    a, b, gradients = two()
    both, one = (gradients.allocate(lambda w=w: w.sum().backward()) for w in (torch.stack([a, b]), a + 0))
    assert (both, one) == ({a, b}, {a})
    gradients.bind(both, keep=False)
    memory = b.grad
    gradients.bind(one, keep=True)
    assert b.grad is memory
    gradients.bind(one, keep=False)
    assert b.grad is None


def test_zeroing_keeps_the_memory() -> None:
    a, _, gradients = two()
    learned = gradients.allocate(lambda: a.sum().backward())
    gradients.bind(learned, keep=False)
    assert a.grad is not None
    a.grad.fill_(3.0)
    place = a.grad.data_ptr()
    gradients.zero(learned)
    assert torch.equal(a.grad, torch.zeros(2))
    assert a.grad.data_ptr() == place
