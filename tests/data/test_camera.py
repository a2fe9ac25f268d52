"""The simulated event camera against a pixel-by-pixel simulation, and its properties."""

import numpy as np
import pytest

from snnlab.data.camera import EventCamera, saccades


def camera(**kwargs):
    return EventCamera(
        **{
            "size": 6,
            "pixels_per_cell": 1.5,
            "threshold": 0.25,
            "threshold_spread": 0.0,
            "noise_rate": 0.0,
            **kwargs,
        }
    )


def recordings(count=4, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    pictures = rng.random((count, 4, 4))
    path, moments = saccades(np.full(count, 2.0), rng.uniform(-0.5, 0.5, (count, 2)), 10, 1000)
    generators = [np.random.default_rng([seed, i]) for i in range(count)]
    device = camera(**kwargs)
    return device, pictures, path, moments, device.record(pictures, path, moments, generators)


def simulate_pixel(log_K, time_K, threshold):
    """Walks along the piecewise linear log intensity in small steps."""
    found, level = [], log_K[0]
    for k in range(1, len(log_K)):
        while abs(log_K[k] - level) >= threshold:
            sign = 1 if log_K[k] > level else -1
            level += sign * threshold
            part = (level - log_K[k - 1]) / (log_K[k] - log_K[k - 1])
            t = time_K[k - 1] + int(np.floor(min(max(part, 0), 1) * (time_K[k] - time_K[k - 1])))
            found.append((t, sign > 0))
    return sorted(found)


def test_agrees_with_one_pixel_at_a_time():
    device, pictures, path, moments, found = recordings()
    log = np.log(device.dark + device._project(pictures, path))
    for i, events in enumerate(found):
        for y in range(6):
            for x in range(6):
                here = (events.x == x) & (events.y == y)
                mine = sorted(zip(events.t[here].tolist(), events.p[here].astype(bool).tolist(), strict=True))
                assert mine == simulate_pixel(log[i, :, y, x], moments, 0.25)
    assert sum(map(len, found)) > 200


def test_events_add_up_to_the_change_of_log_intensity():
    device, pictures, path, _, found = recordings()
    log = np.log(device.dark + device._project(pictures, path))
    for i, events in enumerate(found):
        net = np.zeros((6, 6))
        np.add.at(net, (events.y, events.x), 2 * events.p - 1)
        left_over = log[i, -1] - log[i, 0] - 0.25 * net
        assert (np.abs(left_over) < 0.25 + 1e-9).all()


def test_in_order_and_in_time():
    for events in recordings(noise_rate=1000.0)[-1]:
        assert (np.diff(events.t) >= 0).all()
        assert events.t.min() >= 0
        assert events.t.max() <= 3000


def test_a_picture_that_stands_still_gives_no_events():
    path, moments = np.zeros((1, 31, 2)), np.arange(31) * 100
    found = camera().record(np.ones((1, 4, 4)), path, moments, [np.random.default_rng(0)])
    assert len(found[0]) == 0


def test_a_bright_edge_that_comes_gives_on_events_and_off_events_when_it_goes():
    picture = np.zeros((1, 4, 4))
    picture[0, :, :2] = 1
    to_the_right = np.stack([np.linspace(0, 2, 11), np.zeros(11)], 1)[None]
    moments = np.arange(11) * 100
    there = camera().record(picture, to_the_right, moments, [np.random.default_rng(0)])[0]
    back = camera().record(picture, to_the_right[:, ::-1], moments, [np.random.default_rng(0)])[0]
    # The rear edge of the bar leaves the sensor's left side dark, so only its middle is looked at.
    assert there.p[there.x >= 3].all()
    assert (there.x >= 3).sum() > 5
    assert not back.p[back.x >= 3].any()


def test_noise_is_a_poisson_process_of_both_polarities():
    path, moments = np.zeros((400, 2, 2)), np.array([0, 1_000_000])
    generators = [np.random.default_rng([1, i]) for i in range(400)]
    found = camera(noise_rate=2.0).record(np.zeros((400, 4, 4)), path, moments, generators)
    counts = np.array([len(events) for events in found])
    assert counts.mean() == pytest.approx(72, abs=4 * np.sqrt(72 / 400))
    assert counts.var() == pytest.approx(72, rel=0.3)
    assert 0.45 < np.concatenate([events.p for events in found]).mean() < 0.55


def test_a_recording_does_not_depend_on_its_neighbours():
    device, pictures, path, moments, found = recordings(noise_rate=500.0, threshold_spread=0.05)
    alone = device.record(pictures[2:3], path[2:3], moments, [np.random.default_rng([0, 2])])[0]
    for name in ("x", "y", "p", "t"):
        assert (getattr(alone, name) == getattr(found[2], name)).all()


def test_thresholds_belong_to_the_camera():
    def counts(seed):
        return [len(events) for events in recordings(threshold_spread=0.1, seed=0)[-1]], [
            len(events)
            for events in camera(threshold_spread=0.1, seed=seed).record(
                *recordings()[1:4], [np.random.default_rng(0)] * 4
            )
        ]

    assert counts(0)[0] == counts(0)[1]
    assert counts(1)[0] != counts(1)[1]


def test_path_is_a_closed_triangle():
    path, moments = saccades(np.array([3.0]), np.array([[0.25, -0.5]]), 20, 100_000)
    assert path.shape == (1, 61, 2)
    assert moments[[0, 20, 40, 60]].tolist() == [0, 100_000, 200_000, 300_000]
    np.testing.assert_allclose(path[0, 0], path[0, -1])
    np.testing.assert_allclose(path[0, 20] - path[0, 0], [1.5, 3.0])
    np.testing.assert_allclose(path[0, 40] - path[0, 20], [1.5, -3.0])
    np.testing.assert_allclose((path[0].max(0) + path[0].min(0)) / 2, [0.25, -0.5])


def test_optics_keep_a_uniform_picture_uniform():
    device = EventCamera(6, 1.5, 0.25, 0.0, 0.0)
    shown = device._project(np.ones((1, 20, 20)), np.array([[[0.3, -1.2]]]))
    np.testing.assert_allclose(shown, 1.0)
