"""What a run sends to its dashboards, and when."""

from snnlab.dashboards.choose import dashboards_for
from snnlab.dashboards.over_time import show_over_time, summary_of
from snnlab.dashboards.several import Dashboards
from snnlab.runs.identity import run_hash, variant
from snnlab.runs.log import RunLog
from snnlab.train.session import Session


def dashboards_of(session: Session, log: RunLog, *, continues: bool) -> Dashboards:
    """Starts the dashboards of a run."""
    cfg = session.cfg
    digest = run_hash(cfg)
    return dashboards_for(
        cfg.logger,
        session.files.folder,
        log.write,
        continues=continues,
        run_id=f"{digest}-seed{cfg.seed}",
        group=f"{cfg.experiment}/{variant(cfg)}-{digest}",
        name=f"{variant(cfg)} seed {cfg.seed}",
        config={**cfg.raw, "data": session.data.as_mapping()},
        tags=(cfg.experiment,),
    )


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
        }
    )
    if session.cfg.logger.checkpoint != "none":
        shown.file(session.files.checkpoints / f"{session.cfg.logger.checkpoint}.pt", "checkpoint")
