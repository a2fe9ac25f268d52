"""The output of a run: the summary at its start; plots, `result.json` and the table at its end."""

import math
from collections.abc import Callable
from pathlib import Path

import torch

from snnlab.config.quoting import on_shell
from snnlab.dashboards.several import Dashboards
from snnlab.data.identity import differing
from snnlab.errors import RunError
from snnlab.kernels import counts
from snnlab.machine.allocator import allocator_state
from snnlab.machine.device import peak_memory
from snnlab.machine.environment import code_version
from snnlab.machine.processes import Processes
from snnlab.plots.figure import FORMS
from snnlab.runs.config_file import read_config
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import dirs_of_any_data, run_facts
from snnlab.runs.log import RunLog
from snnlab.runs.other_length import length_of, runs_of_other_length
from snnlab.runs.result_table import result_table
from snnlab.runs.results import RunResult, read_result
from snnlab.train.chosen import chosen, chosen_line
from snnlab.train.figures import draw
from snnlab.train.mirror import show_end
from snnlab.train.session import Session
from snnlab.train.summary import summary_table


def log_of(files: RunFiles, processes: Processes) -> RunLog:
    """The log of a run; of several processes only the leader writes."""
    return RunLog(files.folder / "log.txt" if processes.leads else None, quiet=not processes.leads)


def announce(log: RunLog, session: Session, resumed: bool) -> None:
    """Logs the run directory, the data, and the network layer by layer."""
    cfg, position = session.cfg, session.position
    log.write(f"run      {session.files.folder}")
    if resumed:
        log.write(
            f"continue at epoch {position.epoch + 1}, step {position.step + 1} of {session.extent.steps_per_epoch}"
        )
    if session.rows_were_lost:
        log.write(
            "warning: metrics.jsonl has lost rows since the checkpoint; those that it holds are restored"
        )
    kind = "generated data in the shape of " if cfg.trainer.synthetic else ""
    log.write(
        f"data     {kind}{cfg.data_name}, split {session.samples.split_name}: "
        f"{len(session.samples.train_set)} to train, {len(session.samples.test_set)} to test"
    )
    data = session.data
    if data.files:
        log.write(f"files    {data.files:,} of {data.bytes:,} bytes in all, hash {data.hash}")
    if not resumed:
        _say_other_runs(log, session)
        _say_shorter_run(log, session)
    if (words := session.dataset.words) is not None:
        log.write(f"words    {words.count:,}, as {words.dim} numbers each, {words.origin}")
    if cfg.plugins:
        log.write(f"plugins  {', '.join(cfg.plugins)}")
    if session.teacher is not None:
        log.write(f"teacher  {cfg.distill.teacher} ({cfg.distill.identity})")
    elif cfg.distill.teacher is not None:
        log.write(f"teacher  not used: the loss {cfg.loss.name} with these settings learns from none")
    log.write(f"device   {session.pipeline.device}, {cfg.trainer.precision}, {allocator_state()}")
    if session.processes.count > 1:
        log.write(f"process  {session.processes.count} of them, each with its part of every batch")
    if (line := chosen_line(session)) is not None:
        log.write(line)
    raw, _ = session.samples.test_set.batch([0])
    log.write(summary_table(session.learner.model, session.pipeline.test(raw)))


def _say_other_runs(log: RunLog, session: Session) -> None:
    """Logs what distinguishes this run's data from those of runs with the same settings."""
    for folder in dirs_of_any_data(session.cfg):
        if folder == session.files.folder:
            continue
        result = read_result(folder)
        data = None if result is None else result.get("data")
        found = "not recorded" if data is None else differing(data, session.data.as_mapping())
        log.write(f"note     {folder} has the same settings, on other data: {found}")


def _say_shorter_run(log: RunLog, session: Session) -> None:
    """Logs that the longest of the finished shorter runs is not continued, and how to start from its weights.

    Somebody who asks for a shorter run than those does not expect to continue one.
    """
    cfg, data = session.cfg, session.data.as_mapping()
    shorter = {
        folder: length
        for folder, result in runs_of_other_length(cfg).items()
        if (length := length_of(read_config(folder))) < length_of(cfg.raw)
        and not differing(result.get("data") or data, data)
    }
    if not shorter:
        return
    folder = max(shorter, key=lambda one: shorter[one])
    epochs, steps = shorter[folder]
    schedule = epochs < cfg.trainer.epochs
    log.write(
        f"note     this run starts anew: "
        f"{'the schedule is made for all epochs' if schedule else 'a finished run is not continued'}, so {folder} "
        f"with its {_count(epochs, 'epoch') if steps == math.inf else _count(int(steps), 'step')} is another run; "
        f"{on_shell('init.run', folder)} starts from its weights"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def report(session: Session, shown: Dashboards, log: RunLog, stop: Callable[[], bool]) -> RunResult:
    """Writes `result.json`, then draws the plots: a picture that fails costs a warning, never the result.

    Raises:
        Stopped: `stop` said so while the network was measured once more.
        RunError: the network's test loss is not a number, though its training loss was.
    """
    if session.evaluation is None:
        # The process that trained was stopped between its last evaluation and here.
        session.measure(stop)
    assert session.evaluation is not None
    if not math.isfinite(session.evaluation.metrics["loss"]):
        raise RunError(
            "the test loss is not finite after the last epoch: the weights or the normalisation statistics diverged",
            "lower optimizer.lr, set trainer.clip_norm=1, or train for longer than a few steps",
        )
    session.files.write_evaluation(
        {
            "classes": list(session.dataset.class_names),
            "reliability": session.evaluation.reliability,
            "confusion": session.evaluation.confusion,
        }
    )
    result = result_of(session)
    session.files.write_result(result)
    session.files.write_status("done")
    show_end(session, shown)
    if session.cfg.trainer.plots:
        try:
            shown.pictures(draw(session))
        except Exception as error:
            log.write(f"warning: the plots are not complete: {type(error).__name__}: {error}")
    return result


def _best_of(session: Session) -> str:
    count, select = session.as_good, session.cfg.trainer.select
    return f"the best {select}" if count == 1 else f"the first of {count} with the best {select}"


def result_of(session: Session) -> RunResult:
    """The content of `result.json`: the metrics and how they were measured."""
    cfg, position = session.cfg, session.position
    assert position.last is not None
    assert position.best is not None
    assert session.evaluation is not None
    parameters = session.learner.model.parameters()
    words = session.dataset.words
    return RunResult(
        **run_facts(cfg),
        code=code_version(),
        epochs=position.epoch,
        backends=dict(counts()),
        cuda_graph=None if session.learner.graphs is None else session.learner.graphs.as_mapping(),
        chosen=chosen(session) or None,
        split=session.samples.split_name,
        data=session.data.as_mapping(),
        num_train=len(session.samples.train_set),
        num_test=session.evaluation.samples,
        selection={
            "last": f"after epoch {position.last['epoch']}",
            "best": f"after epoch {position.best['epoch']}, {_best_of(session)} on the test split itself",
        },
        last=position.last["metrics"],
        best=position.best["metrics"],
        best_epoch=position.best["epoch"],
        num_params=sum(parameter.numel() for parameter in parameters),
        word_vectors=None if words is None else words.origin,
        num_words=None if words is None else words.count,
        train_seconds=position.seconds,
        samples_per_second=position.samples / position.seconds if position.seconds else None,
        test_seconds=session.evaluation_seconds,
        peak_memory_mb=peak_memory(session.pipeline.device) / 1e6,
        threads=torch.get_num_threads(),
        warnings=position.warnings or None,
    )


def show_result(log: RunLog, files: RunFiles, result: RunResult) -> None:
    """Prints the table of a new or stored result, and where its files are."""
    name = f"{result.experiment}: {result.variant}, seed {result.seed}"
    count = f"{result.num_test} samples of {'generated data' if result.synthetic else result.split}"
    vectors = "" if result.word_vectors is None else f", word vectors {result.word_vectors}"
    title = f"{name}, {result.selection['last']}, on {count}{vectors}"
    for warning in result.warnings or ():
        log.write(f"warning: {warning}")
    plots: list[Path] = sorted(one for form in FORMS for one in files.plots.glob(f"*.{form}"))
    if any(name.startswith("test_ema/") for name in result.last):
        log.write(result_table(result.last, title=f"{name}: average of the weights", prefix="test_ema"))
        title += ", weights as trained"
    log.write(result_table(result.last, title=title, run_dir=files.folder, plots=plots))
