"""Steps on static tensors equal steps without, bit for bit: what a graph replays is done again by a stand-in."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.data.inputs import Batch
from snnlab.errors import ConfigError, RunError
from snnlab.kernels import backend
from snnlab.machine.processes import Processes
from snnlab.regularisers.pnb import PNB
from snnlab.schedulers.cosine import Cosine
from snnlab.train.captured_batches import refusal
from snnlab.train.learner import Learner
from tests.train.again import Again
from tests.train.small_net import SmallNet, made
from tests.train.toy import ToyData, pipeline


class StillToy(ToyData):
    """The first frame of each recording, shown at every step."""

    static = True

    def decode(self, raw: torch.Tensor) -> torch.Tensor:
        return raw[:, :1].float()


def learner(
    capture: Again | None,
    net: Callable[[], nn.Module] = lambda: SmallNet("dsatgo"),
    data: ToyData | None = None,
    loss: str = "tmc",
    optimizer: str = "sgd",
    regularised: bool = False,
    **settings: Any,
) -> Learner:
    torch.manual_seed(0)
    model = net()
    made_optimizer = made("optimizer", optimizer, model=model)
    return Learner(
        model,
        made("loss", loss),
        made_optimizer,
        Cosine(made_optimizer, 3, 2, per="step"),
        pipeline(data=data),
        TrainerConfig(**settings),
        regularisers={"pnb": PNB()} if regularised else None,
        capture=capture,
    )


def batch(start: int, stop: int, data: ToyData | None = None) -> Batch:
    return (data or ToyData()).train_set().batch(range(start, stop))


def trace(one: Learner, steps: list[list[Batch]]) -> list[Any]:
    """Everything that a step gives or changes, after each step."""
    torch.manual_seed(1)
    seen: list[Any] = []
    for number, batches in enumerate(steps):
        result = one.step(batches, 0, number)
        state = copy.deepcopy(one.state_dict())
        seen.append((result.terms, result.correct, result.count, state, torch.get_rng_state()))
    return seen


def same(one: Any, other: Any, path: str = "") -> None:
    assert type(one) is type(other), path
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, path
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert list(one) == list(other), path
        for key in one:
            same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), path
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{path}.{place}")
    else:
        assert one == other, path


EPOCH = [[batch(0, 8)], [batch(8, 16)], [batch(16, 22)], [batch(0, 8)], [batch(8, 14)]]
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "adamw": {"optimizer": "adamw"},
    "adam": {"optimizer": "adam", "loss": "tet"},
    "clipped and averaged": {"clip_norm": 0.1, "ema": 0.9},
    "bf16": {"precision": "bf16"},
    "a penalty on potentials": {"regularised": True},
    "packed spikes": {"pack_spikes": True},
}


@pytest.mark.parametrize("case", CASES)
def test_static_steps_equal_plain_ones_also_with_a_smaller_last_batch(case: str) -> None:
    capture = Again()
    static = learner(capture, **CASES[case])
    same(trace(static, EPOCH), trace(learner(None, **CASES[case]), EPOCH))
    assert static.graphs is not None
    assert static.graphs.batch.tally.as_mapping() == {"replays": 5, "eager": 0, "why": {}}
    assert (capture.warmed_up, capture.recorded, capture.replayed) == (2, 2, 5)


def test_accumulated_gradients_are_a_second_graph_which_does_not_zero() -> None:
    steps = [[batch(0, 8), batch(8, 16)], [batch(0, 8), batch(8, 16), batch(16, 20)], [batch(16, 20)]]
    capture = Again()
    static = learner(capture)
    same(trace(static, steps), trace(learner(None), steps))
    # Of either size there is one that zeroes and one that adds.
    assert (capture.warmed_up, capture.recorded, capture.replayed) == (2, 4, 6)


def test_a_still_image_stays_one_image_for_all_steps() -> None:
    data, seen = StillToy(), []

    def net() -> nn.Module:
        made_net = SmallNet("lif")
        made_net.conv.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].stride(0)))
        return made_net

    steps = [[batch(0, 8)], [batch(8, 16)]]
    same(trace(learner(Again(), net, data), steps), trace(learner(None, net, data), steps))
    assert set(seen) == {0}


def test_a_third_kind_of_batch_runs_without_a_graph_and_is_counted() -> None:
    steps = [
        [batch(0, 8)],
        [batch(0, 6)],
        [batch(0, 4)],
        [batch(0, 8), batch(0, 4)],
        [batch(0, 4), batch(0, 8)],
    ]
    static = learner(Again())
    same(trace(static, steps), trace(learner(None), steps))
    assert static.graphs is not None
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager.total()) == (4, 3)
    assert (
        str(static.graphs.batch.tally)
        == "4 replays, 3 eager (3 times: a third kind of batch, [3, 4, 2, 4, 4])"
    )


def test_a_recording_that_fails_leaves_nothing_behind_and_is_counted() -> None:
    static = learner(Again(fails="operation not permitted when stream is capturing\nand more"))
    same(trace(static, EPOCH), trace(learner(None), EPOCH))
    assert static.graphs is not None
    (why,) = static.graphs.batch.tally.eager
    assert why == "recording failed: RuntimeError: operation not permitted when stream is capturing"
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager[why]) == (0, 5)


def test_what_is_required_is_an_error_where_it_cannot_be() -> None:
    with pytest.raises(RunError, match="required: a batch cannot run as a CUDA graph: recording failed"):
        learner(Again(fails="no"), cuda_graph="required").step([batch(0, 8)], 0, 0)
    static = learner(Again(), cuda_graph="required")
    for size in (8, 6):
        static.step([batch(0, size)], 0, 0)
    with pytest.raises(RunError, match="a third kind of batch"):
        static.step([batch(0, 4)], 0, 0)
    with pytest.raises(ConfigError, match="detect_anomaly reads every gradient on the host"):
        learner(Again(), cuda_graph="required", detect_anomaly=True)


def test_what_cannot_be_recorded_is_refused_by_name() -> None:
    settings = TrainerConfig()
    assert refusal(settings, Processes()) is None
    assert "DistributedDataParallel" in (refusal(settings, Processes(count=2)) or "")
    capture = Again()
    static = learner(capture, detect_anomaly=True)
    same(trace(static, EPOCH), trace(learner(None), EPOCH))
    assert static.graphs is not None
    assert static.graphs.batch.tally.eager == {"trainer.detect_anomaly reads every gradient on the host": 5}
    assert capture.warmed_up == 0


class Backwards(torch.autograd.Function):
    """Reads a value in its backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        return grads[0] + 0 * float(grads[0].sum())


READS: dict[str, tuple[str, Callable[[torch.Tensor], torch.Tensor]]] = {
    "item": ("reads a value of the device on the host", lambda x: x + 0 * x.sum().item()),
    "if": ("reads a value of the device on the host", lambda x: x if x.sum() > 0 else x + 0),
    "backward": ("reads a value of the device on the host", Backwards.apply),
    "mask": ("has a shape that depends on values", lambda x: x + 0 * x[x > 0].sum()),
    "nonzero": ("has a shape that depends on values", lambda x: x + 0 * x.nonzero().sum()),
}


@pytest.mark.parametrize("deed", READS)
def test_a_network_that_reads_on_the_host_is_refused_by_its_line_and_runs_as_without(deed: str) -> None:
    says, do = READS[deed]

    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = SmallNet("lif")

        def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
            return do(self.net(x_TBCHW))

    capture = Again()
    static = learner(capture, Reading)
    same(trace(static, EPOCH), trace(learner(None, Reading), EPOCH))
    assert static.graphs is not None
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager.total(), capture.recorded) == (
        0,
        5,
        0,
    )
    assert all(
        re.match(rf"train/{Path(__file__).name}:\d+ {says} \(aten", one)
        for one in static.graphs.batch.tally.eager
    )
    with pytest.raises(RunError, match=says):
        learner(Again(), Reading, cuda_graph="required").step([batch(0, 8)], 0, 0)


def test_gradients_stay_where_the_graph_writes_them() -> None:
    static = learner(Again())
    places: list[dict[str, int]] = []
    update = static.optimizer.step

    def noted(*args: Any) -> Any:
        grads = {name: one.grad for name, one in static.model.named_parameters()}
        places.append({name: grad.data_ptr() for name, grad in grads.items() if grad is not None})
        return update(*args)

    static.optimizer.step = noted  # type: ignore[method-assign]
    for batches in EPOCH:
        static.step(batches, 0, 0)
    assert all(one == places[0] for one in places)
    assert "unused" not in places[0]


def test_a_parameter_without_a_gradient_is_not_decayed() -> None:
    static = learner(Again())
    static.step([batch(0, 8)], 0, 0)
    assert torch.equal(static.model.unused, torch.ones(3))


def test_a_gradient_of_an_earlier_step_is_never_stepped_with() -> None:
    static = learner(Again(), lambda: SmallNet("lif"))
    static.step([batch(0, 8)], 0, 0)
    for parameter in static.model.parameters():
        parameter.grad = torch.full_like(parameter, torch.nan)
    static.step([batch(8, 16)], 0, 1)  # replayed
    static.step([batch(0, 6)], 0, 1)
    for parameter in static.model.parameters():
        parameter.grad = torch.full_like(parameter, torch.nan)
    static.step([batch(0, 3)], 0, 1)  # without a graph
    assert all(torch.isfinite(one).all() for one in static.model.parameters())


class Growing(nn.Module):
    """A network one parameter of which is used by small batches only."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.own = SmallNet("lif"), nn.Parameter(torch.ones(()))

    def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
        logits_TBK: torch.Tensor = self.net(x_TBCHW)
        return logits_TBK if x_TBCHW.shape[1] > 6 else logits_TBK * self.own


def test_a_parameter_that_one_kind_of_batch_uses_has_no_gradient_after_the_other() -> None:
    capture = Again()
    static = learner(capture, Growing)
    steps = [[batch(0, size)] for size in (8, 6, 8, 6)] + [
        [batch(0, 8), batch(0, 6)],
        [batch(0, 6), batch(0, 8)],
    ]
    same(trace(static, steps), trace(learner(None, Growing), steps))
    assert (capture.warmed_up, capture.recorded) == (2, 4)


def test_autocast_keeps_no_weights_which_a_graph_would_never_convert_again() -> None:
    seen = []

    def net() -> nn.Module:
        made_net = SmallNet("lif")
        made_net.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_cache_enabled()))
        return made_net

    learner(Again(), net, precision="bf16").step([batch(0, 8)], 0, 0)
    assert set(seen) == {False}


def test_a_result_outlives_the_next_step() -> None:
    static = learner(Again())
    first = static.step([batch(0, 8)], 0, 0)
    kept = first.loss.clone(), first.correct.clone()
    static.step([batch(8, 16)], 0, 1)
    same((first.loss, first.correct), kept)


def test_the_neurons_calls_are_counted_as_without_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Again):
        """Like a graph, it does not ask for a back end when it is replayed."""

        def record(self, work: Any) -> Any:
            replay = super().record(work)

            def silently() -> None:
                with backend("eager") as choice:
                    replay()
                    choice.counts.clear()

            return silently

    with backend("eager") as plain:
        trace(learner(None), EPOCH)
    for capture in (Again(), Silent()):
        with backend("eager") as static:
            trace(learner(capture), EPOCH)
        assert static.counts == plain.counts


def test_a_continued_learner_steps_like_the_unbroken_one() -> None:
    whole = trace(learner(Again()), EPOCH)
    stopped = learner(Again())
    trace(stopped, EPOCH[:2])
    state, random = copy.deepcopy(stopped.state_dict()), torch.get_rng_state()
    continued = learner(Again())
    continued.load_state_dict(state)
    torch.set_rng_state(random)
    for number, batches in enumerate(EPOCH[2:], start=2):
        continued.step(batches, 0, number)
    same(continued.state_dict(), whole[-1][3])


def test_a_state_that_is_loaded_between_steps_is_what_the_next_one_starts_from() -> None:
    static, plain = learner(Again()), learner(None)
    for one in (static, plain):
        torch.manual_seed(5)
        one.step(EPOCH[0], 0, 0)
        early = copy.deepcopy(one.state_dict())
        one.step(EPOCH[1], 0, 1)
        one.load_state_dict(early)
        one.step(EPOCH[3], 0, 2)
    same(static.state_dict(), plain.state_dict())


@pytest.mark.parametrize("threads", [False, True])
def test_the_backward_pass_stays_in_its_thread_unless_it_is_told_otherwise(threads: bool) -> None:
    seen = []

    class Sees(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            seen.append(torch._C._is_multithreading_enabled())
            return grads[0]

    class Watched(SmallNet):
        def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = Sees.apply(super().forward(x_TBCHW))
            return found

    learner(None, Watched, autograd_threads=threads).step([batch(0, 8)], 0, 0)
    assert seen == [threads]
    assert torch._C._is_multithreading_enabled()


def test_compiled_networks_are_recorded_as_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile is asked for no graphs of its own, and its code is made before the recording."""
    compile_, asked = torch.compile, []

    def traced(run: Any, **settings: Any) -> Any:
        asked.append(settings)
        return compile_(run, backend="aot_eager")

    class Order(Again):
        def record(self, work: Any) -> Any:
            frames.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
            replay = super().record(work)
            replay()
            frames.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
            return replay

    frames: list[int] = []
    monkeypatch.setattr(torch, "compile", traced)
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    with backend("eager"):
        static = learner(Order(), lambda: SmallNet("lif"), compile=True, cuda_graph="required")
        found = trace(static, EPOCH[:2])
        expected = trace(learner(None, lambda: SmallNet("lif"), compile=True), EPOCH[:2])
    torch.compiler.reset()
    assert asked == [{}, {}]
    assert frames[0] > 0
    assert frames[0] == frames[1]
    assert static.graphs is not None
    assert static.graphs.batch.tally.as_mapping() == {"replays": 2, "eager": 0, "why": {}}
    same(found, expected)


def test_graphs_that_torch_compile_makes_itself_are_not_recorded_into_others() -> None:
    from torch._inductor import config

    settings = TrainerConfig(compile=True)
    assert refusal(settings, Processes()) is None
    with config.patch({"triton.cudagraphs": True}):
        assert "TORCHINDUCTOR_CUDAGRAPHS" in (refusal(settings, Processes()) or "")
        assert refusal(TrainerConfig(), Processes()) is None
