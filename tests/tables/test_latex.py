"""Tables in LaTeX: special characters, long tables, and, where LaTeX is installed, that they compile."""

import shutil
import subprocess

import pytest

from snnlab.tables.grid import Grid
from snnlab.tables.latex import latex, tex

NASTY = r'50 % & #1_a {b} $c ~d ^e \f <g> |h| "i" 3 +- 4 --run [j]'
SHORT = Grid(["Method", "Acc (%)"], [["[1] a", "1"], ["* b", NASTY], ["", "-"]], 1)
LONG = Grid(["Method", "Acc"], [[f"row {n}", str(n)] for n in range(80)], 1)
EMPTY = Grid(["Method"], [], 1)


def test_special_characters():
    assert tex("a_b & 50 %") == r"a\_b \& 50 \%"
    assert tex('the "4-layer" one') == "the ``4-layer'' one"
    assert tex("1 +- 2 --run") == r"1 $\pm$ 2 -{}-run"
    assert tex("a|b<c>\\") == r"a\textbar{}b\textless{}c\textgreater{}\textbackslash{}"


def test_a_long_table_goes_over_pages_and_a_figure_has_none():
    assert r"\begin{table}" in latex("x", "Short", SHORT, [])
    assert r"\begin{longtable}{lr}" in latex("x", "Long", LONG, [])
    # Notes take room as well.
    assert r"\begin{longtable}" in latex("x", "Short", SHORT, ["a note"] * 60)
    assert r"tabular" not in latex("x", "A figure", EMPTY, ["drawn by"])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_it_compiles(tmp_path):
    tables = [latex("x", NASTY, grid, [NASTY] * 3) for grid in (SHORT, LONG, EMPTY)]
    head = r"\documentclass{article}\usepackage{booktabs,graphicx,longtable}\begin{document}"
    (tmp_path / "x.tex").write_text("\n".join([head, *tables, r"\end{document}"]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
