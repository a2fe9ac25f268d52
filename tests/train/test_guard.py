"""A loss that is not a number stops the run and the first bad layer is named."""

import pytest
import torch
from torch import nn

from snnlab.errors import RunError
from snnlab.norms import TEBN
from snnlab.train.guard import GROWN, NanGuard, anomalies, first_bad_layer, floating, growth, nan_error
from tests.train.discipline import disciplined
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


class Slow:
    """Stands in for `LateNumber`: what is sent arrives when it is let through."""

    def __init__(self) -> None:
        self.under_way: int | None = None
        self.lets_through = True

    def send(self, number: torch.Tensor) -> None:
        if self.under_way is None:
            self.under_way = int(number)

    def arrived(self) -> int | None:
        if not self.lets_through:
            return None
        number, self.under_way = self.under_way, None
        return number


def late_guard() -> tuple[NanGuard, Slow]:
    slow = Slow()
    return NanGuard(torch.device("cpu"), late=slow), slow  # type: ignore[arg-type]


NAN, SOUND = torch.tensor(float("nan")), torch.tensor(1.0)


def test_a_bad_step_is_seen_a_step_later_and_named() -> None:
    guard, _ = late_guard()
    assert not guard.is_bad(SOUND)
    assert not guard.is_bad(NAN)
    assert guard.is_bad(SOUND)
    assert guard.late_by == 1


def test_a_device_that_is_behind_is_not_waited_for_and_the_first_bad_step_is_named() -> None:
    guard, slow = late_guard()
    assert not guard.is_bad(SOUND)
    slow.lets_through = False
    assert not any(guard.is_bad(loss) for loss in (SOUND, NAN, SOUND, NAN, SOUND))
    slow.lets_through = True
    assert not guard.is_bad(SOUND), "what was sent first is from before"
    assert guard.is_bad(SOUND)
    assert guard.late_by == 5


def test_a_late_step_reads_nothing_on_the_host() -> None:
    class Sends(Slow):
        def send(self, number: torch.Tensor) -> None:
            pass

    guard = NanGuard(torch.device("cpu"), late=Sends())  # type: ignore[arg-type]
    with disciplined():
        guard.is_bad(SOUND)


def test_the_last_step_of_an_epoch_is_checked_in_any_case() -> None:
    model = nn.Linear(2, 2)
    guard, _ = late_guard()
    assert not guard.is_bad(NAN)
    assert guard.is_bad(SOUND, model.state_dict())
    assert guard.late_by == 1
    assert late_guard()[0].is_bad(NAN, model.state_dict())


def test_weights_that_the_last_step_spoilt_are_bad_after_a_sound_loss() -> None:
    model = nn.Linear(2, 2)
    guard = NanGuard(torch.device("cpu"))
    assert not guard.is_bad(torch.tensor(1.0), model.state_dict())
    with torch.no_grad():
        model.bias[0] = float("inf")
    assert guard.is_bad(torch.tensor(1.0), model.state_dict())


@pytest.mark.parametrize("part", ["model", "average", "optimizer"])
def test_every_part_of_a_saved_state_is_looked_at(part: str) -> None:
    """Weights, averaged weights and momenta; running statistics have a test of their own."""
    learner = learner_of(ToyNet(), ema=0.9)
    result = learner.step([ToyData().train_set().batch(range(4))], 0, 0)
    guard = NanGuard(torch.device("cpu"), state=learner.state_dict())
    assert not guard.is_bad(result.loss, learner.state_dict())
    spoilt = next(values for path, values in floating(learner.state_dict()) if path.startswith(f"{part}."))
    with torch.no_grad():
        spoilt.view(-1)[-1] = float("nan")
    assert not guard.is_bad(result.loss), "the loss is sound"
    assert guard.is_bad(result.loss, learner.state_dict())
    if part != "model":
        assert f"none, but {part}." in nan_error(learner, result, 1, 1).message


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
def test_running_statistics_are_looked_at_and_named(name: str) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    guard = NanGuard(torch.device("cpu"), state=model.state_dict())
    getattr(model[1], name)[2] = float("inf")
    assert guard.seen(model.state_dict())
    # In training the layer normalises by the batch, so its output is finite.
    assert first_bad_layer(model, torch.rand(4, 3)) == f"1 (BatchNorm1d): its {name} is not finite"


def test_a_constant_that_is_infinite_from_the_start_is_no_fault() -> None:
    model = nn.Linear(2, 2)
    model.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    guard = NanGuard(torch.device("cpu"), state=model.state_dict())
    assert not guard.is_bad(torch.tensor(1.0), model.state_dict())
    assert NanGuard(torch.device("cpu")).seen(model.state_dict())


def test_a_layer_is_named_before_the_statistics_behind_it_that_it_spoilt() -> None:
    model = nn.Sequential(Explode(), nn.BatchNorm1d(3))
    model(torch.ones(4, 3))
    assert first_bad_layer(model, torch.ones(4, 3)) == "0 (Explode): its output is not finite"


@pytest.mark.parametrize("name", ["train/loss", "test/loss", "test_ema/loss"])
@pytest.mark.parametrize("value", [3.1 * GROWN, float("nan"), float("inf")])
def test_a_loss_that_has_grown_by_orders_of_magnitude_is_named(name: str, value: float) -> None:
    assert growth(3.0, {"train/loss": 2.9 * GROWN}, 1) is None
    text = growth(3.0, {"train/loss": 1.0, name: value}, 4)
    assert text is not None
    assert text.startswith(f"{name} is {value:.3g} after epoch 4")


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


class BadGradient(ToyNet):
    """The output is finite, and the gradient of what precedes the square root is not."""

    def forward(self, x_TBCHW):
        logits = super().forward(x_TBCHW)
        return logits * (1 + torch.sqrt(logits * 0))


def test_a_weight_that_a_later_layer_s_gradient_spoilt_is_not_blamed_alone() -> None:
    learner = learner_of(BadGradient())
    result = learner.step([ToyData().train_set().batch(range(4))], 0, 0)
    error = nan_error(learner, result, 1, 1)
    assert "its weight is not finite" in error.message or "its bias is not finite" in error.message
    assert error.hint.startswith("what made it bad may be the gradient of a layer behind it: debug=nan names")
    assert "debug=nan" not in nan_error(*bad_output(), 1, 1).hint


def bad_output():
    learner = learner_of(Huge(), precision="bf16")
    return learner, learner.step([ToyData().train_set().batch(range(4))], 0, 0)


def test_a_bad_input_and_a_sound_network() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    assert first_bad_layer(model, torch.full((2, 3), float("nan"))) == "the input"
    assert first_bad_layer(model, torch.ones(2, 3)) is None


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
