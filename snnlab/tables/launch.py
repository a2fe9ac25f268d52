"""Starts the runs that a table lacks with Hydra's launcher, as a sweep does; teachers first."""

import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode

from snnlab.atomic import replacing
from snnlab.config.compose import (
    config_errors,
    load_configuration,
    loader,
    search_override,
)
from snnlab.config.overrides import read_overrides
from snnlab.config.search import SearchPath
from snnlab.errors import PREEMPTED
from snnlab.machine import lifeline
from snnlab.runs.identity import run_dir, run_dirs
from snnlab.runs.results import read_result
from snnlab.sweep.launcher import Stoppable
from snnlab.sweep.options import check_options
from snnlab.sweep.outcome import Outcomes
from snnlab.sweep.plugin_mistake import as_plugin_mistake
from snnlab.sweep.task import PointTask
from snnlab.sweep.watched import jobs_stay, watching
from snnlab.tables.planned import PlannedRun


def run_missing(
    plan: Callable[[], Sequence[PlannedRun]],
    hydra_overrides: Sequence[str],
    config_dirs: Sequence[str | Path],
    train: Callable[[list[str]], int],
) -> int:
    """Runs what is not done, in rounds: a student is planned again when its teacher is trained.

    Args:
        plan: returns the runs with their current state.
        hydra_overrides: such as `hydra.launcher.gpus=[0,1]` and `paths.runs=...`.
        config_dirs: further folders shaped like conf/.
        train: runs a command line in this process, for Hydra's other launchers and for measuring after them.

    Returns:
        The exit code: 0 if all are done, 75 if it was interrupted, else 1.
    """
    tried: set[Path] = set()
    while True:
        runs = [run for run in plan() if run.waits is None and run_dir(run.cfg) not in tried]
        # Experiments that come to the same settings share a run.
        todo = {
            run_dirs(run.cfg)[0].parts[-2:]: run for run in runs if run.state not in ("done", "unmeasured")
        }
        if todo and _launch(list(todo.values()), hydra_overrides, config_dirs, train) == PREEMPTED:
            return PREEMPTED
        tried |= {run_dir(run.cfg) for run in runs}
        for run in runs:
            if run.state == "unmeasured" and _measure(run, train) == PREEMPTED:
                return PREEMPTED
        if not todo:
            return int(any(run.state != "done" for run in plan()))


def _launch(
    runs: Sequence[PlannedRun],
    hydra_overrides: Sequence[str],
    config_dirs: Sequence[str | Path],
    train: Callable[[list[str]], int],
) -> int:
    search = SearchPath.of(config_dirs)
    with loader(search) as hydra_loader, config_errors(search):
        read = read_overrides(hydra_overrides, search)
        lines = [*search_override(search), *(one.hydra for one in read)]
        master = load_configuration(hydra_loader, lines, RunMode.MULTIRUN, search)
        check_options(master.hydra.launcher)
        outcomes = Outcomes(Path(str(master.hydra.sweep.dir)).absolute())
        configs = {frozenset(run.overrides): run.cfg for run in runs}
        task = PointTask(train, configs, outcomes, jobs_stay(master.hydra.launcher))
        try:
            with watching(task):
                launcher = Plugins.instance().instantiate_launcher(
                    hydra_context=HydraContext(config_loader=hydra_loader, callbacks=Callbacks(master)),
                    task_function=task,
                    config=master,
                )
                launcher.launch([list(run.overrides) for run in runs], initial_job_idx=0)
        except KeyboardInterrupt:
            return PREEMPTED
        except Exception as error:
            if (mistake := as_plugin_mistake(error, master.hydra)) is None:
                raise
            raise mistake from error
    stopped = isinstance(launcher, Stoppable) and launcher.stopped
    interrupted = any(read_result(run_dir(run.cfg)) is None and run.state == "interrupted" for run in runs)
    return PREEMPTED if interrupted or stopped else 0


def _measure(run: PlannedRun, here: Callable[[list[str]], int]) -> int:
    """Converts and measures a finished run, as far as that is not done."""
    if run.subject is None:
        code = _command(["convert", f"run={run.folder}", *run.about_it, *run.convert], here)
        if code or run.subject is None:
            return code
    subject, kept = run.subject, run.kept_file
    if kept is None or run.measured_file is not None:
        return 0
    verb, *rest = run.measure.split()
    before = _written(subject, run.measured)
    code = _command([verb, f"run={subject}", *run.about_it, *rest], here)
    new = {file: when for file, when in _written(subject, run.measured).items() if before.get(file) != when}
    if not code and new:
        kept.parent.mkdir(exist_ok=True)
        with replacing(kept) as temporary:
            shutil.copyfile(max(new, key=lambda file: new[file]), temporary)
    return code


def _written(folder: Path, pattern: str) -> dict[Path, int]:
    """The files that fit, with the time at which each was written."""
    return {file: file.stat().st_mtime_ns for file in folder.glob(pattern)}


def _command(words: list[str], here: Callable[[list[str]], int]) -> int:
    sys.stdout.write(f"measure: snnlab {shlex.join(words)}\n")
    sys.stdout.flush()
    if "torch" in sys.modules:
        # The launcher trains in this process too, which has imported everything by now.
        try:
            with redirect_stdout(StringIO()):
                return here(words)
        except Exception:
            traceback.print_exc()
            return 1
    try:
        command = [sys.executable, "-m", "snnlab", *words]
        return lifeline.run(command, stdout=subprocess.DEVNULL)
    except KeyboardInterrupt:
        return PREEMPTED
