"""Steps on static tensors equal steps without, bit for bit: what a graph replays is done again by a stand-in."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from snnlab.kernels import backend
from tests.train.again import Again
from tests.train.compared_steps import EPOCH, Growing, StillToy, batch, learner, same, trace
from tests.train.small_net import SmallNet

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
