"""`train -m`: expands a sweep, checks every point, lets Hydra run it, and ends with a table.

Hydra's own multirun is used, so its other launchers (submitit, joblib) and sweepers remain usable.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra

from snnlab.config.compose import config_errors, loader
from snnlab.config.search import MAIN, SearchPath
from snnlab.config.trust import plugins_named
from snnlab.errors import PREEMPTED
from snnlab.runs.identity import run_dir
from snnlab.runs.results import read_result, running_in
from snnlab.sweep.expand import can_be_listed, points_of, read_sweep
from snnlab.sweep.launcher import ProcessReturn, SweepStoppedError
from snnlab.sweep.outcome import Outcome, Outcomes
from snnlab.sweep.plugin_mistake import as_plugin_mistake
from snnlab.sweep.search import (
    best_trial,
    chosen,
    keep_quiet,
    refuse_search,
    refuse_storage,
    settings_of_search,
    trials,
)
from snnlab.sweep.table import SweepTable
from snnlab.sweep.task import PointTask
from snnlab.sweep.watched import jobs_stay, watching


def run_sweep(
    overrides: Sequence[str],
    config_dirs: Sequence[str | Path],
    train: Callable[[list[str]], int],
    accepted: Callable[[], None] = lambda: None,
) -> int:
    """Runs all combinations of the swept values.

    Args:
        overrides: in Hydra's syntax, with sweeps.
        config_dirs: further folders shaped like conf/.
        train: runs a command line such as ["train", "seed=0"] in this process, for Hydra's other launchers.
        accepted: called when all points that can be listed have been checked.

    Returns:
        The exit code: 0 if all are done, 75 if the sweep was interrupted, else 1.

    Raises:
        ConfigError: a point is wrong, or a launcher or sweeper cannot work; nothing has been started then.
    """
    search = SearchPath.of(config_dirs, plugins_named(overrides))
    with loader(search) as hydra_loader:
        read, lines, master = read_sweep(overrides, hydra_loader, search)
        listed = can_be_listed(read, master)
        points = points_of(read, hydra_loader, search) if listed else []
        accepted()
        if listed:
            done = sum(read_result(point.run_dir) is not None for point in points)
            _say(f"sweep: {len(points)} {'run' if len(points) == 1 else 'runs'} checked, {done} done before")
        else:
            refuse_search(master, read)
            refuse_storage(master)
            lines += settings_of_search(master, read)
            keep_quiet(master)
            _say("sweep: its points are not known beforehand; each is checked when it starts")
        interrupted = failed = False
        outcomes = Outcomes(Path(str(master.hydra.sweep.dir)).absolute())
        stay = jobs_stay(master.hydra.launcher)
        task = PointTask(
            train,
            {point.hydra_overrides: point.cfg for point in points},
            outcomes,
            stay,
            fixed=None if listed else tuple(one.hydra for one in read if not (one.is_sweep or one.is_hydras)),
        )
        try:
            with config_errors(search), watching(task):
                hydra = GlobalHydra.instance().hydra
                assert hydra is not None
                hydra.multirun(MAIN, task, lines, with_log_configuration=False)
        except KeyboardInterrupt:
            interrupted = True
        except SweepStoppedError:
            pass  # the table tells which
        except Exception as error:
            if (mistake := as_plugin_mistake(error, master.hydra)) is None:
                raise
            if not (task.ended or task.refused or outcomes.read()):
                raise mistake from error
            failed = True
            sys.stderr.write(f"error: {mistake.message}\nhint: {mistake.hint}\n")
    processes = [one for one in task.ended if isinstance(one, ProcessReturn)]
    processes += [_told(one, task) for one in outcomes.read() if not _is_open(one, task)]
    interrupted |= any(one.exit_code == PREEMPTED for one in processes)
    points = points or trials(task.tried, read)
    if not points and not task.refused:
        return PREEMPTED if interrupted else int(failed or any(one.exit_code for one in processes))
    ended = {one.run_dir: one for one in processes}
    points = [
        point.ended(ended.get(point.run_dir)).left_in(
            "the queue of the launcher" if point.hydra_overrides in task.staying else ""
        )
        for point in points
    ]
    refused = {
        " ".join(f"{key}={value}" for key, value in chosen(one, read).items()): error.message
        for one, error in task.refused.items()
    }
    table = SweepTable(points, overrides, refused, outcomes.folder.parent)
    _say(table.text())
    if not listed and (best := best_trial(points)):
        _say(f"\n{best}")
    _say(f"written to {table.write()}")
    return PREEMPTED if interrupted else table.exit_code or int(failed)


def _is_open(outcome: Outcome, task: PointTask) -> bool:
    """Whether a job still runs, may still run, or was never more than waiting for another process."""
    if outcome.exit_code is not None:
        return False
    return bool(outcome.elsewhere or task.staying or running_in(Path(outcome.run)))


def _told(outcome: Outcome, task: PointTask) -> ProcessReturn:
    """What a job has left of its end, in the form of our own launchers' records."""
    folder = run_dir(task.config(outcome.overrides, outcome.config_dirs))
    if outcome.exit_code is None:
        return ProcessReturn(exit_code=1, run_dir=folder, reason="its process ended without a word")
    return ProcessReturn(exit_code=outcome.exit_code, run_dir=folder, reason=outcome.reason)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
