"""Real recordings and images; SNNLAB_SHARED_DATA names the folder that holds them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from snnlab.data.readers import read_recording
from snnlab.datasets import (
    CIFAR10,
    CIFAR10DVS,
    NMNIST,
    SST2,
    SST5,
    DVSGesture,
    EvTouchContainers,
    EvTouchObjects,
    ImageNet,
    Waimai,
)
from tests.datasets.trees import CIFAR10_CLASSES

SHARED = Path(os.environ.get("SNNLAB_SHARED_DATA", "/nowhere"))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif("SNNLAB_SHARED_DATA" not in os.environ, reason="SNNLAB_SHARED_DATA is not set"),
]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNLAB_CACHE", str(tmp_path / "cache"))


def test_nmnist():
    from sklearn.linear_model import LogisticRegression

    dataset = NMNIST(SHARED, 10, split="stratified80_seed0")
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (801, 199)
    assert dataset.frames().frames.shape == (1040, 10, 2, 34, 34)
    assert dataset.verify() == []
    first = read_recording(dataset.find()[0].path)
    assert dataset.frames().frames[np.array([0])].astype(int).sum() == len(first)
    assert 280_000 < first.t[-1] < 330_000
    (x, y), (x_test, y_test) = (part.batch(range(len(part))) for part in (train, test))
    model = LogisticRegression(max_iter=400, tol=1e-3).fit(x.sum(1).flatten(1).float(), y)
    assert model.score(x_test.sum(1).flatten(1).float(), y_test) > 0.85


def test_cifar10(tmp_path):
    folder = SHARED / "cifar10"
    subprocess.run(
        [sys.executable, folder / "unpack.py", folder / "cifar-10-batches-py.zip", tmp_path], check=True
    )
    dataset = CIFAR10(tmp_path, normalize="exact")
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (50_000, 10_000)
    assert np.bincount(train.labels).tolist() == [5000] * 10
    x = dataset.decode(train.batch(range(0, 50_000, 10))[0])
    np.testing.assert_allclose(x.mean((0, 1, 3, 4)), dataset.mean, atol=0.005)
    np.testing.assert_allclose(x.transpose(0, 2).flatten(1).std(1), dataset.std, atol=0.005)
    assert dataset.verify() == []


def test_imagenet_layout():
    dataset = ImageNet(SHARED, folder="imagenette-mini", classes=10)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (300, 100)
    for part in (train, test):
        raw, _ = part.batch(range(0, len(part), 10))
        assert raw.shape[1:] == (3, 224, 224)
        assert 60 < raw.float().mean() < 180
    assert dataset.decode(raw).max() <= 1


def objects():
    """The events of each recording of an object, x, y, p, t, by increasing time."""
    return [read_recording(path) for path in sorted((SHARED / "dvs128-objects" / "session1").glob("*.aedat"))]


def test_aedat2_of_a_real_camera():
    for path in sorted((SHARED / "dvs128-objects" / "session1").glob("*.aedat")):
        events = read_recording(path)
        content = path.read_bytes()
        end = b"#End Of ASCII Header\r\n"
        assert len(events) * 8 == len(content) - content.index(end) - len(end)
        assert (np.diff(events.t) >= 0).mean() > 0.999
        assert 15e6 < events.t.max() - events.t.min() < 25e6
        assert len(np.unique(events.x)) > 100
        assert len(np.unique(events.y)) > 100
        assert 0.1 < events.p.mean() < 0.9


def test_dvs_gesture_of_real_events(tmp_path):
    names = []
    for label, events in enumerate(objects()):
        since = (events.t - events.t.min()) // 1000
        table = np.stack([events.x, events.y, events.p, since], 1)
        for user in range(1, 6):
            part = "ibmGestureTrain" if user < 5 else "ibmGestureTest"
            window = table[(since >= 3000 * (user - 1)) & (since < 3000 * user)]
            path = tmp_path / "dvs_gesture" / part / f"user{user:02d}_led" / f"{label}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, window)
            names.append((path, len(window)))
    dataset = DVSGesture(tmp_path, 16, by="duration", duration_ms=187.5)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (28, 7)
    frames = dataset.frames()
    for recording, index in zip(dataset.find(), range(35), strict=True):
        stored = frames.frames[np.array([index])].astype(int).sum()
        expected = dict(names)[recording.path]
        assert 0.98 * expected <= stored <= expected or frames.frames[np.array([index])].max() == 255
    x = dataset.decode(train.batch(range(8))[0])
    assert x.shape == (8, 16, 2, 32, 32)
    assert torch.isfinite(x).all()


def test_cifar10_dvs_of_real_events(tmp_path):
    for c, path in enumerate(sorted((SHARED / "dvs128-objects" / "session1").glob("*.aedat"))):
        content = path.read_bytes()
        start = 0
        while content[start : start + 1] == b"#":
            start = content.index(b"\n", start) + 1
        folder = tmp_path / "cifar10_dvs" / CIFAR10_CLASSES[c]
        folder.mkdir(parents=True)
        for window, number in enumerate((0, 1, 2, 900)):
            piece = content[start + window * 80_000 : start + (window + 1) * 80_000]
            (folder / f"cifar10_{CIFAR10_CLASSES[c]}_{number}.aedat").write_bytes(content[:start] + piece)
    dataset = CIFAR10DVS(tmp_path, 10, values="binary", tail="drop", scale="max")
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (21, 7)
    x = dataset.decode(test.batch(range(7))[0])
    assert x.shape == (7, 10, 2, 48, 48)
    assert 0 < x.mean() < 0.5
    assert x.max() <= 1.0001
    counts = CIFAR10DVS(tmp_path, 10)
    raw, _ = counts.test_set().batch(range(7))
    assert (raw.flatten(2).float().sum(2) <= 1000).all()
    assert raw.flatten(2).float().sum(2).mean() > 950


@pytest.mark.parametrize(
    ("cls", "activity", "score"), [(EvTouchObjects, 0.128, 0.75), (EvTouchContainers, 0.101, 0.5)]
)
def test_evtouch(cls, activity, score):
    from sklearn.linear_model import LogisticRegression

    dataset = cls(SHARED)
    assert dataset.verify() == []
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == dataset.parts
    assert len(set(np.bincount(train.labels))) == len(set(np.bincount(test.labels))) == 1
    (x, y), (x_test, y_test) = (part.batch(range(len(part))) for part in (train, test))
    mean = (x.sum() + x_test.sum()) / ((len(x) + len(x_test)) * dataset.native_steps * 2 * 39)
    assert mean == pytest.approx(activity, abs=0.0005)
    model = LogisticRegression(max_iter=400, tol=1e-3).fit(x.sum(1).flatten(1).float(), y)
    assert model.score(x_test.sum(1).flatten(1).float(), y_test) > score


@pytest.mark.parametrize(("cls", "majority"), [(SST2, 0.51), (SST5, 0.27), (Waimai, 0.67)])
def test_text(cls, majority):
    pytest.importorskip("tokenizers")
    pytest.importorskip("rjieba")
    dataset = cls(SHARED)
    assert dataset.verify() == []
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == dataset.parts
    assert np.bincount(test.labels).max() / len(test) == pytest.approx(majority, abs=0.01)
    raw, _ = test.batch(range(len(test)))
    assert raw.max() < dataset.words.count
    assert (raw == 1).sum() / (raw > 0).sum() < 0.15  # words that training does not know
    if cls is Waimai:
        texts, held_out = dataset.read(SHARED / "text")
        assert not set(texts.texts) & set(held_out.texts)
        assert len(texts.texts) - len(set(texts.texts)) == 7
