"""Clipping, optimiser and moving average as a graph: equal to the update without, bit for bit, and counted."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.config.schema import TrainerConfig
from snnlab.errors import RunError
from snnlab.losses.sdt import SDT
from snnlab.schedulers.cosine import Cosine
from snnlab.train import captured_update, tensor_rates
from snnlab.train.captured_update import FIRST, SECOND
from snnlab.train.learner import Learner
from tests.train.again import Again
from tests.train.compared_steps import Growing, batch, learner, same, trace
from tests.train.small_net import SmallNet
from tests.train.toy import pipeline

OPTIMIZERS = tuple(registry.component_files("optimizer"))
EPOCH = [[batch(0, 8)], [batch(8, 16)], [batch(16, 22)]] * 3
SET_UP = {FIRST: 1, SECOND: 1}


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimisers take their form for GPUs."""
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda", "cpu"))


def with_optimizer(capture: Again | None, kind: Any, net: Any = SmallNet, **settings: Any) -> Learner:
    torch.manual_seed(0)
    model = net()
    optimizer = kind(model.parameters())
    schedule = Cosine(optimizer, 3, 2, per="step")
    return Learner(model, SDT(), optimizer, schedule, pipeline(), TrainerConfig(**settings), capture=capture)


def updates(one: Learner) -> dict[str, Any]:
    assert one.graphs is not None
    found: dict[str, Any] = one.graphs.as_mapping()["updates"]
    return found


CASES: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": name} for name in OPTIMIZERS},
    "clipped": {"clip_norm": 0.1},
    "averaged": {"ema": 0.9, "optimizer": "adamw"},
    "all": {"clip_norm": 0.1, "ema": 0.9, "precision": "bf16"},
}


@pytest.mark.parametrize("case", CASES)
def test_recorded_updates_equal_plain_ones_under_a_schedule(case: str) -> None:
    capture = Again()
    static = learner(capture, **CASES[case])
    same(trace(static, EPOCH), trace(learner(None, **CASES[case]), EPOCH))
    assert updates(static) == {"replays": 7, "eager": 2, "why": SET_UP}
    assert capture.recorded == 3  # two kinds of batches, and the update


@pytest.mark.parametrize("kind", [torch.optim.RMSprop, torch.optim.NAdam, torch.optim.Adamax])
def test_an_optimizer_that_is_only_capturable_takes_that_form(
    kind: type[torch.optim.Optimizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    step = kind.step

    def told(self: Any, *args: Any) -> Any:
        (group,) = self.param_groups
        seen.append((group["capturable"], isinstance(group["lr"], Tensor)))
        group["capturable"] = False  # which PyTorch refuses on a CPU
        return step(self, *args)

    monkeypatch.setattr(kind, "step", told)
    with_optimizer(None, kind).step([batch(0, 8)], 0, 0)
    assert seen == [(True, True)]


def test_groups_hold_numbers_and_their_own_form_between_steps() -> None:
    one = learner(Again(), optimizer="adamw")
    before = [set(group) for group in one.optimizer.param_groups]
    trace(one, EPOCH)
    for group, names in zip(one.optimizer.param_groups, before, strict=True):
        assert set(group) == names
        assert isinstance(group["lr"], float)
        assert not group["fused"]
        assert not group["capturable"]


class Sign(torch.optim.Optimizer):
    """An optimiser of someone else's, whose learning rate is a number."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, {"lr": 0.01})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None:
                    one.sub_(one.grad.sign(), alpha=group["lr"])


class Curious(torch.optim.SGD):
    """Reads a gradient on the host."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        assert all(
            float(one.grad.sum()) < 1e9 for one in self.param_groups[0]["params"] if one.grad is not None
        )
        return super().step(closure)


def test_an_optimizer_without_such_a_form_stays_outside_by_name() -> None:
    static = with_optimizer(Again(), Sign, cuda_graph="required")
    same(trace(static, EPOCH), trace(with_optimizer(None, Sign), EPOCH))
    (why,) = updates(static)["why"]
    assert why.startswith("the optimiser Sign takes its learning rate as a number")
    assert updates(static)["eager"] == len(EPOCH)


def test_an_optimizer_that_reads_on_the_host_stays_outside_by_its_line() -> None:
    static = with_optimizer(Again(), lambda parameters: Curious(parameters, lr=0.1))
    same(trace(static, EPOCH), trace(with_optimizer(None, lambda some: Curious(some, lr=0.1)), EPOCH))
    reasons = dict(updates(static)["why"])
    assert (reasons.pop(FIRST), reasons.pop(SECOND)) == (1, 1)
    ((why, count),) = reasons.items()
    assert "test_captured_update.py" in why
    assert "reads a value of the device on the host" in why
    assert count == len(EPOCH) - 2


def test_the_scaler_of_fp16_stays_outside_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    static = learner(Again(), precision="fp16", clip_norm=1.0)
    trace(static, EPOCH[:3])
    (why,) = updates(static)["why"]
    assert "gradient scaler of trainer.precision=fp16" in why


def test_on_a_cpu_rates_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda",))
    static = learner(Again())
    trace(static, EPOCH[:3])
    assert updates(static)["why"] == {"learning rates are numbers on this device": 3}


def test_a_batch_without_a_graph_is_updated_without_one() -> None:
    steps = [*EPOCH[:3], *EPOCH[:3], [batch(0, 4)], *EPOCH[:1]]
    static = learner(Again(), ema=0.9)
    same(trace(static, steps), trace(learner(None, ema=0.9), steps))
    assert updates(static)["why"] == {**SET_UP, "the gradients are those of a batch without a graph": 1}


def test_each_set_of_gradients_and_other_settings_are_kinds_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [[batch(0, 8)], [batch(0, 6)]] * 4
    static = learner(Again(), Growing, optimizer="adamw")
    same(trace(static, steps), trace(learner(None, Growing, optimizer="adamw"), steps))
    assert updates(static) == {"replays": 4, "eager": 4, "why": {FIRST: 2, SECOND: 2}}

    def changed(one: Learner) -> Any:
        seen = trace(one, EPOCH[:3])
        for group in one.optimizer.param_groups:
            group["weight_decay"] = 0.5
        return seen + trace(one, EPOCH[:3])

    static = learner(Again())
    same(changed(static), changed(learner(None)))
    assert updates(static) == {"replays": 2, "eager": 4, "why": {FIRST: 2, SECOND: 2}}
    monkeypatch.setattr(captured_update, "KINDS", 1)
    static = learner(Again())
    same(changed(static), changed(learner(None)))
    assert updates(static)["why"] == {**SET_UP, "another kind of update after 1": 3}


def test_a_recording_that_fails_is_counted() -> None:
    class Fails(Again):
        calls = 0

        def record(self, work: Any) -> Any:
            self.calls += 1
            if self.calls == 2:
                raise RuntimeError("operation not permitted\nand more")
            return super().record(work)

    static = learner(Fails())
    same(trace(static, EPOCH), trace(learner(None), EPOCH))
    why = "recording failed: RuntimeError: operation not permitted"
    assert updates(static)["why"] == {**SET_UP, why: len(EPOCH) - 2}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_state_that_is_loaded_is_what_the_next_update_starts_from(optimizer: str) -> None:
    whole = trace(learner(Again(), optimizer=optimizer, ema=0.9), EPOCH)
    stopped = learner(Again(), optimizer=optimizer, ema=0.9)
    seen = trace(stopped, EPOCH[:4])
    trace(stopped, EPOCH[:3])
    stopped.load_state_dict(copy.deepcopy(seen[-1][3]))
    torch.set_rng_state(seen[-1][4])
    for number, batches in enumerate(EPOCH[4:], start=4):
        stopped.step(batches, 0, number)
    same(stopped.state_dict(), whole[-1][3])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_states_of_either_form_load_into_the_other(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda",))
    earlier = learner(None, optimizer=optimizer)
    early = trace(earlier, EPOCH[:3])[-1][3]
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda", "cpu"))
    here = learner(Again(), optimizer=optimizer)
    late = trace(here, EPOCH[:3])[-1][3]

    def shape(state: Any) -> Any:
        if isinstance(state, Tensor):
            return state.dtype, state.shape
        if isinstance(state, dict):
            return {key: shape(value) for key, value in state.items()}
        return [shape(value) for value in state] if isinstance(state, list | tuple) else state

    assert shape(early["optimizer"]) == shape(late["optimizer"])
    here.load_state_dict(early)
    same(here.state_dict(), early)
    trace(here, EPOCH)
    assert updates(here)["replays"] == 1 + 7
    earlier.load_state_dict(late)
    trace(earlier, EPOCH[:3])


def test_counts_of_steps_follow_the_parameters_when_a_state_is_loaded() -> None:
    weight = nn.Parameter(torch.ones(2, device="meta"))
    optimizer = torch.optim.Adam([weight])
    tensor_rates.TensorRates(optimizer)
    like = torch.ones(2)
    state = {"step": torch.tensor(3.0), "exp_avg": like, "exp_avg_sq": like}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": optimizer.state_dict()["param_groups"]})
    assert optimizer.state[weight]["step"].device == weight.device


def test_a_rate_beyond_float32_is_an_error_of_the_user() -> None:
    one = learner(Again())
    one.scheduler._base_lrs = [1e39 for _ in one.scheduler._base_lrs]
    one.scheduler._set()
    with pytest.raises(RunError, match="the optimiser's step overflows"):
        one.step([batch(0, 8)], 0, 0)
