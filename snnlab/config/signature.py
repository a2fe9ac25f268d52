"""Reads the config keys of a component or a settings dataclass from its source, without importing it.

A component's keys are its constructor's keyword-only parameters; a dataclass's keys are its fields.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.config import types
from snnlab.errors import ConfigError
from snnlab.ranges import Default
from snnlab.registry import is_class_of


@dataclass(frozen=True)
class Key:
    """One config key: its type, default and documentation, and whether a run's hash covers it.

    The text is that below a settings dataclass's field, or the entry below `Args:` in a component's docstring.
    """

    type: types.Type
    default: Any
    doc: str = ""
    hashed: bool = True


@dataclass(frozen=True)
class Signature:
    """The keys of one component or one group of settings, in the order of the source."""

    class_name: str
    summary: str
    keys: Mapping[str, Key]
    injected: tuple[str, ...] = ()
    """What the run hands in, by name: a component's positional parameters."""


@cache
def read_component(file: Path) -> Signature:
    """The signature of the component defined in a file.

    Raises:
        ConfigError: the file defines no such class, or one of its parameters lacks a usable type or default.
    """
    tree, names = _parse(file)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_class_of(node.name, file.stem):
            keys: dict[str, Key] = {}
            injected: tuple[str, ...] = ()
            for statement in node.body:
                if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                    keys = _keyword_only(statement, names, _args(ast.get_docstring(node) or ""), file)
                    injected = tuple(parameter.arg for parameter in statement.args.args[1:])
            return Signature(node.name, _summary(node), MappingProxyType(keys), injected)
    raise ConfigError(
        f"{file}: no class named like the file",
        f"'{file.stem}' without regard to case and underscores is expected",
    )


@cache
def class_value(file: Path, attribute: str) -> Any:
    """The literal that a component's class assigns to an attribute; None if it assigns none."""
    tree, _ = _parse(file)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_class_of(node.name, file.stem):
            for one in node.body:
                if isinstance(one, ast.Assign) and any(
                    isinstance(target, ast.Name) and target.id == attribute for target in one.targets
                ):
                    return ast.literal_eval(one.value)
    return None


@cache
def read_dataclass(file: Path, class_name: str) -> Signature:
    """The signature of a settings dataclass; the text below a field is its documentation."""
    tree, names = _parse(file)
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    docs = field_docs(body)
    keys: dict[str, Key] = {}
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            keys[node.target.id] = _key(node.annotation, node.value, names, docs[node.target.id])
    return Signature(class_name, _summary(body), MappingProxyType(keys))


def field_docs(node: ast.ClassDef) -> dict[str, str]:
    """The documentation of each field of a dataclass: the text below it, or an empty one."""
    docs: dict[str, str] = {}
    for one, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            docs[one.target.id] = (
                text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else ""
            )
    return docs


def _parse(file: Path) -> tuple[ast.Module, dict[str, ast.expr]]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except SyntaxError as error:
        raise ConfigError(f"{file}:{error.lineno}: {error.msg}", "correct the component's source") from None
    names = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = node.value
    return tree, names


def _args(docstring: str) -> dict[str, str]:
    """The entries below `Args:`, by the name of the parameter; `a, b: text` holds for both."""
    block = re.search(r"^Args:\n((?: +.*\n?|\n)*)", docstring, re.MULTILINE)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in block[1].splitlines() if block else ():
        if entry := re.match(r"    (\w[\w, ]*): (.*)", line):
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _keyword_only(
    init: ast.FunctionDef, names: Mapping[str, ast.expr], docs: Mapping[str, str], file: Path
) -> dict[str, Key]:
    keys = {}
    for parameter, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        where = f"{file}:{parameter.lineno}: parameter '{parameter.arg}'"
        if default is None or parameter.annotation is None:
            raise ConfigError(f"{where} needs a type and a default", "for example: decay: float = 0.5")
        try:
            keys[parameter.arg] = _key(parameter.annotation, default, names, docs.get(parameter.arg, ""))
        except ValueError as error:
            raise ConfigError(
                f"{where}: {error}",
                "use int, float, bool, str, Literal, tuple, list, X | None or snnlab.ranges",
            ) from None
    return keys


def _key(annotation: ast.expr, default: ast.expr, names: Mapping[str, ast.expr], doc: str = "") -> Key:
    hashed = True
    match annotation:
        case ast.Subscript(value=ast.Name(id="Unhashed"), slice=inner):
            annotation, hashed = inner, False
    return Key(types.parse(annotation, names), _value(default, names), doc, hashed)


def _value(node: ast.expr, names: Mapping[str, ast.expr]) -> Any:
    match node:
        case ast.Name(id=name) if name in names:
            return _value(names[name], {})
        case ast.Call(func=ast.Name(id="Path"), args=[path]):
            return Path(ast.literal_eval(path))
        case ast.Call(func=ast.Name(id="Default"), args=[number]):
            return Default(ast.literal_eval(number))
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f"the default '{ast.unparse(node)}' is not a plain value") from None


def _summary(node: ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0].rstrip(".")
