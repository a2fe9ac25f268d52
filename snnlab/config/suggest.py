"""Guesses what a misspelt name was meant to be, and refuses unknown choices with that guess."""

import difflib
from collections.abc import Iterable, Sequence

from snnlab.errors import ConfigError

MANY = 20  # choices that one line still holds


def closest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like this one, or None if none is like it by `cutoff` (1: equal)."""
    candidates = list(known)
    lower = {one.lower(): one for one in candidates}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=cutoff)
    if found:
        return lower[found[0]]
    return next(
        (
            one
            for one in candidates
            if min(len(name), len(one)) > 1 and (one.startswith(name) or name.startswith(one))
        ),
        None,
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message, `. Did you mean 'tau'?`, or nothing."""
    guess = closest(name, known)
    return was_it([guess] if guess else [])


def was_it(names: Sequence[str]) -> str:
    """The same of names that are known: `. Did you mean 'neuron.tau' or 'loss.tau'?`, or nothing."""
    return f". Did you mean {' or '.join(map(repr, names))}?" if names else ""


def choices_hint(group: str, options: Sequence[str]) -> str:
    """Names the choices of a group, or the command that does where they are many."""
    if len(options) > MANY:
        return f"snnlab list {group} names all {len(options)}"
    return f"choose one of: {', '.join(options) or 'none exists'}"


def check_choice(key: str, value: str, choices: Sequence[str]) -> None:
    """Refuses a value that is none of the choices.

    Raises:
        ConfigError: it is not.
    """
    if value not in choices:
        guess = did_you_mean(value, choices)
        raise ConfigError(
            f"{key}: unknown choice '{value}'{guess}",
            f"choose one of: {', '.join(choices)}",
        )
