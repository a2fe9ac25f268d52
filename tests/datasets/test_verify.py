"""`snnlab data verify` says of every data set whether it is whole, labelled, and what its frames were made of."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab.cli import main
from snnlab.datasets import NCaltech101
from tests.datasets import trees
from tests.datasets.test_identity import OWN, READ, make
from tests.datasets.test_text_sets import DEV, TRAIN, write_tsv
from tests.datasets.test_touch import recording, write_zip


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)


def rows(seed: int, side: int = 34) -> np.ndarray:
    return trees.random_rows(50, side, side, seed)


def nmnist(root: Path, counts: dict[str, int]) -> Path:
    for part, count in counts.items():
        for digit in range(10):
            for k in range(count):
                trees.write_saccades(root / f"nmnist/NMNIST/{part}/{digit}/{k:05d}.bin", rows(10 * k + digit))
    return root / "nmnist/NMNIST"


def pictures(root: Path, parts: tuple[str, ...] = ("train", "val")) -> Path:
    for part in parts:
        for name in ("a", "b"):
            for k in range(2):
                file = root / "imagenet" / part / name / f"{k}.jpeg"
                file.parent.mkdir(parents=True, exist_ok=True)
                noise = np.random.default_rng(k).integers(0, 256, (64, 64, 3), dtype=np.uint8)
                Image.fromarray(noise).save(file)
    return root / "imagenet"


def verify(root: Path, name: str, capsys, *overrides: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["data", "verify", name, f"paths.data={root}", *overrides])
    told = capsys.readouterr()
    return code, told.out + told.err


IMAGES = ("dataset.classes=2", "dataset.image_size=16", "dataset.resize=16")


def test_recordings_without_frames_are_read(tmp_path, capsys):
    folder = nmnist(tmp_path, {"Train": 2, "Test": 1})
    code, said = verify(tmp_path, "nmnist", capsys)
    assert code == 0
    assert "20 training samples of 10 classes, 2 of each" in said
    assert "10 held-out samples of 10 classes, 1 of each" in said
    assert "30 files of 7,500 bytes, hash " in said
    for damaged in (folder / "Train/3/00001.bin", folder / "Test/4/00000.bin"):
        damaged.write_bytes(damaged.read_bytes()[:-1])
    (folder / "Test/9/00000.bin").write_bytes(b"")
    code, said = verify(tmp_path, "nmnist", capsys)
    assert code == 1
    assert len(re.findall("ends in the middle of an event", said)) == 2
    assert "9/00000.bin holds 0 events" in said


def test_what_frames_were_made_of(tmp_path, capsys):
    folder = nmnist(tmp_path, {"Train": 2, "Test": 1})
    for steps in (4, 8):
        assert main(["data", "prepare", "nmnist", f"num_steps={steps}", f"paths.data={tmp_path}"]) == 0
    code, said = verify(tmp_path, "nmnist", capsys)
    assert code == 0
    for steps in (4, 8):
        assert re.search(
            rf"frames-\w+: of 30 recordings that are there \(.*by=number.*num_steps={steps}", said
        )
    os.utime(folder / "Train/0/00000.bin", (0, 0))
    code, said = verify(tmp_path, "nmnist", capsys)
    assert code == 1
    assert said.count("was made of recordings that have changed since") == 2
    shutil.rmtree(folder)
    code, said = verify(tmp_path, "nmnist", capsys, "num_steps=4")
    assert code == 0
    assert "of 30 recordings (" in said
    assert "20 training samples" in said


def test_frames_of_other_classes_are_not_compared_with_these(tmp_path):
    for name in NCaltech101(tmp_path, background=True).class_names[:3]:
        for k in range(1, 3):
            file = tmp_path / f"ncaltech101/Caltech101/{name}/image_{k:04d}.bin"
            trees.write_saccades(file, rows(k))
    NCaltech101(tmp_path, 2, background=True).frames()
    NCaltech101(tmp_path, 2).frames()
    NCaltech101(tmp_path, 3, by="duration").frames()
    assert NCaltech101(tmp_path, 2).verify() == []
    assert NCaltech101(tmp_path, 2, background=True).verify() == []


def test_a_published_part_without_a_class_is_said(tmp_path, capsys):
    folder = nmnist(tmp_path, {"Train": 5, "Test": 1})
    shutil.rmtree(folder / "Test/8")
    code, said = verify(tmp_path, "nmnist", capsys)
    assert code == 1
    assert "hold no 8" in said
    assert "stratified80_seed0" in said
    shutil.rmtree(folder / "Train/3")
    code, said = verify(tmp_path, "nmnist", capsys, "dataset.split=stratified80_seed0")
    assert code == 0
    assert "training samples of 9 classes, 4 of each; none of class '3' of 10" in said


def test_pictures_are_read_to_their_end(tmp_path, capsys):
    folder = pictures(tmp_path)
    code, said = verify(tmp_path, "imagenet", capsys, *IMAGES)
    assert code == 0
    assert "4 training samples of 2 classes, 2 of each" in said
    (folder / "val/b/1.jpeg").write_bytes((folder / "val/b/1.jpeg").read_bytes()[:-600])
    (folder / "train/a/0.jpeg").write_bytes(b"")
    Image.fromarray(np.ones((4, 4), np.float32)).save(folder / "train/b/2.tiff")
    code, said = verify(tmp_path, "imagenet", capsys, *IMAGES)
    assert code == 1
    assert all(
        name in said for name in ("b/1.jpeg cannot be read", "a/0.jpeg cannot", "2.tiff: a picture of")
    )


def test_sentences_are_counted_and_read_to_the_words(tmp_path, capsys):
    pytest.importorskip("tokenizers")
    for part, some in (("train", TRAIN), ("dev", DEV)):
        write_tsv(tmp_path / f"sst2/{part}.tsv", some)
    code, said = verify(tmp_path, "sst2", capsys)
    assert code == 1
    assert "published are 67349 + 872" in said
    (tmp_path / "sst2/dev.tsv").write_text("  \t1\nbad\t0\n")
    assert "held-out sentence 1: no word" in verify(tmp_path, "sst2", capsys)[1]
    (tmp_path / "sst2/dev.tsv").write_text("good\t1\nbad\t2\n")
    code, said = verify(tmp_path, "sst2", capsys)
    assert code == 1, "it is there, and damaged"
    assert "line 2: expected a sentence and a class below 2" in said


def test_a_damaged_archive_is_there(tmp_path, capsys):
    file = tmp_path / "evtouch/Ev-Objects.zip"
    write_zip(file, [("train", 0, 0, recording(0)), ("test", 0, 0, recording(1))])
    file.write_bytes(file.read_bytes()[:-30])
    code, said = verify(tmp_path, "evtouch_objects", capsys)
    assert code == 1
    assert "Ev-Objects.zip" in said


@pytest.mark.parametrize("name", [one for one in READ if one not in OWN])
def test_every_published_data_set_answers_for_a_part_of_it(name, tmp_path, capsys):
    settings = IMAGES if "imagenet" in name else ()
    code, said = verify(tmp_path, name, capsys, *settings)
    assert code == 2
    assert re.search(rf"error: dataset {name}: (nothing at|no [\w. ]+ in) {re.escape(str(tmp_path))}", said)
    make(name, tmp_path)
    code, said = verify(tmp_path, name, capsys, *settings)
    assert code == 1, "one class, one part, or less than what was published"
    assert "Traceback" not in said
