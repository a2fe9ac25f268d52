"""Guesses what a misspelt name was meant to be."""

import difflib
from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, or None if none is."""
    candidates = list(known)
    lower = {one.lower(): one for one in candidates}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    if found:
        return lower[found[0]]
    return next(
        (one for one in candidates if len(name) > 1 and (one.startswith(name) or name.startswith(one))), None
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'tau'?`, or nothing."""
    guess = closest(name, known)
    return f" Did you mean '{guess}'?" if guess else ""
