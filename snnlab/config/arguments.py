"""Declares the arguments of a command that composes no configuration, such as `snnlab eval`, as a frozen dataclass.

The annotations are the types of the config keys (`config.types`), and the text below a field is its help:

    class ExportArguments(RunArguments):
        format: Literal["nir", "safetensors"] = "nir"
        \"""What the file holds.\"""

A field without a default is required. A field whose type is a dataclass of `config.measurements` is a section, such as
`early_exit.threshold=[0.9]`. The field `overrides` takes all other arguments; without it they are errors. Rules across
fields are checked in `__post_init__`. `config.read_arguments` reads a command line; help and completion use the same
dataclass.
"""

import ast
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

from snnlab.config import types
from snnlab.config.check import section
from snnlab.config.example import as_override
from snnlab.config.hints import type_of
from snnlab.config.signature import field_docs


@dataclass(frozen=True)
class Bare:
    """Marks the argument that may be given without `key=`; `what` describes it in messages."""

    what: str


@dataclass(frozen=True)
class Choices:
    """Marks an argument whose choices are looked up at run time, with those of the packages that the line names."""

    names: Callable[[tuple[str, ...]], Iterable[str]]


@dataclass(frozen=True)
class ReadBy:
    """Marks an argument that is parsed by its own function."""

    function: Callable[[str], Any]


@dataclass(frozen=True)
class Several:
    """Marks a key of the run that takes `[a,b]` or `1..8` here; a single value is an override of the run.

    On a mapping, `neuron: Annotated[Mapping[str, tuple[str, ...]], Several()]`, it means all keys `neuron.*`.
    """


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Base of the dataclasses that declare a command's arguments."""

    verb: ClassVar[str]
    usage: ClassVar[str]
    """The hint where something is missing."""
    also: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Other spellings, such as `noise` for `noise.kind`."""


@dataclass(frozen=True)
class Argument:
    """One declared argument: a field of such a dataclass."""

    name: str
    hint: Any
    """Its annotation, without marks."""
    default: Any
    doc: str
    marks: tuple[Any, ...]

    def mark(self, kind: type) -> Any:
        """The mark of this kind, or None."""
        return next((one for one in self.marks if isinstance(one, kind)), None)

    @property
    def section(self) -> Callable[..., Any] | None:
        """The dataclass of a section; None for any other argument."""
        kinds = (one for one in (self.hint, *get_args(self.hint)) if isinstance(one, type))
        return next((one for one in kinds if dataclasses.is_dataclass(one)), None)

    @property
    def is_open(self) -> bool:
        """True if it stands for all keys below its name, such as `neuron.*`."""
        return get_origin(self.hint) is Mapping

    @property
    def type(self) -> types.Type:
        return type_of(self.hint)

    def choices(self, plugins: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The values that completion offers, with those of packages of one's own."""
        if found := self.mark(Choices):
            return tuple(found.names(plugins))
        return () if self.section or self.is_open else self.type.choices()


def arguments_of(kind: type[Arguments]) -> Mapping[str, Argument]:
    """The arguments that a dataclass declares, by name, without `overrides`."""
    docs: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if dataclasses.is_dataclass(one):
            (node,) = ast.parse(inspect.getsource(one)).body
            assert isinstance(node, ast.ClassDef)
            docs |= field_docs(node)
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in dataclasses.fields(kind):
        hint, marks = hints[field.name], ()
        if get_origin(hint) is Annotated:
            hint, *rest = get_args(hint)
            marks = tuple(rest)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        found[field.name] = Argument(field.name, hint, default, docs.get(field.name, ""), marks)
    found.pop("overrides", None)
    return found


def help_of(kind: type[Arguments]) -> str:
    """The arguments with their meaning and default, a line each."""
    lines = []
    for one in sorted(arguments_of(kind).values(), key=lambda one: one.section is not None):
        if one.section:
            keys = section(one.name).keys.items()
            lines += [
                _line(f"{one.name}.{name}", key.type.choices(), key.doc, key.default) for name, key in keys
            ]
        else:
            name = f"{one.name}.*" if one.is_open else one.name
            lines.append(_line(name, () if one.mark(Choices) else one.choices(), one.doc, one.default))
    lines += [_line(short, (), f"short for {full}", None) for short, full in kind.also.items()]
    return "\n".join(lines)


def _line(name: str, choices: Iterable[str], doc: str, default: Any) -> str:
    shown = " | ".join(one for one in choices if one != "null")
    given = "" if default in (None, MISSING, ()) or default == {} else as_override(default)
    return "  ".join(
        one for one in (f"  {name:24}", doc, shown, f"(default: {given})" if given else "") if one
    )
