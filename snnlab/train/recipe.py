"""The training run from start to end: build, resume, loop, evaluate, save, report. Read this file first."""

import sys
import time
import traceback
from contextlib import suppress
from functools import partial

from snnlab import build
from snnlab.config.schema import RunConfig
from snnlab.dashboards.choose import need_packages
from snnlab.data.dataset import LabelledData
from snnlab.errors import PREEMPTED, DataError, RunError
from snnlab.kernels import BackendError, ran
from snnlab.machine.device import set_up
from snnlab.machine.environment import environment
from snnlab.machine.interrupt import Interrupt
from snnlab.machine.processes import Processes, joined, lost_another, silent
from snnlab.runs.data_check import identified, may_be_other_data, refuse_other_data
from snnlab.runs.files import FollowerFiles, RunFiles
from snnlab.runs.identity import as_stored, run_dir
from snnlab.runs.log import RunLog
from snnlab.runs.reuse import refuse_other_settings
from snnlab.signals import Stopped
from snnlab.train.guard import anomalies, nan_error
from snnlab.train.mirror import dashboards_of, save, take_step_rows, tell_sweep_agent
from snnlab.train.position import place
from snnlab.train.profile import Profile
from snnlab.train.progress import Progress
from snnlab.train.rehearsal import build_kernels, refuse_place, rehearse
from snnlab.train.report import announce, log_of, report, show_result
from snnlab.train.session import Session

DONE = 0
LOST = "Stopped: another process of this run ended"


def run(cfg: RunConfig) -> int:
    """Trains and measures one configuration; continues a stopped run, returns a finished one's result.

    Returns:
        The exit code: 0 done, 75 interrupted and resumable.

    Raises:
        SnnlabError: a problem that the user can fix (a missing data set, a loss that is not finite).
    """
    with joined() as processes:
        return _run(cfg, processes) if processes.leads else _run(silent(cfg), processes)


def _run(cfg: RunConfig, processes: Processes) -> int:
    need_packages(cfg.logger)
    dataset = build.build_dataset(cfg)
    cfg = _with_data(cfg, dataset, processes)
    cfg = as_stored(cfg)
    files = (RunFiles if processes.leads else FollowerFiles)(run_dir(cfg))
    refuse_other_settings(cfg, files.folder)
    if cfg.trainer.on_existing == "resume" and (stored := files.result()) is not None:
        if may_be_other_data(cfg):
            processes.leader_first(dataset.prepare)
            refuse_other_data(stored.data, dataset.identity(), files.folder)
        log = RunLog(None, quiet=not processes.leads)
        show_result(log, files, stored)
        if processes.leads:
            tell_sweep_agent(cfg, files, stored, log)
        return DONE
    refuse_place(cfg, files)
    device = set_up(cfg.trainer, processes)
    if not (files.checkpoints / "last.pt").exists():
        build_kernels(rehearse(cfg, dataset), cfg.trainer, device, processes)
    processes.leader_first(dataset.prepare)
    # Built before the run directory is entered: what cannot be built leaves nothing behind.
    session = Session(cfg, files, dataset, device, processes)
    with files, log_of(files, processes) as log, Interrupt(processes) as interrupt:
        try:
            if cfg.trainer.on_existing == "restart":
                processes.leader_first(files.clear)
            finished = _train(session, log, interrupt)
        except KeyboardInterrupt:
            finished = False
        except BaseException as error:
            if lost_another(error, processes):
                files.write_ended("preempted", LOST)
                log.only_file(traceback.format_exc())
                sys.stderr.write(f"{LOST}. The same command continues this run.\n")
                return PREEMPTED
            with suppress(OSError):  # a full disk may be what failed
                log.only_file(traceback.format_exc())
                files.write_ended("failed", f"{type(error).__name__}: {error}")
            if isinstance(error, BackendError):
                raise RunError(str(error), "trainer.backend=auto takes what covers the network") from error
            raise
        if not finished:
            files.write_ended("preempted", interrupt.reason)
            log.write(f"Stopped by {interrupt.reason}. The same command continues this run.")
            return PREEMPTED
    return DONE


def _with_data(cfg: RunConfig, dataset: LabelledData, processes: Processes) -> RunConfig:
    """The configuration with the hash of the data's files, which names the run directory.

    Raises:
        DataError: files are missing.
    """
    try:
        found = identified(cfg, dataset)
    except DataError:
        found = None
    if processes.any(found is None):
        processes.leader_first(dataset.prepare)
        found = identified(cfg, dataset)
    assert found is not None
    if len(set(processes.gather(found.data))) > 1:
        raise DataError(
            f"the processes of this run do not read the same files of {cfg.dataset.name}",
            "paths.data has to name the same data on every machine",
        )
    return found


def _train(session: Session, log: RunLog, interrupt: Interrupt) -> bool:
    """True when the run is done, False when it was interrupted and saved."""
    cfg, files, learner, trainer = session.cfg, session.files, session.learner, session.cfg.trainer

    resumed = session.resume()
    position, extent = session.position, session.extent
    files.write_config(cfg.raw, cfg.overrides)
    if cfg.model.name == "nir" and cfg.init.graph is not None:
        files.keep_graph(cfg.init.graph)
    files.write_environment(environment(session.pipeline.device, cfg.plugins, session.processes.count))
    files.place = partial(place, position, extent)
    files.write_running()
    announce(log, session, resumed)

    with (
        anomalies(trainer.detect_anomaly),
        dashboards_of(cfg, files, session.data.as_mapping(), log, continues=resumed) as shown,
        Profile(trainer.profile, files, log) as profile,
        Progress(
            trainer.progress,
            extent.epochs,
            min(extent.steps_per_epoch, extent.max_steps),
            trainer.batch_size * trainer.accumulate,
            position.epoch,
            position.step,
        ) as progress,
    ):
        files.place = lambda: place(position, extent, progress.eta_seconds())
        while position.epoch < extent.epochs:
            mark = time.perf_counter()
            for batches, count in session.samples.groups(position):
                rate = learner.learning_rate
                result = learner.step(batches, position.epoch, position.step * trainer.accumulate, count)
                position.step += 1
                position.total_steps += 1
                ends_epoch = position.step == extent.steps_of(position.epoch)
                stops = interrupt.requested()
                every = trainer.checkpoint_every
                saves = stops or (every is not None and position.total_steps % every == 0)
                if session.is_spoilt(result.loss, before_saving=saves or ends_epoch):
                    step = position.total_steps - session.guard.late_by
                    raise nan_error(learner, result, step, position.epoch + 1)
                session.meter.update(result)
                session.step_rows.step(
                    session.meter, number=position.total_steps, epoch=position.epoch, rate=rate
                )
                progress.advance(result.loss, result.correct, result.count)
                now = time.perf_counter()
                position.seconds, mark = position.seconds + now - mark, now
                position.samples += result.count
                profile.step()
                files.beat()
                if saves:
                    save(session, shown)
                if stops:
                    shown.finish("preempted")
                    return False

            tested = None
            if (position.epoch + 1) % trainer.eval_every == 0 or position.epoch + 1 == extent.epochs:
                try:
                    tested = session.evaluate(progress.status, interrupt.requested)
                except Stopped:
                    # The epoch is not counted yet: the run continues with this evaluation.
                    save(session, shown)
                    shown.finish("preempted")
                    return False
            position.epoch += 1
            position.step = 0
            metrics = session.meter.compute("train") | {"train/lr": learner.learning_rate}
            take_step_rows(session, shown)
            shown.row(session.record("train", metrics))
            session.meter.reset()
            session.step_rows.new_epoch()
            if tested is not None:
                session.remember(tested)
                shown.row(session.record("test", tested))
                metrics |= tested
            log.only_file(progress.epoch_end(metrics))
            if (warning := session.warning(metrics)) is not None:
                log.write(f"warning: {warning}")
            save(session, shown)
            files.write_running()
            if interrupt.requested() and position.epoch < extent.epochs:
                shown.finish("preempted")
                return False

        used = ran()
        said = (
            "ran their own code, in none of the back ends"
            if used == "none"
            else f"ran in the back end: {used}"
        )
        log.write(f"neurons  {said}")
        if learner.graphs is not None:
            log.write(f"graphs   cuda graph: {learner.graphs}")
        stored = report(session, shown, log, interrupt.requested)
    show_result(log, files, stored)
    return True
