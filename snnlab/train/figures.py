"""The plots of a run (to come with the plot functions)."""

from pathlib import Path

from snnlab.train.session import Session


def draw(session: Session) -> list[Path]:
    return []
