"""The dashboards that a configuration asks for."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snnlab.config.schema import LoggerConfig
from snnlab.dashboards.base import Dashboard
from snnlab.dashboards.csv_log import CSVLog
from snnlab.dashboards.several import Dashboards, in_one_line
from snnlab.dashboards.tensorboard_log import TensorBoardLog
from snnlab.dashboards.wandb_log import wanted_mode
from snnlab.dashboards.wandb_process import WandbApart
from snnlab.packages import need


def need_packages(cfg: LoggerConfig) -> None:
    """Checks that there is what the chosen dashboards need. W&B, a default, is done without where it is absent.

    Raises:
        MissingPackageError: TensorBoard is asked for and not installed.
    """
    if cfg.tensorboard:
        need("tensorboard", "logger=tensorboard")


def dashboards_for(
    cfg: LoggerConfig,
    run_dir: Path,
    write: Callable[[str], None],
    *,
    continues: bool,
    run_id: str,
    group: str,
    name: str,
    config: Mapping[str, Any],
    tags: Sequence[str] = (),
) -> Dashboards:
    """Starts the dashboards of a run.

    Args:
        cfg: the section `logger`.
        run_dir: the run directory.
        write: receives lines for the log of the run.
        continues: whether the run continues one that was interrupted.
        run_id, group, name, config, tags: see `WandbLog`.
    """
    shown: list[Dashboard] = []
    if cfg.csv:
        shown.append(CSVLog(run_dir, continues=continues))
    if cfg.tensorboard:
        shown.append(TensorBoardLog(run_dir, continues=continues))
        write(f"show     tensorboard --logdir {run_dir / 'tensorboard'}")
    if wanted_mode(cfg) != "off":
        if find_spec("wandb") is None:
            write(
                "note     W&B is not installed (pip install wandb), the run directory holds all; "
                "logger=none leaves this line out"
            )
        else:
            arguments = {
                "run_dir": str(run_dir),
                "run_id": run_id,
                "group": group,
                "name": name,
                "config": config,
                "tags": list(tags),
                "continues": continues,
            }
            try:
                shown.append(WandbApart(cfg, arguments))
            except OSError as error:
                write(f"warning: W&B: {in_one_line(error)}; off for this run")
    return Dashboards(shown, write)
