"""What a run sends to its dashboards, and when."""

import os
from collections.abc import Mapping
from typing import Any

from snnlab.config.schema import RunConfig
from snnlab.dashboards.choose import dashboards_for
from snnlab.dashboards.over_time import show_over_time, summary_of
from snnlab.dashboards.several import Dashboards
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import run_hash, variant
from snnlab.runs.log import RunLog
from snnlab.runs.results import RunResult
from snnlab.train.session import Session


def dashboards_of(
    cfg: RunConfig, files: RunFiles, data: Mapping[str, Any], log: RunLog, *, continues: bool
) -> Dashboards:
    """Starts the dashboards of a run.

    Args:
        cfg, files: the run.
        data: the identity of its data.
        log: receives the warnings, and where the dashboards are.
        continues: whether the run continues one that was interrupted.
    """
    digest = run_hash(cfg)
    return dashboards_for(
        cfg.logger,
        files.folder,
        log.write,
        continues=continues,
        run_id=f"{digest}-seed{cfg.seed}",
        group=f"{cfg.experiment}/{variant(cfg)}-{digest}",
        name=f"{variant(cfg)} seed {cfg.seed}",
        config={**cfg.raw, "data": dict(data)},
        tags=(cfg.experiment,),
    )


def tell_sweep_agent(cfg: RunConfig, files: RunFiles, stored: RunResult, log: RunLog) -> None:
    """Logs the result of a run that was done before where an agent of a W&B sweep has asked for the run.

    The agent knows each of its runs by what it logs, and would take one without a metric for failed.
    """
    if not os.environ.get("WANDB_SWEEP_ID"):
        return
    steps = [row.get("step", 0) for row in files.read_metrics() if row.get("split") == "test"]
    row = {"step": steps[-1] if steps else 0, "epoch": stored.epochs, "split": "test", **stored.last}
    with dashboards_of(cfg, files, stored.data or {}, log, continues=True) as shown:
        shown.row(row)
        shown.saved()


def take_step_rows(session: Session, shown: Dashboards) -> None:
    """Hands over the rows of single steps so far."""
    for row in session.step_rows.take():
        shown.row(row)


def save(session: Session, shown: Dashboards) -> None:
    """Saves the state of the run, and sends the rows that belong to it."""
    take_step_rows(session, shown)
    session.save()
    shown.saved()


def show_end(session: Session, shown: Dashboards) -> None:
    """Sends what the run ended with: its last metrics over the time steps, the summary and the checkpoint."""
    last, best = session.position.last, session.position.best
    assert last is not None
    assert best is not None
    for split in ("test", "test_ema"):
        show_over_time(shown, last["metrics"], split)
    shown.summary(
        {
            **summary_of("last", last["epoch"], last["metrics"]),
            **summary_of("best", best["epoch"], best["metrics"]),
            "best/of": session.cfg.trainer.select,
            "best/tied": session.as_good,
        }
    )
    if session.cfg.logger.checkpoint != "none":
        shown.file(session.files.checkpoints / f"{session.cfg.logger.checkpoint}.pt", "checkpoint")
