"""What becomes of exceptions of foreign parsers."""

import errno

import pytest

from snnlab.data.foreign import reading, reason
from snnlab.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("a\n  b"), "a b"),
        (ValueError(), "ValueError"),
        (KeyError("t"), "missing: t"),
        (KeyError(), "missing: ?"),
        (MemoryError("Unable to allocate 37 GiB"), "not enough memory"),
        (ValueError("x" * 500), "x" * 200 + "..."),
    ],
)
def test_reasons_are_one_line(error, text):
    assert reason(error) == text


def test_own_errors_pass_as_they_are():
    for own in (DataError("m", "h"), ConfigError("m", "h")):
        with pytest.raises(type(own)) as caught, reading("file"):
            raise own
        assert caught.value is own


def test_a_full_disk_is_not_called_damage():
    with pytest.raises(DataError, match=r"a\.zip .*No space left") as caught, reading("a.zip"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.hint == "free some space"
