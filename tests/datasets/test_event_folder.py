"""Event recordings of one's own, from small folders."""

import numpy as np
import pytest

from snnlab.datasets import EventFolder
from snnlab.errors import ConfigError, DataError
from tests.datasets.recordings import write_evt2
from tests.datasets.trees import counted, random_rows


@pytest.fixture
def moves(tmp_path):
    for name in ("left", "right"):
        for k in range(5):
            (tmp_path / "moves" / name).mkdir(parents=True, exist_ok=True)
            write_evt2(tmp_path / "moves" / name / f"{k}.raw", random_rows(50, 24, 32, k))
    return tmp_path / "moves"


def own(moves, **keys):
    return EventFolder(moves.parent / "data", 4, folder=moves, **keys)


def test_sensor_classes_and_split_are_read_from_the_folder(moves):
    dataset = own(moves)
    assert dataset.class_names == ("left", "right")
    assert (dataset.sensor, dataset.image_size, dataset.name) == ((24, 32), 32, "moves")
    assert dataset.split_name == "stratified80_seed0"
    assert (len(dataset.train_set()), len(dataset.test_set())) == (8, 2)
    frames = dataset.frames()
    picture = frames.frames[np.array([frames.names.index("right/3.raw")])][0].sum(0)
    assert (picture == counted(random_rows(50, 24, 32, 3), 24, 32)).all()
    assert dataset.status().cached
    assert dataset.verify() == []
    assert len(dataset.contents()) == 4


def test_the_frames_lie_apart_from_the_recordings(moves):
    own(moves).prepare()
    assert sorted(path.name for path in moves.iterdir()) == ["left", "right"]
    assert own(moves.parent / "data", width=2, height=2).own.there is False


def test_folders_of_parts_are_the_split(moves):
    for part in ("train", "test"):
        (moves.parent / "both").mkdir(exist_ok=True)
        (moves.parent / "both" / part).symlink_to(moves)
    dataset = own(moves.parent / "both")
    assert dataset.split_name == "folders"
    assert (len(dataset.train_set()), len(dataset.test_set())) == (10, 10)


def test_a_sensor_that_no_file_says_has_to_be_given(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "own" / name).mkdir(parents=True)
        np.save(tmp_path / "own" / name / "0.npy", random_rows(50, 24, 32, 0))
    with pytest.raises(DataError, match=r"x from \d+ to 31 and y from \d+ to 23.*dataset\.width=W"):
        own(tmp_path / "own", columns="xypt")
    with pytest.raises(ConfigError, match="one is given without the other"):
        own(tmp_path / "own", columns="xypt", width=32)
    with pytest.raises(ConfigError, match="'xyp' has not each of"):
        own(tmp_path / "own", columns="xyp")
    assert len(own(tmp_path / "own", columns="xypt", width=32, height=24, fraction=0.5).frames().names) == 2


def test_other_meanings_are_other_frames(moves):
    folders = {own(moves, **keys).cache_folder() for keys in ({}, {"time_unit": "ms"}, {"first_pixel": 1})}
    assert len(folders) == 3


def test_damaged_recordings_are_named_by_verify(moves):
    (moves / "left" / "2.raw").write_bytes(b"% evt 2.0\n% end\nabc")
    (problem,) = own(moves).verify()
    assert "left/2.raw ends in the middle of an event" in problem


def test_verify_says_what_to_do_about_a_wrong_unit(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "own" / name).mkdir(parents=True)
        np.save(
            tmp_path / "own" / name / "0.npy",
            np.array([[0, 0, 1, 0.0], [1, 1, 0, 0.1], [1, 0, 0, 0.25], [0, 1, 1, 0.3]]),
        )
    first, second = own(tmp_path / "own", columns="xypt", width=2, height=2, fraction=0.5).verify()
    assert "shorter than a recording is likely to be; dataset.time_unit names the unit: s" in first
    assert second.endswith("likely to be"), "said once"


def test_more_recordings_are_other_data(moves):
    before = own(moves).identity()
    write_evt2(moves / "left" / "9.raw", random_rows(50, 24, 32, 9))
    after = own(moves).identity()
    assert (after.files, after.hash != before.hash) == (before.files + 1, True)


def test_what_is_assumed_is_said_once_where_frames_are_made(tmp_path, caplog):
    for name in "ab":
        (tmp_path / "plain" / name).mkdir(parents=True)
        for k in range(4):
            rows = np.array(random_rows(50, 24, 32, k))
            np.savez(
                tmp_path / "plain" / name / f"{k}.npz", x=rows[:, 0], y=rows[:, 1], p=rows[:, 2], t=rows[:, 3]
            )
    for count in (1, 1):
        own(tmp_path / "plain", width=32, height=24).prepare()
        assert (
            caplog.text.count("plain: no unit of time is given, microseconds are assumed: a/0.npz lasts")
            == count
        )
    assert "microseconds are assumed" in own(tmp_path / "plain", width=32, height=24).contents()[-1]
    with_unit = own(tmp_path / "plain", width=32, height=24, time_unit="us")
    assert "assumed" not in with_unit.contents()[-1]
