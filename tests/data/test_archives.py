"""Archives that a person put in place."""

import tarfile
import zipfile

import pytest

from snnlab.data.archives import unpack_archives
from snnlab.errors import DataError


def make_zip(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_zip_and_the_zip_inside_of_it(tmp_path):
    make_zip(tmp_path / "inner.zip", Caltech__a__1="x", Caltech__b__2="y")
    inner = (tmp_path / "inner.zip").read_bytes()
    (tmp_path / "inner.zip").unlink()
    make_zip(tmp_path / "outer.zip", top__inner="z")
    with zipfile.ZipFile(tmp_path / "outer.zip", "a") as archive:
        archive.writestr("top/inner.zip", inner)
    unpack_archives(tmp_path, ["outer.zip"])
    assert names(tmp_path / "top") == ["Caltech/a/1", "Caltech/b/2", "inner"]
    assert [path.name for path in tmp_path.glob(".unpacking*")] == []


def test_tar(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "1.npy").write_text("x")
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made", "set/user01_led")
    unpack_archives(tmp_path, ["set.tar.gz"])
    assert names(tmp_path / "set") == ["user01_led/1.npy"]


def test_only_once_and_what_is_there_stays(tmp_path):
    make_zip(tmp_path / "a.zip", d__1="new", d__2="new")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1").write_text("old")
    unpack_archives(tmp_path, ["*.zip"])
    assert (tmp_path / "d" / "1").read_text() == "old"
    assert (tmp_path / "d" / "2").read_text() == "new"
    (tmp_path / "d" / "2").unlink()
    unpack_archives(tmp_path, ["*.zip"])
    assert not (tmp_path / "d" / "2").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_damaged_archive_is_named_and_leaves_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK no archive")
    with pytest.raises(DataError, match=r"is damaged"):
        unpack_archives(tmp_path, [name])
    assert names(tmp_path) == [name]


def test_no_way_out_of_the_folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    make_zip(folder / "a.zip", **{"..__out": "x"})
    with tarfile.open(folder / "b.tar.gz", "w:gz") as archive:
        archive.add(folder / "a.zip", "../out")
    unpack_archives(folder, ["a.zip"])
    with pytest.raises(DataError):
        unpack_archives(folder, ["b.tar.gz"])
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there(tmp_path):
    unpack_archives(tmp_path / "no", ["*.zip"])
