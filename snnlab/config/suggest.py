"""Suggests corrections of misspelt names, and refuses unknown choices with a suggestion."""

import difflib
from collections.abc import Iterable, Sequence

from snnlab.config.other_names import other_choice
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
            if min(len(name), len(one)) > 1 and (one.startswith(name.lower()) or name.lower().startswith(one))
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


def unknown_choice(group: str, name: str, options: Sequence[str]) -> str:
    """The ending of the message about an unknown choice: what it is called here, or a similar name."""
    last = name.rpartition(".")[2]  # of torch.optim.Adam
    other = other_choice(group, name)
    return was_it([other]) if other in options and other else did_you_mean(last, options)


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
