"""The types that a config key can have; each converts a plain YAML value or reports what was expected.

A type is read from an annotation's syntax tree, so no annotation is ever evaluated and no component imported.
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

from snnlab import ranges
from snnlab.config.suggest import did_you_mean

SCALARS = ("int", "float", "bool", "str", "Path")
INT64_MAX = 2**63 - 1
FLOAT32_MAX = 3.4028234663852886e38
PLAIN = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "text", "Path": "a path"}
# A folder may be called 2024.
TEXTS: Mapping[str, Callable[[int], str | Path]] = {"str": str, "Path": lambda number: Path(str(number))}
# YAML 1.1 parses these bare words as booleans; Literal["off", ...] means the word.
YAML_WORDS = {True: ("on", "yes", "true"), False: ("off", "no", "false")}


class MismatchError(Exception):
    """A value does not fit a type; `weight` ranks the messages when no member of a union fits."""

    def __init__(self, message: str, hint: str = "", weight: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.weight = weight


class Type(Protocol):
    """Base of the types, as returned by `parse`."""

    def convert(self, value: Any) -> Any:
        """The value in its final form (an int for a float key becomes a float); raises MismatchError."""

    def choices(self) -> tuple[str, ...]:
        """The values that completion offers."""

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Scalar:
    """int, float, bool, str or Path, with bounds for numbers."""

    name: str
    bounds: tuple[ranges.Bound, ...] = ()

    def convert(self, value: Any) -> Any:
        found = self._convert(value)
        if self.bounds and not all(bound.accepts(found) for bound in self.bounds):
            raise MismatchError(f"{value} is out of range, expected {self}", weight=2)
        return found

    def _convert(self, value: Any) -> Any:
        if self.name == "Path" and isinstance(value, str | Path) and str(value):
            return Path(value)
        if self.name == "str" and isinstance(value, str):
            return value
        if self.name in TEXTS and isinstance(value, int) and not isinstance(value, bool):
            return TEXTS[self.name](value)
        if self.name == "bool" and isinstance(value, bool):
            return value
        if self.name == "int" and isinstance(value, int) and not isinstance(value, bool):
            if abs(value) > INT64_MAX:
                raise MismatchError(f"{value} is beyond the integers of 64 bits, 9.2e18", weight=2)
            return value
        if self.name == "float" and isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise MismatchError(f"expected {self}, got {value}", weight=2)
            if abs(value) > FLOAT32_MAX:
                raise MismatchError(f"{value} is beyond the numbers of float32, 3.4e38", weight=2)
            return float(value)
        # The spelling is lost: 1e3 has become 1000.0.
        is_word = self.name in TEXTS and isinstance(value, float | bool)
        hint = (
            "what looks like a number, or is true or false, is text in quotes: \"key='1e3'\""
            if is_word
            else ""
        )
        raise MismatchError(f"expected {self}, got {show(value)}", hint)

    def choices(self) -> tuple[str, ...]:
        return ("true", "false") if self.name == "bool" else ()

    def __str__(self) -> str:
        return " ".join([PLAIN[self.name], " and ".join(str(bound) for bound in self.bounds)]).strip()


@dataclass(frozen=True)
class Null:
    """None in Python, null in YAML."""

    def convert(self, value: Any) -> None:
        if value is not None:
            raise MismatchError(f"expected null, got {show(value)}", weight=-1)

    def choices(self) -> tuple[str, ...]:
        return ("null",)

    def __str__(self) -> str:
        return "null"


@dataclass(frozen=True)
class Choice:
    """One of some literal values."""

    options: tuple[Any, ...]

    def convert(self, value: Any) -> Any:
        for option in self.options:
            if option == value and type(option) is type(value):
                return option
            if isinstance(value, bool) and option in YAML_WORDS[value]:
                return option
        guess = did_you_mean(str(value), self.choices())
        raise MismatchError(
            f"unknown choice {show(value)}{guess}",
            f"choose one of: {', '.join(self.choices())}",
            weight=1 if isinstance(value, str) else 0,
        )

    def choices(self) -> tuple[str, ...]:
        return tuple(str(option) for option in self.options)

    def __str__(self) -> str:
        return f"one of {', '.join(self.choices())}"


@dataclass(frozen=True)
class Sequence:
    """A tuple or list: `items` for each position, or one item type for any length."""

    items: tuple[Type, ...]
    variadic: bool
    container: type[tuple[Any, ...]] | type[list[Any]]

    def convert(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise MismatchError(f"expected {self}, got {show(value)}")
        if not self.variadic and len(value) != len(self.items):
            raise MismatchError(f"expected {self}, got {len(value)} values", weight=1)
        items = self.items * len(value) if self.variadic else self.items
        found = []
        for position, (item, element) in enumerate(zip(items, value, strict=True), start=1):
            try:
                found.append(item.convert(element))
            except MismatchError as error:
                raise MismatchError(f"element {position}: {error.message}", error.hint, weight=1) from None
        return self.container(found)

    def choices(self) -> tuple[str, ...]:
        return ()

    def __str__(self) -> str:
        if self.variadic:
            return f"a list [...] of: {self.items[0]}"
        return f"a list [{'; '.join(str(item) for item in self.items)}]"


@dataclass(frozen=True)
class Anything:
    """The element of a bare `list`: any plain value."""

    def convert(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            raise MismatchError(f"expected a value, got {show(value)}")
        return value

    def choices(self) -> tuple[str, ...]:
        return ()

    def __str__(self) -> str:
        return "anything"


@dataclass(frozen=True)
class Union:
    """Any of several types; a value that fits one without conversion is taken as that one."""

    members: tuple[Type, ...]

    def convert(self, value: Any) -> Any:
        found = []
        refused: list[MismatchError] = []
        for member in self.members:
            try:
                found.append(member.convert(value))
            except MismatchError as error:
                refused.append(error)
        if found:
            return next((one for one in found if type(one) is type(value)), found[0])
        best = max(refused, key=lambda error: error.weight)
        if best.weight > 0:
            raise best
        hint = next((error.hint for error in refused if error.hint), "")
        raise MismatchError(f"expected {self}, got {show(value)}", hint)

    def choices(self) -> tuple[str, ...]:
        return tuple(choice for member in self.members for choice in member.choices())

    def __str__(self) -> str:
        return " or ".join(str(member) for member in self.members)


def show(value: Any) -> str:
    """A value as a user would write it, with its type if that explains the error."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping with " + (", ".join(map(str, value)) or "no keys")
    return repr(value)


def parse(annotation: ast.expr, names: Mapping[str, ast.expr]) -> Type:
    """Reads a type from an annotation.

    Args:
        annotation: the annotation's syntax tree.
        names: module-level assignments of the same file, so that `Reset = Literal["hard", "soft"]` works.

    Raises:
        ValueError: a config key cannot have this annotation.
    """
    match annotation:
        case ast.Constant(value=None):
            return Null()
        case ast.Constant(value=str(text)):
            return parse(ast.parse(text, mode="eval").body, names)
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in SCALARS:
            return Scalar(name)
        case ast.Attribute(attr=name) | ast.Name(id=name) if hasattr(ranges, name) and get_args(
            getattr(ranges, name)
        ):
            base, *bounds = get_args(getattr(ranges, name))
            return Scalar(base.__name__, tuple(bounds))
        case ast.Name(id="list" | "tuple" as name):
            return Sequence((Anything(),), True, list if name == "list" else tuple)
        case ast.Name(id=name) if name in names:
            return parse(names[name], {key: value for key, value in names.items() if key != name})
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return union([parse(left, names), parse(right, names)])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _parse_generic(name, inner.elts if isinstance(inner, ast.Tuple) else [inner], names)
    raise ValueError(f"a config key cannot have the type '{ast.unparse(annotation)}'")


def _parse_generic(name: str, inner: list[ast.expr], names: Mapping[str, ast.expr]) -> Type:
    if name == "Literal":
        return Choice(tuple(ast.literal_eval(option) for option in inner))
    if name == "Optional":
        return union([parse(inner[0], names), Null()])
    if name == "Union":
        return union([parse(member, names) for member in inner])
    if name in ("list", "Sequence"):
        return Sequence((parse(inner[0], names),), True, list)
    if name == "tuple":
        variadic = len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is Ellipsis
        items = tuple(parse(item, names) for item in (inner[:1] if variadic else inner))
        return Sequence(items, variadic, tuple)
    if name == "Annotated":
        base = parse(inner[0], names)
        bounds = tuple(_bound(bound) for bound in inner[1:])
        if isinstance(base, Scalar) and base.name in ("int", "float"):
            return Scalar(base.name, base.bounds + bounds)
    raise ValueError(f"a config key cannot have the type '{name}[...]'")


def _bound(node: ast.expr) -> ranges.Bound:
    match node:
        case ast.Call(func=ast.Name(id="Gt" | "Ge" | "Lt" | "Le" as name), args=[value]):
            bound: ranges.Bound = getattr(ranges, name)(ast.literal_eval(value))
            return bound
    raise ValueError(f"a bound is Gt(...), Ge(...), Lt(...) or Le(...), not '{ast.unparse(node)}'")


def union(members: list[Type]) -> Union:
    """The union of several types; nested unions are flattened."""
    flat: list[Type] = []
    for member in members:
        flat.extend(member.members if isinstance(member, Union) else [member])
    return Union(tuple(flat))
