"""Writes a grid as LaTeX with booktabs: a floating table, or one over several pages where it is long."""

import re
from collections.abc import Sequence

from snnlab.tables.grid import Grid

# Lines of a page, table and notes together, and characters of a line of notes.
PAGE = 44
LINE = 90
TEX = {
    **{ord(one): f"\\{one}" for one in "&%$#_{}"},
    ord("\\"): r"\textbackslash{}",
    ord("~"): r"\textasciitilde{}",
    ord("^"): r"\textasciicircum{}",
    ord("<"): r"\textless{}",
    ord(">"): r"\textgreater{}",
    ord("|"): r"\textbar{}",
}


def latex(command: str, caption: str, grid: Grid, notes: Sequence[str]) -> str:
    """A table for a document with `booktabs`, `graphicx` and `longtable`.

    Args:
        command: the command that makes the table, for a comment.
        caption: above the table.
        grid: the table; a figure's may be empty.
        notes: below it, small.
    """
    align = "".join("l" if grid.is_words(index) else "r" for index in range(len(grid.head)))
    head, body = _row(grid.head), [_row(line) for line in grid.body]
    long = len(body) + sum(1 + len(note) // LINE for note in notes) > PAGE
    below = [
        r"  \footnotesize\raggedright\setlength{\parindent}{0pt}",
        *(f"  {tex(note)}\\par" for note in notes),
    ]
    if not body:
        lines = ["{", f"  \\textbf{{{tex(caption)}}}\\par", *below, "}"]
    elif long:
        lines = [
            "{",
            f"  {_size(grid)}\\setlength{{\\tabcolsep}}{{3pt}}",
            f"  \\begin{{longtable}}{{{align}}}",
            f"    \\caption{{{tex(caption)}}}\\\\",
            *_lines(head, [], last=r"    \endfirsthead"),
            *_lines(head, [], last=r"    \endhead"),
            r"    \bottomrule",
            r"    \endlastfoot",
            *body,
            r"  \end{longtable}",
            *below,
            "}",
        ]
    else:
        lines = [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{tex(caption)}}}",
            r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            f"  \\begin{{tabular}}{{{align}}}",
            *_lines(head, body, last=r"    \bottomrule"),
            r"  \end{tabular}}",
            r"  \par\smallskip",
            *below,
            r"\end{table}",
        ]
    return "\n".join([f"% {command}; needs booktabs, graphicx and longtable", *lines]) + "\n"


def tex(text: str) -> str:
    """A text as LaTeX prints it: special characters, quotation marks, dashes that are none."""
    text = re.sub(r'"([^"]*)"', r"``\1''", text.translate(TEX))
    return text.replace("+-", r"$\pm$").replace("--", "-{}-")


def _size(grid: Grid) -> str:
    """Pages cannot be shrunk to fit, letters can."""
    return r"\footnotesize" if grid.width <= LINE else r"\scriptsize" if grid.width <= 110 else r"\tiny"


def _lines(head: str, body: Sequence[str], last: str) -> list[str]:
    return [r"    \toprule", head, r"    \midrule", *body, last]


def _row(texts: Sequence[str]) -> str:
    # A bracket or star at the start of a line would belong to the line break before it.
    return f"    {{}}{' & '.join(map(tex, texts))} \\\\"
