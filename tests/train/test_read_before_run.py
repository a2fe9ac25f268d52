"""Before a run, some files of every class are read as a training reads them, whatever the data set."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab import build
from snnlab.cli import main
from snnlab.data import few_of_many as chosen
from snnlab.data.few_of_many import few_of_many
from snnlab.runs.load import load
from tests.datasets.trees import random_rows, write_saccades

NETWORK = (
    "model=vgg_snn",
    "model.channels=[4,4]",
    "trainer.epochs=1",
    "trainer.batch_size=4",
    "trainer.device=cpu",
)
EVENTS = ("dataset=event_folder", "dataset.folder=moves", "dataset.width=32", "dataset.height=24")
PICTURES = ("dataset=image_folder", "dataset.folder=pets", "dataset.image_size=16")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    return tmp_path


def recordings(change=lambda row: row, only=None):
    """Recordings t, x, y, p; `change` alters the one of the name `only`, or all."""
    for name in ("left", "right"):
        for k in range(5):
            table = random_rows(300, 24, 32, k)[:, [3, 0, 1, 2]]
            path = place("moves", name, f"{k}.npy")
            np.save(path, change(table) if only in (None, f"{name}/{k}") else table)


def place(*parts):
    path = Path(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def said(capsys, *line):
    capsys.readouterr()
    code = main(list(line))
    return code, capsys.readouterr().err.splitlines()[-2:]


ALL = {
    "no columns": (EVENTS, lambda t: t, None, "the columns have no names"),
    "columns of another order": ((*EVENTS, "dataset.columns=xytp"), lambda t: t, None, ""),
    "another unit": (
        (*EVENTS, "dataset.columns=txyp", "dataset.time_unit=s"),
        lambda t: t,
        None,
        "longer than a recording can be",
    ),
    "more steps than events": (
        (*EVENTS, "dataset.columns=txyp", "num_steps=400"),
        lambda t: t,
        None,
        "holds 300 events, fewer than the 400 time steps",
    ),
    "polarities of one recording": (
        (*EVENTS, "dataset.columns=txyp"),
        lambda t: t * [1, 1, 1, 0] + [0, 0, 0, 7],
        "right/3",
        "polarities 7",
    ),
    "the sensor of one recording": (
        (*EVENTS, "dataset.columns=txyp"),
        lambda t: np.add(t, [0, 40, 0, 0]),
        "left/4",
        "events with x from",
    ),
}


@pytest.mark.parametrize("kind", ALL)
def test_recordings_are_refused_by_check_as_by_train(here, capsys, kind):
    line, change, only, error = ALL[kind]
    recordings(change, only)
    line = (*line, *NETWORK)
    checked = said(capsys, "check", *line)
    assert checked[0] == 2
    assert error in checked[1][0]
    assert checked == said(capsys, "train", *line)
    assert not (here / "runs").exists()


@pytest.mark.parametrize("broken", ["cats/0.png", "owls/4.png"])
def test_pictures_are_refused_by_check_as_by_train(here, capsys, broken):
    for name in ("cats", "owls"):
        for k in range(6):
            Image.effect_noise((20, 20), 50).save(place("pets", name, f"{k}.png"))
    path = here / "pets" / broken
    path.write_bytes(path.read_bytes()[:200])
    line = (*PICTURES, *NETWORK)
    checked = said(capsys, "check", *line)
    assert checked[0] == 2
    assert broken in checked[1][0]
    assert checked == said(capsys, "train", *line)


def test_published_recordings_are_read_until_their_frames_are_there(here, capsys):
    for part in ("Train", "Test"):
        for label in range(10):
            write_saccades(
                here / "data/nmnist/NMNIST" / part / str(label) / "00001.bin", random_rows(60, 34, 34, label)
            )
    line = ("dataset=nmnist", *NETWORK, "num_steps=2")
    dataset = build.build_dataset(load(list(line)))
    dataset.read_some()
    damaged = here / "data/nmnist/NMNIST/Test/7/00001.bin"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-2])
    checked = said(capsys, "check", *line)
    assert checked[0] == 2
    assert "Test/7/00001.bin ends in the middle of an event" in checked[1][0]
    damaged.write_bytes(whole)
    dataset.prepare()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(dataset), "read", lambda *_: pytest.fail("read, though its frames are there"))
        assert main(["check", *line]) == 0


def test_a_sweep_is_refused_before_its_first_job_and_reads_the_same_data_once(here, capsys, monkeypatch):
    recordings()
    monkeypatch.setattr("snnlab.sweep.run.PointTask", lambda *_, **__: pytest.fail("a job was started"))
    code, lines = said(capsys, "train", "-m", *EVENTS, *NETWORK, "neuron=lif,plif")
    assert code == 2
    assert "the columns have no names" in lines[0]
    line = (*EVENTS, "dataset.columns=txyp", *NETWORK)
    code, lines = said(capsys, "train", "-m", *line, "num_steps=4,400")
    assert code == 2
    assert "fewer than the 400 time steps" in lines[0]
    assert "point 2 of 2: num_steps=400" in lines[1]
    tried = []
    monkeypatch.setattr("snnlab.data.integration.Integration.try_some", lambda *_: tried.append(1))
    with pytest.raises(pytest.fail.Exception, match="a job"):
        main(["train", "-m", *line, "neuron=lif,plif", "num_steps=2,4"])
    assert len(tried) == 2


def test_nothing_is_read_of_what_is_still_to_come(here):
    for name in ("cifar10", "tiny_imagenet", "nmnist", "sst2"):
        build.build_dataset(load([f"dataset={name}"])).read_some()


def test_few_of_many(monkeypatch):
    classes = np.array([1] * 40 + [0] * 40)
    assert few_of_many(np.array([2, 2, 0, 1, 1])) == [0, 1, 2, 3, 4]
    few = few_of_many(classes)
    assert len(few) == chosen.MOST
    assert np.bincount(classes[few]).tolist() == [32, 32]
    assert few_of_many(classes, lambda _: chosen.CHEAP) == [0, 40], "each class's first, whatever its size"
    assert few_of_many(classes, lambda _: chosen.CHEAP // 4) == [0, 1, 40, 41]
    many = few_of_many(np.arange(1000))
    assert (len(many), many[0], many[-1]) == (chosen.MOST, 0, 999)
