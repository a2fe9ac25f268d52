"""A loss that is not a number stops the run and the first bad layer is named."""

import pytest
import torch
from torch import nn

from snnlab.errors import RunError
from snnlab.norms import TEBN
from snnlab.train.guard import NanGuard, anomalies, first_bad_layer, nan_error
from tests.train.test_learner import learner as learner_of
from tests.train.toy import ToyData, ToyNet


class Explode(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / torch.zeros_like(x)


class Half(nn.Module):
    """Overflows under mixed precision only, as float16 does at 65504."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1e38 if torch.is_autocast_enabled("cpu") else 1.0) * 1e3


class Huge(ToyNet):
    def __init__(self) -> None:
        super().__init__()
        self.last = Half()

    def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
        return self.last(1 + super().forward(x_TBCHW).abs())


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


def test_a_bad_weight_of_a_layer_that_holds_other_layers_is_named() -> None:
    model = nn.Sequential(TEBN(3, num_steps=2), nn.Flatten(2), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].p[1] = float("nan")
    assert first_bad_layer(model, torch.rand(2, 4, 3)) == "0 (TEBN): its p is not finite"


def test_the_step_s_own_precision_is_looked_at() -> None:
    learner = learner_of(Huge(), precision="bf16")
    result = learner.step([ToyData().train_set().batch(range(4))], 0, 0)
    assert (
        "first bad layer: last (Half): its output is not finite" in nan_error(learner, result, 1, 1).message
    )


def test_a_bad_input_and_a_sound_network() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    assert first_bad_layer(model, torch.full((2, 3), float("nan"))) == "the input"
    assert first_bad_layer(model, torch.ones(2, 3)).startswith("none")


@pytest.mark.filterwarnings("ignore:Error detected in")
def test_an_anomaly_names_the_operation() -> None:
    x = torch.zeros(2, requires_grad=True)
    with pytest.raises(RunError, match="SqrtBackward"), anomalies(True):
        (x.sqrt() * 0).sum().backward()


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="of mine"), anomalies(True):
        raise RuntimeError("of mine")
    with anomalies(False):
        x = torch.zeros(2, requires_grad=True)
        (x.sqrt() * 0).sum().backward()
    assert not torch.isfinite(x.grad).any()
