"""Whether files can be written in a folder, asked before the work whose result would go there."""

import os
import stat
from pathlib import Path

from snnlab.atomic import temporary_name
from snnlab.errors import SnnlabError


def why_not(folder: Path) -> str:
    """Why no files can be created in a folder, which is made where it is missing; empty if they can.

    Permission bits count for the superuser, too: who takes them away wants the folder to stay as it is.
    """
    place = folder.absolute()
    while True:
        try:
            mode = place.stat().st_mode
            break
        except (FileNotFoundError, NotADirectoryError):
            if place.is_symlink():
                return f"{place} is a link to {os.readlink(place)}, which is not there"
            if place == place.parent:
                return f"{folder} is nowhere"
            place = place.parent
        except OSError as error:
            return f"{place}: {error.strerror}"
    if not stat.S_ISDIR(mode):
        return f"{place} is a file, not a folder"
    if not mode & 0o222 or not os.access(place, os.W_OK | os.X_OK):
        return f"{place} is read-only"
    return ""


def refuse_unwritable(folder: Path, hint: str) -> None:
    """Stops before the work if its result could not be written.

    Args:
        folder: where files are to be created; made later where it is missing.
        hint: what to do instead.

    Raises:
        SnnlabError: no file can be created there.
    """
    if problem := why_not(folder):
        raise SnnlabError(problem, hint)


def refuse_unwritable_file(file: Path, hint: str) -> None:
    """The same for one file, which may be there and is then replaced.

    Raises:
        SnnlabError: it is a folder, or no file can be created beside it.
    """
    try:
        if file.is_dir():
            raise SnnlabError(f"{file} is a folder, and a file belongs there", hint)
        temporary_name(file).exists()  # raises if the name is too long
    except OSError as error:
        raise SnnlabError(f"{file}: {error.strerror}", hint) from None
    refuse_unwritable(file.parent, hint)
