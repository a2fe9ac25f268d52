"""The published event data sets, from small folders in their on-disk formats."""

import shutil
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from snnlab.datasets import CIFAR10DVS, NMNIST, DVSGesture, NCaltech101
from snnlab.errors import DataError
from tests.datasets import trees
from tests.datasets.trees import counted, random_rows


def whole(dataset, name):
    """All events of a cached recording in one picture."""
    cache = dataset.frames()
    index = cache.names.index(name)
    return cache.frames[np.array([index])][0].astype(int).sum(0), cache.labels[index]


@pytest.fixture
def nmnist(tmp_path):
    folder = tmp_path / "nmnist" / "NMNIST"
    for digit in range(10):
        for k in (3, 11, 7, 100, 20):
            trees.write_saccades(folder / "Train" / str(digit) / f"{k:05d}.bin", random_rows(50, 34, 34, k))
        if digit != 8:
            trees.write_saccades(folder / "Test" / str(digit) / "00001.bin", random_rows(50, 34, 34, digit))
    return tmp_path


def test_nmnist_counts_what_is_there_and_sorts_it(nmnist):
    dataset = NMNIST(nmnist, 4, split="stratified80_seed0")
    status = dataset.status()
    assert (status.samples, status.expected, status.cached) == (59, 70_000, False)
    assert "a subset" in status.note
    assert status.where == nmnist / "nmnist" / "NMNIST"
    dataset.prepare()
    assert dataset.status().cached
    names = dataset.frames().names
    assert names[:5] == tuple(f"Train/0/{k:05d}.bin" for k in (3, 7, 11, 20, 100))
    picture, label = whole(dataset, "Train/4/00011.bin")
    assert label == 4
    assert (picture == counted(random_rows(50, 34, 34, 11), 34, 34)).all()


def test_nmnist_stratified_split_of_the_training_part(nmnist):
    dataset = NMNIST(nmnist, 4, split="stratified80_seed0")
    train, test = dataset.train_set(), dataset.test_set()
    assert np.bincount(train.labels).tolist() == [4] * 10
    assert np.bincount(test.labels).tolist() == [1] * 10
    names = np.array(dataset.frames().names)
    assert all(name.startswith("Train/") for name in [*names[train.index], *names[test.index]])
    assert set(train.index).isdisjoint(test.index)


def test_nmnist_published_split_says_what_is_missing(nmnist):
    with pytest.raises(DataError, match="its 9 recordings hold no 8") as caught:
        NMNIST(nmnist, 4).test_set()
    assert "dataset.split=stratified80_seed0" in caught.value.hint
    trees.write_saccades(nmnist / "nmnist/NMNIST/Test/8/00001.bin", random_rows(50, 34, 34, 8))
    complete = NMNIST(nmnist, 4)
    assert (len(complete.train_set()), len(complete.test_set())) == (50, 10)


def test_more_files_make_the_cache_anew(nmnist):
    NMNIST(nmnist, 4).prepare()
    trees.write_saccades(nmnist / "nmnist/NMNIST/Test/8/00001.bin", random_rows(50, 34, 34, 8))
    assert "was made of 59 recordings, now there are 60" in NMNIST(nmnist, 4).verify()[0]
    grown = NMNIST(nmnist, 4)
    grown.prepare()
    assert len(grown.frames().names) == 60
    assert grown.verify() == []


def test_frames_without_the_recordings_still_work(nmnist):
    NMNIST(nmnist, 4, split="stratified80_seed0").prepare()
    shutil.rmtree(nmnist / "nmnist" / "NMNIST")
    dataset = NMNIST(nmnist, 4, split="stratified80_seed0")
    assert len(dataset.train_set()) == 40
    assert dataset.status().present
    assert "recordings are gone" in dataset.status().note


def test_archives_put_in_place_are_unpacked(nmnist, tmp_path_factory):
    source = nmnist / "nmnist" / "NMNIST"
    root = tmp_path_factory.mktemp("fresh")
    (root / "nmnist").mkdir()
    for part in ("Train", "Test"):
        with zipfile.ZipFile(root / "nmnist" / f"{part.lower()}.zip", "w") as archive:
            for file in (source / part).rglob("*.bin"):
                archive.write(file, file.relative_to(source))
    assert not NMNIST(root, 4).status().present
    dataset = NMNIST(root, 4, split="stratified80_seed0")
    dataset.prepare()
    assert len(dataset.frames().names) == 59


def test_a_damaged_recording_is_named(nmnist):
    trees.write_saccades(nmnist / "nmnist/NMNIST/Train/3/00500.bin", np.array([[40, 0, 0, 0]]))
    with pytest.raises(DataError, match=r"00500\.bin cannot be read: events with x from 40 to 40"):
        NMNIST(nmnist, 4).prepare()


def test_a_read_only_root_gets_its_cache_elsewhere(nmnist, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    (nmnist / "nmnist").chmod(0o555)
    try:
        assert NMNIST(nmnist, 4).cache_folder().is_relative_to(home / "snnlab" / "nmnist")
    finally:
        (nmnist / "nmnist").chmod(0o755)
    assert NMNIST(nmnist, 4).cache_folder().parent == nmnist / "nmnist"
    monkeypatch.setenv("SNNLAB_CACHE", str(home / "chosen"))
    assert NMNIST(nmnist, 4).cache_folder().parent == home / "chosen" / "nmnist"


def cifar10_dvs(root, write, ending, folder="cifar10_dvs"):
    for c, name in enumerate(trees.CIFAR10_CLASSES):
        for k in (0, 5, 10, 899, 900, 999):
            path = root / folder / name / f"cifar10_{name}_{k}{ending}"
            write(path, random_rows(40, 128, 128, 1000 * c + k))


@pytest.mark.parametrize(
    ("write", "ending", "folder"),
    [
        (trees.write_aedat2, ".aedat", "cifar10_dvs"),
        (trees.write_aedat2, ".aedat", "CIFAR10DVS/extract"),
        (trees.write_npz, ".npz", "cifar10_dvs/events_np"),
    ],
)
def test_cifar10_dvs(tmp_path, write, ending, folder):
    cifar10_dvs(tmp_path, write, ending, folder)
    dataset = CIFAR10DVS(tmp_path, 4)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (40, 20)
    names = np.array(dataset.frames().names)
    assert [name.rsplit("_", 1)[1] for name in names[:6]] == [
        f"{k}{ending}" for k in (0, 5, 10, 899, 900, 999)
    ]
    assert all(name.endswith((f"_900{ending}", f"_999{ending}")) for name in names[test.index])
    picture, label = whole(dataset, f"cat/cifar10_cat_899{ending}")
    assert label == 3
    assert (picture == counted(random_rows(40, 128, 128, 3899), 128, 128)).all()
    assert dataset.decode(train.batch([0])[0]).shape == (1, 4, 2, 48, 48)


def test_cifar10_dvs_class_archives(tmp_path):
    cifar10_dvs(tmp_path, trees.write_aedat2, ".aedat", "source")
    (tmp_path / "cifar10_dvs").mkdir()
    for name in trees.CIFAR10_CLASSES:
        with zipfile.ZipFile(tmp_path / "cifar10_dvs" / f"{name}.zip", "w") as archive:
            for file in (tmp_path / "source" / name).iterdir():
                archive.write(file, f"{name}/{file.name}")
    assert len(CIFAR10DVS(tmp_path, 4).train_set()) == 40


def test_cifar10_dvs_split_without_held_out_files(tmp_path):
    for name in trees.CIFAR10_CLASSES:
        trees.write_aedat2(
            tmp_path / "cifar10_dvs" / name / f"cifar10_{name}_3.aedat", random_rows(40, 128, 128, 0)
        )
    with pytest.raises(DataError, match="split 'tet' leaves no held-out samples of the 10 recordings"):
        CIFAR10DVS(tmp_path, 4).test_set()


def gestures(root):
    for part, users in (("ibmGestureTrain", (2, 1, 10)), ("ibmGestureTest", (24,))):
        for user in users:
            for label in range(11):
                path = root / part / f"user{user:02d}_led" / f"{label}.npy"
                trees.write_xypt(path, random_rows(60, 128, 128, 100 * user + label))


def test_dvs_gesture_in_tonics_form(tmp_path):
    gestures(tmp_path / "DVSGesture")
    dataset = DVSGesture(tmp_path, 10, by="duration", duration_ms=30.0)
    train, test = dataset.train_set(), dataset.test_set()
    assert np.bincount(train.labels).tolist() == [3] * 11
    assert np.bincount(test.labels).tolist() == [1] * 11
    names = np.array(dataset.frames().names)
    assert names[train.index][:3].tolist() == [
        f"ibmGestureTrain/user{user:02d}_led/0.npy" for user in (1, 2, 10)
    ]
    assert all("user24" in name for name in names[test.index])
    picture, label = whole(dataset, "ibmGestureTrain/user10_led/7.npy")
    assert label == 7
    assert (picture == counted(random_rows(60, 128, 128, 1007), 128, 128)).all()


def test_dvs_gesture_archives(tmp_path):
    gestures(tmp_path / "source")
    (tmp_path / "dvs_gesture").mkdir()
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        with tarfile.open(tmp_path / "dvs_gesture" / f"{part}.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "source" / part, part)
    dataset = DVSGesture(tmp_path, 4)
    assert (len(dataset.train_set()), len(dataset.test_set())) == (33, 11)


def test_dvs_gesture_in_spikingjellys_form(tmp_path):
    for part, user in (("train", "user01"), ("test", "user24")):
        for label in range(11):
            path = tmp_path / "DVS128Gesture" / "events_np" / part / str(label) / f"{user}_led_0.npz"
            trees.write_npz(path, random_rows(60, 128, 128, label))
    dataset = DVSGesture(tmp_path, 4)
    assert dataset.train_set().labels.tolist() == dataset.test_set().labels.tolist() == list(range(11))


def ncaltech101(folder, classes, count=10):
    for c, name in enumerate(classes):
        for k in range(1, count + 1):
            height, width = 100 + c % 80, 240 - c
            trees.write_saccades(
                folder / name / f"image_{k:04d}.bin", random_rows(30, height, width, 100 * c + k)
            )


@pytest.mark.parametrize("folder", ["ncaltech101", "NCALTECH101/Caltech101"])
def test_ncaltech101(tmp_path, folder):
    names = NCaltech101(tmp_path).class_names
    assert len(names) == 100
    assert list(names) == sorted(names)
    ncaltech101(tmp_path / folder, ("BACKGROUND_Google", *names))
    dataset = NCaltech101(tmp_path, 3)
    train, test = dataset.train_set(), dataset.test_set()
    assert (len(train), len(test)) == (900, 100)
    assert all(name.endswith("image_0010.bin") for name in np.array(dataset.frames().names)[test.index])
    assert not any("BACKGROUND" in name for name in dataset.frames().names)
    picture, label = whole(dataset, f"{names[50]}/image_0002.bin")
    assert label == 50
    height, width = 100 + 51 % 80, 240 - 51
    assert (picture == counted(random_rows(30, height, width, 5102), 180, 240)).all()
    assert dataset.decode(train.batch([0])[0]).shape == (1, 3, 2, 48, 48)


def test_ncaltech101_with_background_and_random_split(tmp_path):
    dataset = NCaltech101(tmp_path, 3, background=True, split="stratified90_seed0")
    assert dataset.num_classes == 101
    assert list(dataset.class_names) == sorted(dataset.class_names)
    ncaltech101(tmp_path / "ncaltech101", dataset.class_names, count=2)
    with pytest.raises(DataError, match="leaves no held-out"):
        dataset.test_set()
    assert dataset.cache_folder() != NCaltech101(tmp_path, 3).cache_folder()


def test_a_repaired_recording_is_integrated_anew(nmnist):
    path = nmnist / "nmnist/NMNIST/Train/4/00011.bin"
    trees.write_saccades(path, random_rows(20, 34, 34, 1))  # as a broken download leaves it
    NMNIST(nmnist, 4).prepare()
    NMNIST(nmnist, 8).prepare()
    assert NMNIST(nmnist, 4).verify() == []
    trees.write_saccades(path, random_rows(50, 34, 34, 11))
    problems = NMNIST(nmnist, 4).verify()
    assert len(problems) == 2  # one for each of the two caches
    assert all("have changed since" in problem for problem in problems)
    picture, _ = whole(NMNIST(nmnist, 4), "Train/4/00011.bin")
    assert (picture == counted(random_rows(50, 34, 34, 11), 34, 34)).all()


@pytest.mark.parametrize(
    "name",
    [
        "00011 (1).bin",
        "00011-copy.bin",
        "._00011.bin",
        "Thumbs.bin",
        "7.bin.part",
        "~7.bin",
        "00011-copy2.bin",
        "00011_2.bin",
        "11.bin",
        "\u0661\u0661\u0661\u0661\u0661.bin",
    ],
)
def test_files_that_do_not_belong_are_left_out(nmnist, name):
    (nmnist / "nmnist/NMNIST/Train/4" / name).write_bytes(b"no recording")
    (nmnist / "nmnist/NMNIST/Train/4/00012.bin").mkdir()  # a folder is no recording either
    dataset = NMNIST(nmnist, 4)
    assert dataset.status().samples == 59
    dataset.prepare()


@pytest.mark.parametrize("events", [0, 3])
def test_a_recording_without_events_is_an_error_that_names_it(nmnist, events):
    trees.write_saccades(nmnist / "nmnist/NMNIST/Train/4/00011.bin", random_rows(events, 34, 34, 1))
    with pytest.raises(
        DataError, match=rf"Train/4/00011\.bin holds {events} events, fewer than the 4 time steps"
    ):
        NMNIST(nmnist, 4).prepare()


def numbered_gestures(root, labels):
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        for label in labels:
            trees.write_xypt(
                root / "dvs_gesture" / part / "user01_led" / f"{label}.npy", random_rows(50, 128, 128, label)
            )


def test_gestures_numbered_from_one_are_lowered(tmp_path):
    numbered_gestures(tmp_path, range(1, 12))
    recordings = DVSGesture(tmp_path, 4).find()
    assert {(recording.path.stem, recording.label) for recording in recordings} == {
        (str(number), number - 1) for number in range(1, 12)
    }


@pytest.mark.parametrize("labels", [range(1, 11), range(12), [0, 11], [3]])
def test_gestures_of_unclear_numbers_are_refused(tmp_path, labels):
    numbered_gestures(tmp_path, labels)
    with pytest.raises(DataError, match="neither 0 to 10 nor 1 to 11"):
        DVSGesture(tmp_path, 4).find()


def test_cut_gestures_numbered_from_one_are_lowered(tmp_path):
    for part, user in (("train", "user01"), ("test", "user24")):
        for number in range(1, 12):
            path = tmp_path / f"dvs_gesture/events_np/{part}/{number}/{user}_led_0.npz"
            trees.write_npz(path, random_rows(30, 128, 128, number))
    found = [
        (recording.name.split("/")[1:3], recording.label) for recording in DVSGesture(tmp_path, 4).find()
    ]
    assert found == [([part, str(n)], n - 1) for part in ("train", "test") for n in range(1, 12)]
    trees.write_npz(tmp_path / "dvs_gesture/events_np/train/0/user01_led_0.npz", random_rows(30, 128, 128, 0))
    with pytest.raises(DataError, match="numbered 0 to 11, which is neither"):
        DVSGesture(tmp_path, 4).find()


def test_frames_with_other_labels_are_made_anew(nmnist, monkeypatch):
    old = NMNIST(nmnist, 4)
    monkeypatch.setattr(
        old, "find_or_unpack", lambda: [replace(one, label=9 - one.label) for one in old.find()]
    )
    old.prepare()
    assert ["with other classes" in problem for problem in NMNIST(nmnist, 4).verify()] == [True]
    assert whole(NMNIST(nmnist, 4), "Train/4/00011.bin")[1] == 4


def test_two_forms_of_recordings_in_one_folder(tmp_path):
    folder = tmp_path / "cifar10_dvs/cat"
    for number in range(3):
        trees.write_npz(folder / f"cifar10_cat_{number}.npz", random_rows(30, 128, 128, number))
        trees.write_aedat2(folder / f"cifar10_cat_{number}.aedat", random_rows(30, 128, 128, number))
    found = CIFAR10DVS(tmp_path, 4).find()
    assert [one.name for one in found] == [f"cat/cifar10_cat_{number}.aedat" for number in range(3)]
    (folder / "cifar10_cat_2.aedat").unlink()
    with pytest.raises(
        DataError, match=r"2 recordings as \.aedat and 1 others as \.npz, 'cifar10_cat_2\.npz'"
    ):
        CIFAR10DVS(tmp_path, 4).find()


@pytest.mark.parametrize(
    "name", ["cifar10_cat_5_2", "cifar10_cat_05", "cifar10_dog_7", "old_cat_5", "cifar10_cat_5-1"]
)
def test_copies_and_other_classes_among_cifar10_dvs_are_left_out(tmp_path, name):
    cifar10_dvs(tmp_path, trees.write_npz, ".npz")
    trees.write_npz(tmp_path / "cifar10_dvs" / "cat" / f"{name}.npz", random_rows(40, 128, 128, 0))
    assert len(CIFAR10DVS(tmp_path, 4).find()) == 60


@pytest.mark.parametrize(
    "name",
    [
        "user_led/1.npy",
        "user01_led/\u00b2.npy",
        "user01_led/1 (1).npy",
        "user01_led/01.npy",
        "user01_led/._1.npy",
        "user01_led (copy)/1.npy",
        ".user01_led/1.npy",
        "user01_led/Thumbs.db",
        "user01_led/1.npy.part",
    ],
)
def test_files_that_do_not_belong_among_gestures_are_left_out(tmp_path, name):
    numbered_gestures(tmp_path, range(11))
    file = tmp_path / "dvs_gesture" / "ibmGestureTrain" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"no recording")
    (file.parent / "5.npy").unlink(missing_ok=True)
    (file.parent / "5.npy").mkdir()  # a folder is no recording either
    found = DVSGesture(tmp_path, 4).find()
    assert 20 < len(found) < 23
    assert not any(name in recording.name for recording in found)
    assert DVSGesture(tmp_path, 4).status().present


@pytest.mark.parametrize(
    "name", ["user01_led_0 (1).npz", "._user01_led_0.npz", "user01_led_0_1.npz", "Thumbs.npz"]
)
def test_files_that_do_not_belong_among_cut_gestures_are_left_out(tmp_path, name):
    folder = tmp_path / "DVS128Gesture" / "events_np" / "train" / "3"
    trees.write_npz(folder / "user01_fluorescent_led_0.npz", random_rows(60, 128, 128, 0))
    (folder / name).write_bytes(b"no recording")
    assert [recording.path.name for recording in DVSGesture(tmp_path, 4).find()] == [
        "user01_fluorescent_led_0.npz"
    ]


def test_a_set_of_unclear_numbers_is_listed_with_the_reason(tmp_path):
    numbered_gestures(tmp_path, [3])
    status = DVSGesture(tmp_path, 4).status()
    assert not status.present
    assert "neither 0 to 10 nor 1 to 11" in status.note


@pytest.mark.parametrize("by", ["number", "time", "duration"])
def test_recordings_without_events_are_left_out_by_choice(nmnist, by, caplog):
    for name, events in (("Train/4/00011.bin", 0), ("Test/4/00001.bin", 3)):
        trees.write_saccades(nmnist / "nmnist/NMNIST" / name, random_rows(events, 34, 34, 1))
    trees.write_saccades(nmnist / "nmnist/NMNIST/Test/8/00001.bin", random_rows(50, 34, 34, 8))
    trees.write_saccades(nmnist / "nmnist/NMNIST/Test/4/00002.bin", random_rows(4, 34, 34, 8))
    for _ in range(2):  # when the cache is made, and when it is found
        caplog.clear()
        dataset = NMNIST(nmnist, 4, empty="skip", by=by)
        train, test = dataset.train_set(), dataset.test_set()
        assert (len(train), len(test)) == (49, 10)
        assert dataset.skipped == ("Train/4/00011.bin", "Test/4/00001.bin")
        assert all(raw.any() for raw, _ in (test[i] for i in range(10)))
        assert [r.message for r in caplog.records if "left out" in r.message] == [
            "dataset nmnist: 2 left out, fewer than the 4 time steps: Train/4/00011.bin, Test/4/00001.bin"
        ]
    with pytest.raises(DataError, match="holds 0 events, fewer than the 4 time steps") as caught:
        NMNIST(nmnist, 4, by=by).prepare()
    assert "dataset.empty=skip" in caught.value.hint


def test_leaving_out_keeps_the_others_on_their_sides(nmnist):
    whole = NMNIST(nmnist, 4, split="stratified80_seed0")
    sides = {name: side for side, names in _sides(whole).items() for name in names}
    trees.write_saccades(nmnist / "nmnist/NMNIST/Train/4/00011.bin", random_rows(0, 34, 34, 1))
    for side, names in _sides(NMNIST(nmnist, 4, split="stratified80_seed0", empty="skip")).items():
        assert names == [
            name for name, where in sides.items() if where == side and name != "Train/4/00011.bin"
        ]


def _sides(dataset):
    names = np.array(dataset.frames().names)
    return {
        "train": names[dataset.train_set().index].tolist(),
        "test": names[dataset.test_set().index].tolist(),
    }


def test_the_choice_moves_no_cache_of_the_default(tmp_path):
    assert "empty" not in NMNIST(tmp_path, 4).parameters()
    assert NMNIST(tmp_path, 4, empty="skip").cache_folder() != NMNIST(tmp_path, 4).cache_folder()


def test_classes_without_recordings_are_reported(nmnist, caplog):
    for digit in (0, 7):
        shutil.rmtree(nmnist / "nmnist/NMNIST/Train" / str(digit))
    dataset = NMNIST(nmnist, 4, split="stratified80_seed0")
    for _ in range(2):
        dataset.train_set()
    assert [r.message for r in caplog.records if "samples of" in r.message] == [
        "no training samples of class '0', '7' of 10"
    ]
    shutil.rmtree(nmnist / "nmnist/NMNIST/Test" / "7")
    assert "no recording of class '7' of 10" in NMNIST(nmnist, 4).status().note
