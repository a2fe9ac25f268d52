"""The touch data sets, from small zips in the published form."""

import io
import zipfile

import numpy as np
import pytest
import torch

from snnlab.data.touch import SIDE, TAXELS, pixels
from snnlab.datasets import EvTouchContainers, EvTouchObjects
from snnlab.errors import ConfigError, DataError


def recording(seed, steps=250):
    return (np.random.default_rng(seed).random((TAXELS, 2, steps)) < 0.1).astype(np.float32)


def write_zip(path, samples):
    """`samples`: part, number, label and content of each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for part, number, label, content in samples:
            stream = io.BytesIO()
            np.save(stream, content)
            archive.writestr(f"{path.stem}/{part}/sample_{number}_label_{label}.npy", stream.getvalue())


@pytest.fixture
def root(tmp_path):
    # In the order of the text, as in the published archive: 10 before 2.
    samples = [("train", n, n % 36, recording(n)) for n in (0, 1, 10, 2)]
    samples += [("test", n, 35 - n, recording(100 + n)) for n in (1, 0)]
    write_zip(tmp_path / "evtouch" / "Ev-Objects.zip", samples)
    return tmp_path


def test_no_two_taxels_share_a_pixel():
    assert len(set(pixels().tolist())) == TAXELS
    assert pixels().min() >= 0
    assert pixels().max() < SIDE**2
    assert pixels()[20] == SIDE**2 // 2  # the one in the middle of the finger


def test_recordings_as_they_are(root):
    dataset = EvTouchObjects(root)
    train, test = dataset.train_set(), dataset.test_set()
    assert train.labels.tolist() == [0, 1, 2, 10]  # by number
    assert test.labels.tolist() == [35, 34]
    x_BTCHW = dataset.decode(train.batch(range(4))[0])
    assert x_BTCHW.shape == (4, 250, 2, SIDE, SIDE)
    found = x_BTCHW[3].flatten(2)[:, :, pixels()]
    np.testing.assert_array_equal(found.numpy(), recording(10).transpose(2, 1, 0))
    assert x_BTCHW[3].sum() == recording(10).sum()


def test_fewer_steps_add_up_neighbours(root):
    raw, _ = EvTouchObjects(root, 3).train_set()[1]
    assert raw.dtype == torch.uint8
    content = recording(1)
    for t, (start, end) in enumerate(((0, 84), (84, 168), (168, 250))):
        expected = content[:, :, start:end].sum(-1).T
        np.testing.assert_array_equal(raw[t].flatten(1)[:, pixels()], expected)
    binary, _ = EvTouchObjects(root, 3, values="binary").train_set()[1]
    assert torch.equal(binary, raw.clamp(max=1))


@pytest.mark.parametrize(
    ("dataset", "steps", "hint"),
    [
        (EvTouchObjects, 251, "250; num_steps=250"),
        (EvTouchObjects, 100, "84 and 125"),
        (EvTouchContainers, 300, "163 and 325"),
    ],
)
def test_numbers_of_steps_that_leave_empty_frames_are_refused(tmp_path, dataset, steps, hint):
    with pytest.raises(ConfigError, match=f"do not fill {steps} frames") as caught:
        dataset(tmp_path, steps)
    assert hint in caught.value.hint
    for works in (1, 2, 10, 25, 65 if dataset.native_steps == 325 else 50, dataset.native_steps):
        dataset(tmp_path, works)


def test_a_part_of_the_data_says_so(root):
    dataset = EvTouchObjects(root, 5)
    status = dataset.status()
    assert (status.present, status.samples, status.expected) == (True, 6, 720)
    assert "a part, 6 of 720" in status.note
    assert dataset.verify() == ["4 + 2 recordings to train and test, published are 576 + 144"]
    dataset.prepare()


@pytest.mark.parametrize("folder", ["evtouch", "."])
def test_the_unpacked_folder_is_the_same(root, tmp_path_factory, folder):
    other = tmp_path_factory.mktemp("other")
    with zipfile.ZipFile(root / "evtouch" / "Ev-Objects.zip") as archive:
        archive.extractall(other / folder)
    packed, unpacked = (EvTouchObjects(place, 5).train_set() for place in (root, other))
    assert all(torch.equal(packed[i][0], unpacked[i][0]) for i in range(4))
    assert packed.labels.tolist() == unpacked.labels.tolist()
    assert EvTouchObjects(other, 5).status().samples == 6


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (("train", 0, 0, recording(0, 325)), "no recording of zeros and ones of shape"),
        (("train", 0, 36, recording(0)), "one of 36 classes"),
        (("train", 0, 0, 2 * recording(0)), "zeros and ones"),
        (("train", 0, 0, recording(0)), "holds no test/sample"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, sample, message):
    write_zip(tmp_path / "Ev-Objects.zip", [sample])
    with pytest.raises(DataError, match=message) as caught:
        EvTouchObjects(tmp_path).prepare()
    assert "https://" in caught.value.hint
    assert len(EvTouchObjects(tmp_path).verify()) == 1


def test_a_damaged_archive_is_one_error(tmp_path):
    (tmp_path / "Ev-Objects.zip").write_bytes(b"no archive")
    dataset = EvTouchObjects(tmp_path)
    with pytest.raises(DataError, match=r"Ev-Objects\.zip cannot be read"):
        dataset.prepare()
    assert not dataset.status().present


@pytest.mark.parametrize(
    "name",
    [
        "train/sample_0_label_0 (1).npy",
        "train/._sample_0_label_0.npy",
        "train/sample_0_label_0.npy.part",
        "old_train/sample_0_label_0.npy",
        "train/sample_\u0660_label_0.npy",
        "train/sample_7_label_" + "9" * 5000 + ".npy",
    ],
)
def test_files_that_do_not_belong_are_left_out(root, name):
    with zipfile.ZipFile(root / "evtouch" / "Ev-Objects.zip", "a") as archive:
        archive.writestr(f"Ev-Objects/{name}", b"no recording")
    dataset = EvTouchObjects(root, 5)
    assert dataset.status().samples == len(dataset.train_set()) + len(dataset.test_set()) == 6


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["Ev-Objects/train/sample_0_label_1.npy", "copy/train/sample_0_label_0.npy"])
def test_a_recording_that_is_there_twice_is_named(root, name):
    with zipfile.ZipFile(root / "evtouch" / "Ev-Objects.zip", "a") as archive:
        archive.writestr(name, archive.read("Ev-Objects/train/sample_0_label_0.npy"))
    with pytest.raises(DataError, match=f"train recording 0 twice, .*{name}"):
        EvTouchObjects(root, 5).train_set()


def test_a_damaged_recording_is_named(root):
    with zipfile.ZipFile(root / "evtouch" / "Ev-Objects.zip", "a") as archive:
        archive.writestr("Ev-Objects/train/sample_3_label_1.npy", b"\x93NUMPY\x01")
    with pytest.raises(DataError, match=r"Ev-Objects\.zip: .*sample_3_label_1\.npy cannot be read"):
        EvTouchObjects(root, 5).train_set()


def test_recordings_without_a_spike_are_an_error_or_left_out_by_choice(root, caplog):
    with zipfile.ZipFile(root / "evtouch" / "Ev-Objects.zip", "a") as archive:
        stream = io.BytesIO()
        np.save(stream, np.zeros((TAXELS, 2, 250), np.float32))
        archive.writestr("Ev-Objects/test/sample_9_label_1.npy", stream.getvalue())
    with pytest.raises(
        DataError, match=r"test/sample_9_label_1\.npy: no spike, in .*Ev-Objects\.zip \(1 in all\)"
    ):
        EvTouchObjects(root, 5).train_set()
    dataset = EvTouchObjects(root, 5, empty="skip")
    assert (len(dataset.train_set()), len(dataset.test_set())) == (4, 2)
    assert dataset.skipped == ("Ev-Objects/test/sample_9_label_1.npy",)
    assert "1 left out" in caplog.text
    assert (
        "no held-out samples of class 'object 0', 'object 1', 'object 2', 'object 3' and 30 more of 36"
        in caplog.text
    )
