"""Refuses keys that the choice of another key leaves without effect."""

import inspect
from collections.abc import Mapping


def refuse_without_effect(
    cls: type, values: Mapping[str, object], needs: Mapping[str, tuple[str, object]]
) -> None:
    """Refuses a value that is not the constructor's default and is not used.

    Args:
        cls: a data set's class; keys that its constructor does not have are left out.
        values: the values of the keys by name.
        needs: of a key, the other key and the value of it with which alone it has an effect.

    Raises:
        ValueError: there is one.
    """
    parameters = inspect.signature(cls).parameters
    for key, (other, needed) in needs.items():
        if key not in parameters or values[other] == needed or values[key] == parameters[key].default:
            continue
        raise ValueError(
            f"dataset.{key}={_word(values[key])} has an effect with dataset.{other}={_word(needed)} only, not with "
            f"dataset.{other}={_word(values[other])}"
        )


def _word(value: object) -> str:
    return "null" if value is None else str(value)
