"""Values with spaces, brackets and the like, as Hydra and a shell read them; paths of folders have such names."""

import re
import shlex
from pathlib import Path

_PLAIN = re.compile(r"[\w./@%+-]+", re.ASCII)


def quoted(value: str | Path) -> str:
    """A text as an override spells it: in quotes, unless Hydra reads it as it is."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    # Backslashes count as such unless they stand before a quote.
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + found[2].replace("'", "\\'"), text) + "'"


def unquoted(text: str) -> str:
    """The value between quotes, in which an argument may stand that no Hydra reads."""
    if len(text) < 2 or text[0] not in "'\"" or text[-1] != text[0]:
        return text
    return re.sub(rf"(\\+)({text[0]}|$)", lambda found: found[1][: len(found[1]) // 2] + found[2], text[1:-1])


def on_shell(key: str, value: str | Path) -> str:
    """`key=value` to be copied to a command line."""
    return shlex.quote(f"{key}={quoted(value)}")
