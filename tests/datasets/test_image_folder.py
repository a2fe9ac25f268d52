"""Pictures of one's own, from small folders."""

import json
import logging

import numpy as np
import pytest
from PIL import Image

from snnlab.config.data_name import data_name
from snnlab.data import own_folder, own_pictures
from snnlab.datasets import ImageFolder
from snnlab.errors import ConfigError, DataError
from snnlab.runs.identity import variant
from snnlab.runs.load import load


def picture(path, colour=(200, 20, 90), size=(12, 10), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


@pytest.fixture
def pets(tmp_path):
    for label, name in enumerate(("cats", "dogs", "owls")):
        for k in range(10):
            picture(tmp_path / "pets" / name / f"{k}.png", (10 * k, 20, 80 * label))
    return tmp_path / "pets"


def own(pets, **keys):
    return ImageFolder(pets.parent / "data", folder=pets, **keys)


def test_classes_sizes_and_colours_are_read_from_the_folder(pets):
    dataset = own(pets)
    assert dataset.class_names == ("cats", "dogs", "owls")
    assert dataset.raw_shape == (3, 10, 10)
    assert dataset.split_name == "stratified80_seed0"
    assert np.bincount(dataset.train_set().labels).tolist() == [8, 8, 8]
    assert np.bincount(dataset.test_set().labels).tolist() == [2, 2, 2]
    raw, label = dataset.test_set()[0]
    assert (label, raw[1:, 4, 4].tolist()) == (0, [20, 0])
    assert dataset.decode(raw[None]).shape == (1, 1, 3, 10, 10)


def test_grey_pictures_have_one_channel(tmp_path):
    for name in "ab":
        for k in range(4):
            picture(tmp_path / "grey" / name / f"{k}.png", mode="L")
    assert own(tmp_path / "grey").raw_shape == (1, 10, 10)
    assert own(tmp_path / "grey", colour="rgb").raw_shape == (3, 10, 10)
    picture(tmp_path / "grey" / "a" / "4.png")
    assert own(tmp_path / "grey").in_channels == 3


def test_a_size_that_is_given_and_one_that_would_be_too_large(pets):
    assert own(pets, image_size=7).train_set()[0][0].shape == (3, 7, 7)
    for name in ("cats", "dogs"):
        for k in range(20):
            picture(pets / name / f"large{k}.png", size=(300, 400))
    with pytest.raises(ConfigError, match="shorter side of 300 pixels"):
        own(pets)


def test_another_seed_and_fraction_are_another_split(pets):
    first = own(pets).identity()
    assert own(pets, split_seed=1).identity().split_hash != first.split_hash
    other = own(pets, fraction=0.5)
    assert other.split_name == "stratified50_seed0"
    assert (len(other.train_set()), len(other.test_set())) == (15, 15)
    assert other.identity().hash == first.hash


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_folders_of_parts_are_the_split(tmp_path, held_out):
    for part, count in (("train", 3), (held_out, 2)):
        for name in "ab":
            for k in range(count):
                picture(tmp_path / "own" / part / name / f"{k}.jpg")
    dataset = own(tmp_path / "own")
    assert dataset.split_name == "folders"
    assert (len(dataset.train_set()), len(dataset.test_set())) == (6, 4)
    with pytest.raises(ConfigError, match="has train/ and"):
        own(tmp_path / "own", split="fraction")
    picture(tmp_path / "own" / held_out / "c" / "0.jpg")
    with pytest.raises(DataError, match="has the classes c, which train/ has not"):
        own(tmp_path / "own").prepare()


@pytest.mark.parametrize(("train", "test"), [("Train", "Test"), ("training", "testing"), ("TRAIN", "Val")])
def test_the_folders_of_a_split_are_known_in_other_spellings(tmp_path, train, test):
    for part in (train, test):
        for name in "ab":
            for k in range(3):
                picture(tmp_path / "split" / part / name / f"{k}.png")
    dataset = own(tmp_path / "split")
    assert (dataset.class_names, dataset.split_name) == (("a", "b"), "folders")
    assert np.bincount(dataset.train_set().labels).tolist() == [3, 3]


def test_the_parts_of_a_split_are_no_classes(tmp_path):
    for part in ("test", "Val"):
        for name in "ab":
            picture(tmp_path / "split" / part / name / "1.png")
    with pytest.raises(DataError, match="has the folders Val, test, which are the names of a split's parts"):
        own(tmp_path / "split").look()


@pytest.mark.parametrize("place", ["cats/gone.png", "bats"])
def test_a_link_to_nothing_is_one_error(pets, place):
    (pets / place).symlink_to(pets / "elsewhere")
    with pytest.raises(DataError, match=rf"{place} is a link to .*elsewhere, which is not there"):
        own(pets)


def test_a_linked_folder_within_a_class_is_named(pets, caplog):
    (pets / "cats" / "more").symlink_to(pets / "dogs")
    own_folder.say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert len(own(pets).own.find()) == 30
    assert "left out, as no samples in class folders: cats/more/ (a link)" in caplog.text


def test_a_split_by_folders_needs_them(pets):
    with pytest.raises(ConfigError, match=r"dataset\.split=folders: .*pets has no class folders below both"):
        own(pets, split="folders")


def test_files_that_are_no_pictures_are_named(pets, caplog):
    (pets / "cats" / "notes.md").write_text("x")
    picture(pets / "stray.png")
    own_folder.say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        own(pets).prepare()
        own(pets).prepare()
    said = [record.message for record in caplog.records if "left out" in record.message]
    assert len(said) == 1
    assert "cats/notes.md" in said[0]
    assert "stray.png" in said[0]


@pytest.mark.parametrize("why", ["empty", "single", "gone"])
def test_a_folder_that_cannot_be_used_is_one_error(pets, why):
    if why == "empty":
        (pets / "bats").mkdir()
        message = "no file in .*bats is a sample"
    elif why == "single":
        pets, message = pets.parent / "one", "has the one class folder 'a'"
        picture(pets / "a" / "0.png")
    else:
        pets, message = pets / "none", "none is not there"
    with pytest.raises(DataError, match=message):
        own(pets, image_size=8, colour="rgb").prepare()


def test_statistics_are_those_of_the_training_pictures_and_measured_once(pets, monkeypatch):
    dataset = own(pets)
    dataset.prepare()
    raw = np.stack([dataset.train_set()[i][0] for i in range(24)]) / 255
    assert np.allclose(dataset.mean, raw.mean((0, 2, 3)))
    assert np.allclose(dataset.std[::2], raw.std((0, 2, 3))[::2])
    assert dataset.std[1] == 1.0  # green is the same everywhere
    monkeypatch.setattr(own_pictures.np, "sqrt", None)
    monkeypatch.setattr(own_pictures, "_look", None)
    again = own(pets)
    again.prepare()
    assert (again.mean, again.std) == (dataset.mean, dataset.std)
    assert own(pets, normalize="none").mean is None
    (stored,) = again.pictures().folder.glob("statistics-*.json")
    stored.write_text(json.dumps({"mean": [0], "std": ["x"]}))
    monkeypatch.undo()
    mended = own(pets)
    mended.prepare()
    assert mended.mean == dataset.mean


def test_changed_pictures_are_other_data_and_read_again(pets):
    before = own(pets).identity()
    picture(pets / "cats" / "0.png", (255, 255, 255), size=(30, 10))
    after = own(pets)
    assert after.identity().hash != before.hash
    assert 255 in after.pictures().frames[np.array([0])]


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    upright = Image.new("RGB", (10, 20), (0, 0, 0))
    upright.paste((255, 0, 0), (0, 0, 10, 5))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    upright.save(tmp_path / "a.png", exif=exif)
    assert own_pictures.read_picture(tmp_path / "a.png", 10, 3)[0, 0].max() == 0
    upright.crop((0, 0, 10, 10)).save(tmp_path / "b.png", exif=exif)
    assert own_pictures.read_picture(tmp_path / "b.png", 10, 3)[0, -1].min() == 255


def test_a_damaged_picture_is_named(pets):
    (pets / "dogs" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    dataset = own(pets)
    with pytest.raises(DataError, match=r"dogs/3\.png"):
        dataset.prepare()
    (problem,) = dataset.verify()
    assert "dogs/3.png" in problem


def test_damaged_pictures_are_met_at_once(pets):
    for name in ("cats/2.png", "dogs/3.png", "owls/4.png"):
        (pets / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match=r"cats/2\.png.*; 2 more of 30 files cannot be read") as caught:
        own(pets).prepare()
    assert f"snnlab data verify image_folder dataset.folder={pets} names all" in caught.value.hint
    assert [name in one for name, one in zip(["cats", "dogs", "owls"], own(pets).verify(), strict=True)] == [
        True
    ] * 3


def test_results_are_labelled_with_the_folders_name(pets, tmp_path):
    cfg = load(["dataset=image_folder", f"dataset.folder={pets}"])
    assert cfg.data_name == "pets"
    assert variant(cfg).startswith("pets-")
    assert data_name("image_folder", {"folder": "/x/cifar10"}) == "own_cifar10"
    assert data_name("image_folder", {"folder": "/x/my pictures/"}) == "my_pictures"
    assert data_name("imagenet", {"folder": "imagenet"}) == "imagenet"
    assert data_name("imagenet", {"folder": "birds"}) == "birds"


def test_the_folder_is_kept_as_an_absolute_path(pets, monkeypatch):
    monkeypatch.chdir(pets.parent)
    cfg = load(["dataset=image_folder", "dataset.folder=pets"])
    assert cfg.raw["dataset"]["folder"] == str(pets)
