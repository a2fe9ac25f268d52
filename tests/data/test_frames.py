"""Events to frames: hand-made events, brute force, tonic's functions."""

import numpy as np
import pytest
import torch

from snnlab.data.frames import Events, Framing, frames_to_float, integrate


def events(rows):
    """From (x, y, p, t) rows."""
    return Events(*np.array(rows, np.int64).reshape(-1, 4).T)


def random_events(count, height, width, seed=0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(1000, 5000, count))
    return Events(
        rng.integers(width, size=count), rng.integers(height, size=count), rng.integers(2, size=count), t
    )


def frame_of_each(found, T, e, height, width):
    """For events on distinct pixels: the frame in which each one is, or -1."""
    hits = found[:, e.p, e.y, e.x]
    return [int(np.flatnonzero(column)[0]) if column.any() else -1 for column in hits.T]


def distinct(times, order=None):
    """One event per pixel of a 1 x N sensor."""
    n = len(times)
    return Events(np.arange(n), np.zeros(n, int), np.ones(n, int), np.array(times))


def test_place_polarity_and_count():
    e = events([(2, 1, 0, 0), (2, 1, 0, 1), (0, 0, 1, 2), (4, 2, 1, 3)])
    found = integrate(e, Framing(1), 3, 5)
    assert found.shape == (1, 2, 3, 5)
    assert found.dtype == np.uint8
    assert found[0, 0, 1, 2] == 2
    assert found[0, 1, 0, 0] == 1
    assert found[0, 1, 2, 4] == 1
    assert found.sum() == 4


@pytest.mark.parametrize(
    ("tail", "expected"),
    [("keep", [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2]), ("drop", [0, 0, 0, 1, 1, 1, 2, 2, 2, -1, -1])],
)
def test_by_number_edges(tail, expected):
    e = distinct(np.arange(11) ** 2)
    assert frame_of_each(integrate(e, Framing(3, tail=tail), 1, 11), 3, e, 1, 11) == expected


def test_by_time_edges_are_exact():
    # Ten microseconds in three frames: the edges are 3 1/3 and 6 2/3 after the first event.
    e = distinct([100, 103, 104, 106, 107, 110])
    assert frame_of_each(integrate(e, Framing(3, "time"), 1, 6), 3, e, 1, 6) == [0, 0, 1, 1, 2, 2]
    # Two frames of 5: an event on the edge belongs to the later frame.
    e = distinct([100, 104, 105, 110])
    assert frame_of_each(integrate(e, Framing(2, "time"), 1, 4), 2, e, 1, 4) == [0, 0, 1, 1]


def test_by_time_long_recording_does_not_overflow():
    e = distinct([0, 2**39, 2**40 - 1, 2**40])
    assert frame_of_each(integrate(e, Framing(2, "time"), 1, 4), 2, e, 1, 4) == [0, 1, 1, 1]


def test_by_duration_edges_and_what_comes_later():
    e = distinct([500, 2499, 2500, 4500, 6499, 6500, 9000])
    found = integrate(e, Framing(3, "duration", duration_ms=2.0), 1, 7)
    assert frame_of_each(found, 3, e, 1, 7) == [0, 0, 1, 2, 2, -1, -1]
    short = integrate(distinct([0, 1]), Framing(3, "duration", duration_ms=0.5), 1, 2)
    assert short.sum(axis=(1, 2, 3)).tolist() == [2, 0, 0]


@pytest.mark.parametrize("by", ["number", "time"])
@pytest.mark.parametrize("count", [1, 2, 7, 100, 1003])
def test_counts_are_conserved(by, count):
    e = random_events(count, 4, 6)
    found = integrate(e, Framing(5, by), 4, 6)
    assert found.sum() == count
    whole = np.zeros((2, 4, 6), int)
    np.add.at(whole, (e.p, e.y, e.x), 1)
    assert (found.sum(0) == whole).all()


def test_dropped_tail_is_the_remainder():
    assert integrate(random_events(1003, 4, 6), Framing(10, tail="drop"), 4, 6).sum() == 1000
    assert integrate(random_events(7, 4, 6), Framing(10, tail="drop"), 4, 6).sum() == 0


@pytest.mark.parametrize("by", ["number", "time", "duration"])
def test_no_events(by):
    assert integrate(events([]), Framing(3, by), 2, 2).sum() == 0


@pytest.mark.parametrize("by", ["number", "time", "duration"])
def test_all_events_at_once(by):
    e = distinct([7, 7, 7, 7])
    assert integrate(e, Framing(2, by, duration_ms=1.0), 1, 4).sum() == 4


def test_binary_and_saturation():
    e = events([(0, 0, 1, t) for t in range(300)] + [(1, 0, 0, 300)])
    assert integrate(e, Framing(1), 1, 2)[0, 1, 0, 0] == 255
    binary = integrate(e, Framing(1, values="binary"), 1, 2)
    assert binary[0, 1, 0, 0] == 1
    assert binary.sum() == 2


@pytest.mark.parametrize("row", [(2, 0, 0, 0), (0, 2, 0, 0), (0, 0, 2, 0), (-1, 0, 0, 0), (0, 0, -1, 0)])
def test_an_event_outside_of_the_sensor_is_an_error(row):
    with pytest.raises(ValueError, match="but the sensor has"):
        integrate(events([(0, 0, 0, 0), row]), Framing(1), 2, 2)


def test_agrees_with_slicing_one_event_at_a_time():
    e = random_events(1237, 8, 9)
    expected = np.zeros((10, 2, 8, 9), int)
    for i in range(1237):
        expected[min(i // 123, 9), e.p[i], e.y[i], e.x[i]] += 1
    assert (integrate(e, Framing(10), 8, 9) == expected).all()


def test_agrees_with_tonic_by_time():
    tonic = pytest.importorskip("tonic.functional")
    e = random_events(1237, 8, 9)
    # One microsecond a frame, where tonic's edges are exact; it loses the event on the last one.
    structured = np.zeros(1237, [("x", int), ("y", int), ("p", int), ("t", int)])
    structured["x"], structured["y"], structured["p"], structured["t"] = e.x, e.y, e.p, e.t
    span = int(e.t[-1] - e.t[0])
    theirs = tonic.to_frame_numpy(structured, (9, 8, 2), n_time_bins=span)
    ours = integrate(e, Framing(span, "time"), 8, 9)
    assert (ours[:-1] == theirs[:-1]).all()


def test_parameters_name_only_what_matters():
    assert Framing(4, duration_ms=5.0).parameters() == Framing(4, duration_ms=6.0).parameters()
    assert Framing(4, "duration", 5.0).parameters() != Framing(4, "duration", 6.0).parameters()
    assert Framing(4, "time", tail="drop").parameters() == Framing(4, "time").parameters()
    distinct_ones = [
        Framing(4),
        Framing(5),
        Framing(4, "time"),
        Framing(4, values="binary"),
        Framing(4, tail="drop"),
    ]
    assert len({str(framing.parameters()) for framing in distinct_ones}) == 5


@pytest.mark.parametrize("kwargs", [{"num_steps": 0}, {"num_steps": 2, "duration_ms": 0.0}])
def test_bad_framing(kwargs):
    with pytest.raises(ValueError, match="must be"):
        Framing(**kwargs)


def test_scales():
    raw = torch.tensor([[[[4, 1]], [[0, 2]]], [[[0, 0]], [[0, 0]]]], dtype=torch.uint8)  # [T=2, 2, 1, 2]
    assert torch.equal(frames_to_float(raw, "counts"), raw.float())
    assert torch.equal(frames_to_float(raw, "clip"), (raw > 0).float())
    scaled = frames_to_float(raw, "max")
    assert torch.equal(scaled[0], raw[0].float() / 4)
    assert torch.equal(scaled[1], torch.zeros(2, 1, 2))
    assert all(frames_to_float(raw, scale).dtype == torch.float32 for scale in ("counts", "max", "clip"))
