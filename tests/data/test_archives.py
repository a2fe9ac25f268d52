"""Archives that a person put in place."""

import gzip
import io
import tarfile
import zipfile

import pytest

from snnlab.data import unpack as bounds
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


def inside(name, content):
    """A zip with one file, as bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def tar_of(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def nested(depth):
    content = inside("d/1.npy", b"x")
    for _ in range(depth):
        content = inside("d/in.zip", content)
    return content


def encrypted():
    content = bytearray(inside("d/1.npy", b"x"))
    content[6] |= 1  # the flag in the file's own header, and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def clashing(suffix):
    names = ("d", "d/1.npy")
    if suffix == ".zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        return stream.getvalue()
    return tar_of(*((tarfile.TarInfo(name), b"x") for name in names))


def link():
    member = tarfile.TarInfo("d/out")
    member.type, member.linkname = tarfile.SYMTYPE, "../.."
    return tar_of((member, b""))


def large_header():
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 32 << 20
    return gzip.compress(header.tobuf() + bytes(32 << 20), 1)


ZEROS = bytes(17 << 20)
NAMES = "x" * 300
HOSTILE = {
    "large.zip": (lambda: inside("d/1.npy", ZEROS), "more than 20 times its size"),
    "large.tar.gz": (lambda: tar_of((tarfile.TarInfo("d/1.npy"), ZEROS)), "more than 20 times its size"),
    "large_inside.zip": (lambda: inside("d/in.zip", inside("d/1.npy", ZEROS)), "more than 20 times its size"),
    "deep.zip": (lambda: nested(5), "more than 3 deep"),
    "encrypted.zip": (encrypted, "is encrypted"),
    "clashing.zip": (lambda: clashing(".zip"), "for a file and for a folder"),
    "clashing.tar.gz": (lambda: clashing(".tar.gz"), "for a file and for a folder"),
    "long.zip": (lambda: inside(f"d/{NAMES}", b"x"), "File name too long"),
    "long.tar.gz": (lambda: tar_of((tarfile.TarInfo(f"d/{NAMES}"), b"x")), "File name too long"),
    "link.tar.gz": (link, "a link or a device"),
    "header.tar.gz": (large_header, "has a header of 33,554,432 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_one_error_and_leaves_nothing(tmp_path, name):
    make, message = HOSTILE[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(DataError, match=message):
        unpack_archives(tmp_path, [name])
    assert names(tmp_path) == [name]


def test_the_number_of_files_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_FILES", 3)
    make_zip(tmp_path / "a.zip", **{f"d__{k}": "x" for k in range(4)})
    with pytest.raises(DataError, match="holds more than 3 files"):
        unpack_archives(tmp_path, ["a.zip"])
