"""A value that a key would take, for the hint about one that it does not."""

from typing import Any

from snnlab.config import types
from snnlab.config.signature import Key

NUMBERS = {"int": (16, 2, 1, 0, -1), "float": (2.0, 1.0, 0.5, 0.0, -1.0)}
TEXTS = {"str": "<text>", "Path": "<path>", "bool": "true"}


def example_of(key: Key) -> str:
    """The default as an override spells it; where that is null, a value and the word null."""
    if key.default is not None:
        return as_override(key.default)
    members = key.type.members if isinstance(key.type, types.Union) else (key.type,)
    found = next((_of(one) for one in members if not isinstance(one, types.Null)), "null")
    return found if found == "null" else f"{found}, or null"


def _of(kind: types.Type) -> str:
    if isinstance(kind, types.Choice):
        return kind.choices()[0]
    if isinstance(kind, types.Sequence):
        return f"[{','.join(map(_of, kind.items))}]"
    if isinstance(kind, types.Scalar) and kind.name in NUMBERS:
        fit = (one for one in NUMBERS[kind.name] if all(bound.accepts(one) for bound in kind.bounds))
        return as_override(next(fit, "<number>"))
    return TEXTS.get(kind.name, "<value>") if isinstance(kind, types.Scalar) else "<value>"


def as_override(value: Any) -> str:
    """A value as the command line spells it: `[1,2]`, `null`, `true`."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_override, value))}]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
