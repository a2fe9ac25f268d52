"""The neuron of converted networks: its own steps, its alignment, its closed form."""

import pytest
import torch

from snnlab.neurons import IF, MixedIF
from snnlab.time_axis import average, nearest


def make(steps, theta=1.0, consumers=(), **options):
    neuron = MixedIF(**options).double()
    neuron.set_extra_state(torch.tensor([steps, *consumers]))
    neuron.theta.fill_(theta)
    return neuron


def currents(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.4


def test_alignments():
    x = torch.tensor([1.0, 0.0, 1.0, 1.0]).view(4, 1)
    assert average(x, 3).flatten().tolist() == [0.75] * 3
    assert nearest(x, 2).flatten().tolist() == [1, 1]
    assert nearest(x, 6).flatten().tolist() == [1, 1, 0, 1, 1, 1]
    assert nearest(x, 8).flatten().tolist() == [1, 1, 0, 0, 1, 1, 1, 1]
    assert torch.equal(nearest(x, 4), x)


@pytest.mark.parametrize("steps", [1, 2, 5, 8])
def test_a_constant_current_gives_the_same_spikes_with_and_without_a_loop(steps):
    q = 3 * currents(1, 5000)
    loop, closed = make(steps, 0.7)(q), make(steps, 0.7, closed_form=True)(q)
    assert loop.shape == (steps, 5000)
    assert torch.equal(loop, closed)
    expected = (q[0] / 0.7 * steps + 0.5).floor().clamp(0, steps)
    assert torch.equal((loop.sum(0) / 0.7).round(), expected)


def test_it_is_a_soft_reset_if_with_half_a_threshold_to_start_from():
    x = currents(6, 400)
    expected = IF(reset="soft", threshold=0.7, v_init=0.35).double()(x) * 0.7
    torch.testing.assert_close(make(6, 0.7)(x), expected)


@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        (2, {}, "mean"),
        (2, {"rising": "upsample"}, "nearest"),
        (8, {"rising": "upsample"}, "mean"),
        (8, {"falling": "downsample"}, "nearest"),
        (2, {"falling": "downsample"}, "mean"),
        (4, {}, "kept"),
        (4, {"equal": "average"}, "mean"),
        (1, {"equal": "average"}, "kept"),
    ],
)
def test_the_input_is_aligned_to_its_own_steps(given, options, expected):
    x = currents(given, 50)
    aligned = make(4, **options).align(x)
    if expected == "kept":
        assert aligned is x
    else:
        other = x.mean(0, keepdim=True) if expected == "mean" else nearest(x, 4)
        assert torch.equal(aligned, other)


def test_means_go_out_only_if_all_that_follow_average():
    x = currents(1, 50)
    spikes = make(4)(x)
    for consumers, options, steps in (
        ((3, 8), {}, 1),
        ((), {}, 1),
        ((4, 8), {}, 4),
        ((4, 8), {"equal": "average"}, 1),
        ((3, 8), {"rising": "upsample"}, 4),
    ):
        y = make(4, consumers=consumers, averaged="spikes", **options)(x)
        assert len(y) == steps
        torch.testing.assert_close(y.mean(0), spikes.mean(0))


def test_state_is_kept_with_the_weights_and_time_can_be_scaled():
    other = MixedIF(time_scale=3).double()
    other.load_state_dict(make(4, 0.7, (2, 5)).state_dict())
    assert other.time_steps == 12
    assert other.get_extra_state().tolist() == [4, 2, 5]
    assert other(currents(1, 50)).shape == (12, 50)
    assert other.per_step
    assert not MixedIF().per_step
