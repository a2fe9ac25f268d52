"""The log of a run: on the terminal, and as plain text in `log.txt`."""

from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType

from snnlab.atomic import naming


class RunLog:
    """Writes to the terminal and to a file; with no file, to the terminal only.

    Args:
        path: the file, or None.
        quiet: write nothing to the terminal.
    """

    def __init__(self, path: Path | None, quiet: bool = False) -> None:
        self.console = Console(highlight=False, markup=False, quiet=quiet)
        self._path = path
        self._file = None if path is None else path.open("a")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._path is not None:
            with naming(self._path):  # what could not be written is tried again
                self._file.close()

    def write(self, content: RenderableType) -> None:
        """Prints to both."""
        self.console.print(content, soft_wrap=True)
        self.only_file(content)

    def only_file(self, content: RenderableType) -> None:
        """Prints to the file."""
        if self._file is not None and self._path is not None:
            console = Console(file=self._file, width=120, highlight=False, markup=False)
            with naming(self._path):
                console.print(content, soft_wrap=True)
                self._file.flush()
