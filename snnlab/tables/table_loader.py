"""Reads and checks `conf/table/*.yaml` strictly: every key and value against `table_file`, with file and line."""

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from snnlab.config import types
from snnlab.config.hints import type_of
from snnlab.config.search import SearchPath
from snnlab.config.suggest import did_you_mean
from snnlab.errors import ConfigError
from snnlab.tables.table_file import SCALES, TableFile, parse_published

Lines = dict[str, int]


def load_table(name: str, search: SearchPath) -> TableFile:
    """The table or figure of this name.

    Raises:
        ConfigError: there is none, or its file is wrong; the message names file and line.
    """
    name = name.replace("-", "_")
    file = search.file(f"table/{name}")
    if file is None:
        known = search.options("table")
        raise ConfigError(
            f"table: unknown name '{name}'{did_you_mean(name, known)}",
            "snnlab list table names them all",
        )
    return read_table(file, search.label(file))


def read_table(file: Path, label: str) -> TableFile:
    """Reads a table or figure from a file; `label` names it in messages."""
    text = file.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{label}: not valid YAML", " ".join(str(error).split())) from None
    lines: Lines = {}
    if node is not None:
        _lines(node, "", lines)
    checker = _Checker(label, lines)
    table = checker.dataclass(TableFile, content, "")
    assert isinstance(table, TableFile)
    checker.consistent(table)
    return table


def _lines(node: yaml.Node, path: str, lines: Lines) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _lines(value, f"{path}.{key.value}".lstrip("."), lines)
            lines[f"{path}.{key.value}".lstrip(".")] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _lines(value, f"{path}[{index}]", lines)


@dataclasses.dataclass(frozen=True)
class _Checker:
    label: str
    lines: Lines

    def error(self, path: str, message: str, hint: str = "") -> ConfigError:
        line = self.lines.get(path)
        where = f"{self.label}:{line}" if line else self.label
        return ConfigError(f"{where}: {path}: {message}" if path else f"{where}: {message}", hint)

    def dataclass(self, kind: type, value: Any, path: str) -> Any:
        fields = {one.name: one for one in dataclasses.fields(kind)}
        if not isinstance(value, Mapping):
            raise self.error(path, f"expected keys with values, got {value!r}", f"keys: {', '.join(fields)}")
        hints = get_type_hints(kind, vars(__import__(kind.__module__, fromlist=["x"])))
        for key in value:
            if key not in fields:
                raise self.error(
                    f"{path}.{key}".lstrip("."),
                    f"unknown key{did_you_mean(str(key), fields)}",
                    f"keys: {', '.join(fields)}",
                )
        for key, one in fields.items():
            wanted = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            if wanted and key not in value:
                raise self.error(path, f"the key '{key}' is missing", f"keys: {', '.join(fields)}")
        return kind(
            **{key: self.value(hints[key], one, f"{path}.{key}".lstrip(".")) for key, one in value.items()}
        )

    def value(self, kind: Any, value: Any, path: str) -> Any:
        origin, args = get_origin(kind), get_args(kind)
        record = next((one for one in (kind, *args) if dataclasses.is_dataclass(one)), None)
        if origin is tuple and isinstance(value, list):
            return tuple(self.value(args[0], one, f"{path}[{index}]") for index, one in enumerate(value))
        if origin is Mapping and isinstance(value, Mapping):
            return {str(key): self.value(args[1], one, f"{path}.{key}") for key, one in value.items()}
        if origin is Mapping or (origin is tuple and record):
            shape = "a list" if origin is tuple else "keys with values"
            raise self.error(path, f"expected {shape}, got {types.show(value)}")
        if record:
            assert isinstance(record, type)
            return None if value is None and origin else self.dataclass(record, value, path)
        return self.plain(type_of(kind), value, path)

    def plain(self, kind: types.Type, value: Any, path: str) -> Any:
        try:
            return kind.convert(value)
        except types.MismatchError as error:
            # YAML 1.1 takes 1e-6, without a point, for text, and a label such as 0.5 for a number.
            if isinstance(value, str | float):
                with contextlib.suppress(ValueError, types.MismatchError):
                    return kind.convert(float(value) if isinstance(value, str) else str(value))
            raise self.error(path, error.message, error.hint) from None

    def consistent(self, table: TableFile) -> None:
        """Checks what types cannot express: lengths, references between names, published values."""
        self.unique([column.label for column in table.columns], "columns")
        self.unique([row.name for row in table.rows], "rows")
        labels = [column.label for column in table.columns]
        for index, row in enumerate(table.rows):
            path = f"rows[{index}]"
            if len(row.labels) != len(table.labels):
                raise self.error(
                    path, f"{len(row.labels)} labels, but the table has {len(table.labels)}", "one for each"
                )
            if len(row.published) != len(table.columns):
                raise self.error(
                    f"{path}.published",
                    f"{len(row.published)} values for {len(table.columns)} columns",
                    "write null where the paper prints none",
                )
            for position, value in enumerate(row.published):
                try:
                    parse_published(value)
                except ValueError as error:
                    raise self.error(f"{path}.published[{position}]", str(error)) from None
            fills = [row.cited, bool(row.missing), row.run is not None, bool(row.runs)]
            if sum(fills) == 0 and not row.missing_columns:
                raise self.error(
                    path, "nothing fills this row", "say run, runs, cited: true, or missing: why"
                )
            if row.run and row.runs:
                raise self.error(path, "both run and runs", "keep one of them")
            if row.cited and (row.run or row.runs or row.missing):
                raise self.error(path, "a cited row is not run", "remove run, runs and missing")
            for key in row.missing_columns:
                self.known(f"{path}.missing_columns.{key}", key, labels)
            for key, note in row.notes.items():
                self.known(f"{path}.notes.{key}", key, [*labels, "row"])
                self.known(f"{path}.notes.{key}", note, table.footnotes)
        used = {note for row in table.rows for note in row.notes.values()}
        for key in table.footnotes:
            if key not in used:
                raise self.error(
                    f"footnotes.{key}", "no row refers to it", "name it in a row's notes, or write remarks"
                )
        names = [row.name for row in table.rows]
        for index, one in enumerate(table.compare):
            for name in (one.row, *one.against):
                self.known(f"compare[{index}]", name, names)
            for label in one.columns:
                self.known(f"compare[{index}].columns", label, labels)
        for key, change in table.scales.items():
            self.known(f"scales.{key}", key, SCALES[1:])
            for name in change.rows:
                self.known(f"scales.{key}.rows", name, names)
            for label in change.columns:
                self.known(f"scales.{key}.columns", label, labels)

    def unique(self, names: list[str], path: str) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                raise self.error(f"{path}[{index}]", f"there is a '{name}' already", "names have to differ")

    def known(self, path: str, name: str, names: Any) -> None:
        if name not in names:
            raise self.error(
                path, f"unknown name '{name}'{did_you_mean(name, names)}", f"there are: {', '.join(names)}"
            )
