"""Filled tables as JSON, and back; `results/` holds such files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from snnlab.errors import ConfigError
from snnlab.tables.fill import Filled, filled_cell
from snnlab.tables.provenance import short
from snnlab.tables.table_file import TableFile


def read_filled(file: Path, table: TableFile) -> Filled:
    """A table that was written as JSON (`as_json`), judged anew; what was measured, and how, is as it was written.

    Raises:
        ConfigError: the file is no such JSON, or has not the cells of this table.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        of = content["table"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ConfigError(
            f"{file}: not a table as JSON", "snnlab table NAME --format json writes one"
        ) from None
    table = replace(table, selection=content["selection"])
    stored = {(one["row"], one["column"]): one for one in content["cells"]}
    cells = []
    for row, column in table.cells:
        one = stored.get((row.name, column.label))
        if one is None:
            raise ConfigError(
                f"{file}: no cell '{row.name}', '{column.label}'",
                f"it was written for the table {of}; write it anew with --format json",
            )
        values = {int(seed): value for seed, value in one["values"].items()}
        cells.append(filled_cell(table, row, column, values, one["wanted"], one["why"], content["scale"]))
    return Filled(
        content["table"],
        table,
        content["scale"],
        tuple(content["seeds"]),
        tuple(content["by_hand"]),
        tuple(cells),
        content["data"],
        content["runs"],
        content.get("damaged", ()),
    )


def as_json(filled: Filled) -> dict[str, Any]:
    """All of a filled table, enough for `read_filled`."""
    return {
        "table": filled.name,
        "title": filled.table.title,
        "source": filled.table.source,
        "scale": filled.scale,
        "data": filled.data,
        "seeds": list(filled.seeds),
        "selection": filled.table.selection,
        "by_hand": list(filled.by_hand),
        "cells": [
            {
                "row": cell.row.name,
                "column": cell.column.label,
                "published": cell.published[0],
                "published_std": cell.published[1],
                "values": {str(seed): short(value) for seed, value in cell.values.items()},
                "mean": short(cell.mean),
                "std": short(cell.std),
                "n": len(cell.values),
                "wanted": cell.wanted,
                "difference": short(cell.difference),
                "verdict": cell.verdict,
                "why": cell.why,
            }
            for cell in filled.cells
        ],
        "tests": [
            {**vars(one), "difference": short(one.difference), "p": short(one.p)} for one in filled.tests
        ],
        "footnotes": dict(filled.table.footnotes),
        "runs": list(filled.runs),
        **({"damaged": list(filled.damaged)} if filled.damaged else {}),
    }
