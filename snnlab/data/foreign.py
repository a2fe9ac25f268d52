"""One error for whatever a parser of other people's files raises."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snnlab.errors import DataError, SnnlabError

AGAIN = "download or unpack it again"
_LONGEST_REASON = 200


@contextmanager
def reading(what: Path | str, hint: str = AGAIN, how: str = "cannot be read") -> Iterator[None]:
    """Turns every exception of the block into a DataError that names the file and the reason.

    Parsers raise more types than they document: damaged bytes reach `struct`, `zlib`, `ast` and others. Errors of this
    project pass as they are.

    Args:
        what: the file, or the file and the place in it.
        hint: what to do about it.
        how: what is said of the file before the reason.

    Raises:
        DataError: something in the block failed.
    """
    try:
        yield
    except SnnlabError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space"
        raise DataError(f"{what} {how}: {reason(error)}", hint) from error
    except BaseException as error:
        # A panic of a parser written in Rust (aedat, tokenizers, rjieba) is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise DataError(f"{what} {how}: {reason(error)}", hint) from error


def reason(error: BaseException) -> str:
    """What an exception says, in one line of bounded length; its type where it says nothing by itself."""
    text = " ".join(str(error).split())
    if isinstance(error, KeyError):
        text = f"missing: {error.args[0] if error.args else '?'}"
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    text = text or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."
