"""Pictures of results: each function draws plain data (rows, dictionaries, arrays) into one PNG file.

matplotlib is imported when a picture is drawn, not before.
"""

import os
from importlib.util import find_spec


def _forget_foreign_backend() -> None:
    """Takes a backend that cannot be imported here out of MPLBACKEND, as the environment of a notebook leaves it.

    matplotlib refuses to be imported with it. A backend that is there stays the user's choice.
    """
    module = os.environ.get("MPLBACKEND", "").partition("module://")[2]
    if not module:
        return
    try:
        there = find_spec(module) is not None
    except (ImportError, ValueError):
        there = False
    if not there:
        del os.environ["MPLBACKEND"]


_forget_foreign_backend()
