"""Guesses what a misspelt name was meant to be."""

import difflib
from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, or None if none is."""
    found = difflib.get_close_matches(name.lower(), candidates := list(known), n=1, cutoff=0.6)
    if found:
        return found[0]
    return next(
        (one for one in candidates if len(name) > 1 and (one.startswith(name) or name.startswith(one))), None
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'tau'?`, or nothing."""
    guess = closest(name, known)
    return f" Did you mean '{guess}'?" if guess else ""
