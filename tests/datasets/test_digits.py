"""The embedded digits, still and as events."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from snnlab.datasets import Digits, DigitsDVS


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    dataset = DigitsDVS(tmp_path_factory.mktemp("data"), 5)
    dataset.prepare()
    return dataset


def test_still_images_are_scikit_learns(tmp_path):
    dataset = Digits(tmp_path, image_size=8)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (1437, 360)
    digits = load_digits()
    raw, target = train.batch(range(1437))
    shown = dataset.decode(raw)[:, 0, 0].double().numpy() * 16
    np.testing.assert_allclose(shown, digits.images[train.index], atol=0.04)
    assert target.tolist() == digits.target[train.index].tolist()
    normalised = (dataset.decode(raw) - dataset.mean[0]) / dataset.std[0]
    assert normalised.mean().abs() < 1e-3
    assert abs(normalised.std() - 1) < 1e-3


def test_both_forms_hold_out_the_same_digits(events, tmp_path):
    still = Digits(tmp_path)
    assert (still.test_set().index == events.test_set().index).all()
    assert (still.test_set().labels == events.test_set().labels).all()
    assert set(still.train_set().index).isdisjoint(still.test_set().index)


def test_event_frames(events):
    train, test = events.train_set(), events.test_set()
    assert (len(train), len(test)) == (1437, 360)
    raw, _ = train.batch(range(1437))
    assert raw.shape == (1437, 5, 2, 16, 16)
    counts = raw.sum(dim=(2, 3, 4)).float()
    assert 150 < counts.mean() < 600
    # By number: all frames but the last are equal, the last has up to four more.
    assert (counts[:, :4] == counts[:, :1]).all()
    assert ((counts[:, 4] - counts[:, 0] >= 0) & (counts[:, 4] - counts[:, 0] < 5)).all()
    assert raw.max() < 255
    off, on = raw.sum(dim=(0, 1, 3, 4)).tolist()
    assert 0.8 < on / off < 1.25


def test_frames_are_those_of_the_recordings(events):
    from snnlab.data.frames import integrate

    recordings = events.find()
    chosen = [recordings[i] for i in (0, 1000, 1796)]
    cache = events.frames()
    for index, found in zip((0, 1000, 1796), events.read(chosen), strict=True):
        expected = integrate(found, events.framing, 16, 16)
        assert (cache.frames[np.array([index])][0] == expected).all()
        assert found.t.max() <= 300_000


def test_a_second_object_uses_the_cache(events):
    again = DigitsDVS(events.root, 5)
    again.read = None
    again.prepare()
    assert again.status().cached
    assert again.verify() == []


def test_other_settings_are_other_caches(events):
    folders = {
        DigitsDVS(events.root, steps, **kwargs).cache_folder()
        for steps, kwargs in [
            (5, {}),
            (6, {}),
            (5, {"by": "time"}),
            (5, {"values": "binary"}),
            (5, {"seed": 1}),
            (5, {"threshold": 0.3}),
            (5, {"noise_rate": 0.0}),
        ]
    }
    assert len(folders) == 7
    assert DigitsDVS(events.root, 5, image_size=32, scale="max").cache_folder() == events.cache_folder()


def test_the_seed_is_the_cameras_not_the_global_one(events):
    recordings = events.find()[:3]
    torch.manual_seed(5)
    first = events.read(recordings)
    second = events.read(recordings[1:2])[0]
    assert (first[1].t == second.t).all()
    other = DigitsDVS(events.root, 5, seed=1).read(recordings)
    assert len(other[0]) != len(first[0]) or (other[0].t != first[0].t).any()


def test_decoding_sizes_and_scales(events):
    raw, _ = events.test_set().batch(range(4))
    assert torch.equal(events.decode(raw), raw.float())
    big = DigitsDVS(events.root, 5, image_size=32, scale="clip").decode(raw)
    assert big.shape == (4, 5, 2, 32, 32)
    assert big.max() <= 1.0001
    small = DigitsDVS(events.root, 5, image_size=8).decode(raw)
    assert small.mean() == pytest.approx(raw.float().mean().item(), rel=0.05)


def test_a_linear_reader_tells_the_digits_apart(events):
    from sklearn.linear_model import LogisticRegression

    (train, y), (test, y_test) = (s.batch(range(len(s))) for s in (events.train_set(), events.test_set()))
    model = LogisticRegression(max_iter=400, tol=1e-3).fit(train.flatten(1).float().numpy(), y.numpy())
    assert model.score(test.flatten(1).float().numpy(), y_test.numpy()) > 0.93
