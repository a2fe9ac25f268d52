"""The type of a config key from an annotation that Python has evaluated, as `get_type_hints` gives it.

The counterpart of `types.parse`, which reads the same annotations from source.
"""

from collections import abc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from snnlab import ranges
from snnlab.config import types

PLAIN = {one: types.Scalar(one.__name__) for one in (int, float, bool, str, Path)}


def type_of(hint: Any) -> types.Type:
    """Reads a type.

    Raises:
        ValueError: a config key cannot have this type.
    """
    origin, args = get_origin(hint), get_args(hint)
    if hint in (None, NoneType):
        return types.Null()
    if origin is None and hint in PLAIN:
        return PLAIN[hint]
    if origin is Literal:
        return types.Choice(args)
    if origin in (UnionType, Union):
        return types.union([type_of(member) for member in args])
    if origin in (list, abc.Sequence):
        return types.Sequence((type_of(args[0]),), True, list)
    if origin is tuple:
        variadic = args[-1] is Ellipsis
        return types.Sequence(tuple(map(type_of, args[:-1] if variadic else args)), variadic, tuple)
    if origin is Annotated:
        base = type_of(args[0])
        bounds = tuple(one for one in args[1:] if isinstance(one, ranges.Bound))
        return types.Scalar(base.name, bounds) if isinstance(base, types.Scalar) and bounds else base
    raise ValueError(f"a config key cannot have the type '{hint}'")
