"""Suggests corrections of misspelt names, and refuses unknown choices with a suggestion."""

import difflib
from collections.abc import Iterable, Sequence

from snnlab.errors import ConfigError

MANY = 20  # choices that one line still holds


def closest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The most similar known name, or None if none reaches the similarity `cutoff` (1: equal)."""
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
    """The ending of an error message, `. Did you mean 'tau'?`; empty without a similar name."""
    guess = closest(name, known)
    return was_it([guess] if guess else [])


def was_it(names: Sequence[str]) -> str:
    """The ending of an error message from given names, `. Did you mean 'neuron.tau' or 'loss.tau'?`; may be empty."""
    return f". Did you mean {' or '.join(map(repr, names))}?" if names else ""


def choices_hint(group: str, options: Sequence[str]) -> str:
    """Lists the choices of a group, or names the command that lists them if there are many."""
    if len(options) > MANY:
        return f"snnlab list {group} names all {len(options)}"
    return f"choose one of: {', '.join(options) or 'none exists'}"


def check_choice(key: str, value: str, choices: Sequence[str]) -> None:
    """Checks that a value is one of the choices.

    Raises:
        ConfigError: it is not one of them.
    """
    if value not in choices:
        guess = did_you_mean(value, choices)
        raise ConfigError(
            f"{key}: unknown choice '{value}'{guess}",
            f"choose one of: {', '.join(choices)}",
        )
