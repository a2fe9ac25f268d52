"""A loss that is not a number stops the run and the first bad layer is named."""

import torch
from torch import nn

from snnlab.train.guard import NanGuard, first_bad_layer


class Explode(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / torch.zeros_like(x)


def test_every_step_is_checked_on_the_cpu() -> None:
    guard = NanGuard(torch.device("cpu"))
    assert not guard.is_bad(torch.tensor(1.0))
    assert guard.is_bad(torch.tensor(float("nan")))
    assert guard.seen()


def test_a_bad_step_is_remembered_until_it_is_read() -> None:
    guard = NanGuard(torch.device("cpu"), every=3)
    guard._every = 3
    assert not guard.is_bad(torch.tensor(float("inf")))
    assert not guard.is_bad(torch.tensor(1.0))
    assert guard.is_bad(torch.tensor(1.0))


def test_the_last_step_of_an_epoch_is_checked_in_any_case() -> None:
    model = nn.Linear(2, 2)
    guard = NanGuard(torch.device("cpu"))
    guard._every = 20
    assert not guard.is_bad(torch.tensor(float("nan")))
    assert guard.is_bad(torch.tensor(1.0), model)


def test_weights_that_the_last_step_spoilt_are_bad_after_a_sound_loss() -> None:
    model = nn.Linear(2, 2)
    guard = NanGuard(torch.device("cpu"))
    assert not guard.is_bad(torch.tensor(1.0), model)
    with torch.no_grad():
        model.bias[0] = float("inf")
    assert guard.is_bad(torch.tensor(1.0), model)


def test_the_first_layer_with_a_bad_output_is_named() -> None:
    model = nn.Sequential(nn.Linear(3, 3), Explode(), nn.Linear(3, 2))
    assert first_bad_layer(model, torch.ones(2, 3)) == "1 (Explode): its output is not finite"


def test_a_layer_with_a_bad_weight_is_named() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    with torch.no_grad():
        model[1].bias[0] = float("nan")
    assert first_bad_layer(model, torch.ones(2, 3)) == "1 (Linear): its bias is not finite"


def test_a_bad_input_and_a_sound_network() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    assert first_bad_layer(model, torch.full((2, 3), float("nan"))) == "the input"
    assert first_bad_layer(model, torch.ones(2, 3)).startswith("none")
