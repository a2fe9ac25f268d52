"""Archives that are damaged in less common ways."""

import tarfile
import zipfile

import pytest

from snnlab.data.archives import unpack_archives
from snnlab.errors import DataError


def test_an_archive_of_nothing(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz"):
        pass
    unpack_archives(tmp_path, ["a.tar.gz"])
    assert (tmp_path / ".a.tar.gz.unpacked").exists()


@pytest.mark.parametrize(("damage", "message"), [("encrypted", "encrypted"), ("method", "is damaged")])
def test_what_a_zip_cannot_be_read_with_is_one_error(tmp_path, damage, message):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d/1", "x")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + flags
        if damage == "encrypted":
            content[at] |= 1
        else:
            content[at + 2] = 77
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.zip.* {message}"):
        unpack_archives(tmp_path, ["a.zip"])
    assert not (tmp_path / "d").exists()
