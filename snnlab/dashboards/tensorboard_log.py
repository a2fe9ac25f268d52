"""The records of a run for TensorBoard, in `tensorboard/` of the run directory."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.dashboards.base import Cell, Dashboard, Status
from snnlab.dashboards.over_time import is_of_a_time_step
from snnlab.markdown import markdown_table


class TensorBoardLog(Dashboard):
    """Scalars over the optimiser steps; those of each time step are left to `series`.

    Args:
        run_dir: the event files go into `tensorboard` below it.
        continues: whether earlier event files are continued, else they are removed.
    """

    name = "TensorBoard"

    def __init__(self, run_dir: Path, *, continues: bool) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run_dir / "tensorboard"
        if not continues:
            for file in folder.glob("events.out.tfevents.*"):
                file.unlink()
        self._writer: Any = SummaryWriter(str(folder), flush_secs=20)
        self._step = 0

    def row(self, row: Mapping[str, Any]) -> None:
        self._step = row["step"]
        for key, value in row.items():
            if key not in ("step", "split", "epoch") and not is_of_a_time_step(key) and value is not None:
                self._writer.add_scalar(key, value, self._step)
        self._writer.flush()

    def series(self, name: str, steps: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
        """Scalars whose horizontal axis is the time step."""
        for label, values in lines.items():
            for step, value in zip(steps, values, strict=True):
                if value is not None:
                    self._writer.add_scalar(f"{name}/{label}".replace(" ", "_"), value, step)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self._writer.add_text(name, _text(columns, rows), self._step)

    def pictures(self, paths: Sequence[Path]) -> None:
        import numpy as np
        from PIL import Image

        for path in paths:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._writer.add_image(f"plots/{path.stem}", pixels, self._step, dataformats="HWC")

    def summary(self, values: Mapping[str, Cell]) -> None:
        self._writer.add_text("summary", _text(("metric", "value"), list(values.items())), self._step)

    def finish(self, status: Status) -> None:
        self._writer.close()


def _text(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as TensorBoard shows it: Markdown."""

    def text(cell: Cell) -> str:
        return "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)

    body = [[text(cell) for cell in row] for row in rows]
    return "\n".join(markdown_table(columns, body, words=(), padded=False))
