"""Writes a table in Markdown."""

from collections.abc import Collection, Sequence


def markdown_table(
    head: Sequence[str], body: Sequence[Sequence[str]], *, words: Collection[int], padded: bool = True
) -> list[str]:
    """The lines of a table.

    Args:
        head: the headings.
        body: the rows; a `|` in a cell is escaped.
        words: the columns, from 0, that are aligned to the left; the others hold numbers.
        padded: whether cells are filled up with blanks, so that the columns are of equal width in the text too.
    """
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, *body)]
    widths = [max(2, *(len(line[index]) for line in lines)) if padded else 3 for index in range(len(head))]
    ruler = ["-" * width if index in words else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
    if not padded:
        return [_joined(line) for line in (lines[0], ruler, *lines[1:])]
    return [
        _joined(
            [
                cell.ljust(width) if index in words else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
        )
        for line in (lines[0], ruler, *lines[1:])
    ]


def _joined(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
