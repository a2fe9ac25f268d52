"""SL-Animals-DVS from made-up recordings and tags in the published form."""

import numpy as np
import pytest

from snnlab.data.aedat_words import dvs128_events, read_words
from snnlab.datasets import SLAnimalsDVS
from snnlab.errors import DataError
from tests.datasets import trees

PERSONS = ["user00_indoor", "user14_indoor", "user20_sunlight", "user33_imse", "user36_dc"]
EVENTS = 40


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    trees.write_sl_animals(tmp_path / "sl_animals_dvs", PERSONS, EVENTS)
    return tmp_path


def write_aedat2(path, rows):
    """Upright, where that of CIFAR10-DVS lies on its side as published."""
    trees.write_aedat2(path, rows[:, [1, 0, 2, 3]])


def of_sign(person, sign):
    rows = trees.random_rows(19 * (EVENTS + 1), 128, 128, PERSONS.index(person))
    return rows[sign * (EVENTS + 1) :][:EVENTS]


def test_signs_are_cut_by_the_tags(root):
    dataset = SLAnimalsDVS(root, 4, image_size=128)
    assert (dataset.num_classes, dataset.class_names[0], dataset.class_names[18]) == (19, "cat", "zebra")
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (3 * 19, 2 * 19)
    assert train.labels.tolist() == list(range(19)) * 3
    frames, label = test[19 + 7]
    assert label == 7
    assert (frames.numpy().sum(0) == trees.counted(of_sign("user33_imse", 7), 128, 128)).all()
    assert dataset.status().samples == 95
    assert "a subset, 95 of 1121" in dataset.status().note
    assert dataset.verify() == []


@pytest.mark.parametrize(
    "write",
    [
        write_aedat2,
        lambda path, rows: trees.write_aedat3(path, rows, own=False),
        lambda path, rows: trees.write_aedat3(path, rows, own=False, special=3),
        lambda path, rows: trees.write_aedat3(path, rows, per_packet=7, special=2),
    ],
    ids=["2.0", "3.1 with addresses of 2.0", "the same, special", "3.1, special"],
)
def test_every_form_of_the_file_shows_the_same(tmp_path, write):
    rows = trees.random_rows(100, 128, 128, 0)
    write(tmp_path / "user01_dc.aedat", rows)
    events = dvs128_events(read_words(tmp_path / "user01_dc.aedat"))
    assert (np.stack([events.x, events.y, events.p], 1) == rows[:, :3]).all()
    assert (np.diff(events.t) == np.diff(rows[:, 3])).all()


def test_special_events_are_counted_but_not_shown(tmp_path):
    """Tags count all that is in the file, so an entry that is no pixel event may not move them."""
    trees.write_sl_animals(tmp_path / "sl_animals_dvs", PERSONS, EVENTS, write_aedat2)
    file = tmp_path / "sl_animals_dvs/recordings/user14_indoor.aedat"
    content = bytearray(file.read_bytes())
    first = len(content) - 8 * 19 * (EVENTS + 1)
    content[first + 2] |= 0x80  # bit 15 of the first address
    file.write_bytes(content)
    frames, _ = SLAnimalsDVS(tmp_path, 4).test_set()[0]
    assert frames.sum() == EVENTS - 1
    frames, _ = SLAnimalsDVS(tmp_path, 4).test_set()[1]
    assert (frames.numpy().sum(0) == trees.counted(of_sign("user14_indoor", 1), 128, 128)).all()


def test_splits(root):
    dataset = SLAnimalsDVS(root, 4, split="stratified75_seed0", indoor=False)
    assert len(dataset.train_set()) + len(dataset.test_set()) == 3 * 19
    assert set(dataset.test_set().labels) == set(range(19))
    names = [f"user{k:02d}_dc/00-0-1" for k in range(60) if k != 4]
    split = SLAnimalsDVS(root).split(names, np.zeros(59, np.int64))
    assert [int(names[i][4:6]) for i in split.test] == [14, 15, 16, 17, 23, 24, 33, 34, *range(54, 60)]


def test_the_folders_of_the_published_archives(root):
    folder = root / "sl_animals_dvs"
    before = SLAnimalsDVS(root).find()
    (folder / "recordings").rename(folder / "allusers_aedat")
    (folder / "tags").rename(folder / "tags_updated_19_08_2020")
    folder.rename(root / "SL-Animals-DVS")
    assert [one.name for one in SLAnimalsDVS(root).find()] == [one.name for one in before]


def test_other_tags_are_other_data_and_other_frames(root):
    before = SLAnimalsDVS(root, 4)
    identity, frames = before.identity(), before.test_set()[0][0]
    tags = root / "sl_animals_dvs/tags/user14_indoor.csv"
    tags.write_text(tags.read_text().replace("1,0,40", "1,100,240"))
    after = SLAnimalsDVS(root, 4)
    assert after.identity().hash != identity.hash
    assert not np.array_equal(after.test_set()[0][0], frames)
    assert after.test_set()[0][0].sum() == 140


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("class,startTime_ev\n1,2\n", "no column endTime_ev"),
        ("", "no column class, but nothing"),
        ("class,startTime_ev,endTime_ev\n", "holds no tag"),
        ("class,startTime_ev,endTime_ev\n20,0,5\n", "line 2: class 20 .* classes are 1 to 19"),
        ("class,startTime_ev,endTime_ev\n0,0,5\n", "line 2: class 0"),
        ("class,startTime_ev,endTime_ev\n1,5,5\n", "an end comes after its start"),
        ("class,startTime_ev,endTime_ev\n1,0\n", "line 2: expected class, startTime_ev, endTime_ev"),
        ("class,startTime_ev,endTime_ev\n1,0,1e3\n", "line 2: expected"),
        ("class,startTime_ev,endTime_ev\n1,0,9999999999999999999\n", "line 2: expected"),
        (
            "class,startTime_ev,endTime_ev\n1,0,780\n",
            r"user14_indoor\.aedat holds 779 events, and its tags name 780",
        ),
    ],
)
def test_tags_that_do_not_fit_are_one_error(root, tags, said):
    (root / "sl_animals_dvs/tags/user14_indoor.csv").write_text(tags)
    with pytest.raises(DataError, match=said):
        SLAnimalsDVS(root, 4).prepare()


def test_columns_may_be_in_another_order_and_more(root):
    tags = root / "sl_animals_dvs/tags/user14_indoor.csv"
    tags.write_text("startTime_ev,name,endTime_ev, class\n0,cat,40,1\n41,dog,81,2\n")
    assert SLAnimalsDVS(root, 4).test_set().labels.tolist()[:3] == [0, 1, 0]


@pytest.mark.parametrize("gone", ["tags/user20_sunlight.csv", "recordings/user20_sunlight.aedat"])
def test_a_recording_needs_its_tags(root, gone):
    (root / "sl_animals_dvs" / gone).unlink()
    dataset = SLAnimalsDVS(root, 4)
    with pytest.raises(DataError, match=r"holds .* of user20_sunlight and no"):
        dataset.prepare()
    assert dataset.status().damaged


def test_another_camera_is_named(root):
    rows = trees.random_rows(800, 200, 200, 0)
    trees.write_aedat3(root / "sl_animals_dvs/recordings/user14_indoor.aedat", rows)
    with pytest.raises(
        DataError, match=r"user14_indoor\.aedat has events at column .*, beyond the 128 x 128"
    ):
        SLAnimalsDVS(root, 4).prepare()


def test_foreign_files_are_left_out(root):
    before = SLAnimalsDVS(root).identity()
    for name in (
        "recordings/._user00_indoor.aedat",
        "recordings/user00_indoor (1).aedat",
        "recordings/user00_indoor.aedat.part",
        "tags/user00_indoor.csv~",
        "tags/notes.csv",
        "readme.txt",
    ):
        (root / "sl_animals_dvs" / name).write_bytes(b"no recording")
    assert SLAnimalsDVS(root).identity() == before
