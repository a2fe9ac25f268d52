"""Grids of filled tables: rows and columns, turned ones, footnotes."""

import csv
import io

from snnlab.tables.fill import fill
from snnlab.tables.grid import cells_grid, paper_grid
from snnlab.tables.plan import Planner
from snnlab.tables.render import below, markdown_grid, render

COLUMNS = "\n".join(f"  - {{name: Acc, group: T={t}, metric: test/acc_step/t{t}}}" for t in range(1, 10))
WIDE = f"""
title: Over time
source: Nobody (2026), Table 1
columns:
{COLUMNS}
rows:
  - labels: ["A | B"]
    run: {{experiment: quickstart}}
    published: [1, 2, 3, 4, 5, 6, 7, 8, 9]
    notes: {{row: a, T=2 Acc: b}}
  - {{labels: [C], cited: true, published: [1, 2, 3, 4, 5, 6, 7, 8, null]}}
footnotes: {{a: of the row, b: of a cell}}
remarks: [of the whole]
"""


def filled(table, finished, tmp_path, text=WIDE):
    with Planner() as planner:
        plan = planner.plan("wide", table(text), seeds=[0], by_hand=[f"paths.runs={tmp_path}"])
    finished(plan.runs[0], **{f"test/acc_step/t{t}": t / 10 for t in range(1, 10)})
    return fill(plan)


def test_a_wide_table_is_turned(table, finished, tmp_path):
    grid = paper_grid(filled(table, finished, tmp_path))
    assert grid.head == ["", "A | B [a]", "C"]
    assert grid.body[0] == ["T=1 Acc", "10.00 (1.00)", "(1.00)"]
    assert grid.body[1] == ["T=2 Acc", "20.00 (2.00 [b])", "(2.00)"]
    assert grid.body[8] == ["T=9 Acc", "90.00 (9.00)", "-"]
    assert [grid.is_words(index) for index in range(3)] == [True, False, False]


def test_a_narrow_table_is_not(table, finished, tmp_path):
    few = WIDE.replace("\n".join(COLUMNS.splitlines()[7:]) + "\n", "")
    few = few.replace(", 8, 9]", "]").replace(", 8, null]", "]")
    grid = paper_grid(filled(table, finished, tmp_path, few))
    assert grid.head == ["Method", *(f"T={t} Acc" for t in range(1, 8))]
    assert [len(line) for line in grid.body] == [8, 8]
    assert grid.width <= 120


def test_a_wide_table_of_many_rows_is_not_turned_either(table, finished, tmp_path):
    row = '  - {labels: ["%s"], cited: true, published: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n'
    many = WIDE.replace("footnotes:", "".join(row % f"row {n}" for n in range(20)) + "footnotes:")
    assert paper_grid(filled(table, finished, tmp_path, many)).head[:2] == ["Method", "T=1 Acc"]


def test_footnotes_stand_once_and_where_they_belong(table, finished, tmp_path):
    found = filled(table, finished, tmp_path)
    texts = [text for line in cells_grid(found).body for text in line]
    assert sum("[a]" in text for text in texts) == 1
    assert [text for text in texts if "[b]" in text] == ["2.00 [b]"]
    notes = [line for line in below(found) if not line.startswith("not whole")]  # runs of a test are not
    assert notes[:3] == ["[a] of the row", "[b] of a cell", "of the whole"]


def test_a_number_is_not_taken_for_a_footnote(table, finished, tmp_path):
    text = WIDE.replace("columns:", "labels: [Method, T]\ncolumns:", 1)
    text = text.replace('["A | B"]', '["A | B", "2"]').replace("[C]", "[C, 4]")
    found = filled(table, finished, tmp_path, text)
    assert cells_grid(found).body[0][:2] == ["A | B [a]", "2"]


def test_a_pipe_in_a_cell_of_markdown(table, finished, tmp_path):
    lines = markdown_grid(cells_grid(filled(table, finished, tmp_path)))
    assert lines[2].startswith(r"| A \| B [a] | T=1 Acc")
    assert {line.replace(r"\|", "").count("|") for line in lines} == {8}


def test_csv_has_one_head_and_a_line_for_each_cell(table, finished, tmp_path):
    rows = list(csv.DictReader(io.StringIO(render(filled(table, finished, tmp_path), "csv"))))
    assert len(rows) == 18
    assert {None} & set(rows[0]) == set()
    assert (rows[1]["Method"], rows[1]["column"], rows[1]["mean"]) == ("A | B", "T=2 Acc", "20")
