"""`snnlab eval early_exit.threshold=[...]`: samples stop once the confidence exceeds a threshold (SEENN-I).

Shapes: T time steps, B batch, N thresholds, C channels, H height, W width, K classes.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.table import Table
from torch import Tensor

from snnlab.atomic import write_json
from snnlab.config.measurements import EarlyExitConfig
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.evaluate.passes import Passes, opened
from snnlab.evaluate.stored_run import StoredRun
from snnlab.layers.streaming import Streaming
from snnlab.machine.device import autocast
from snnlab.metric_names import ACC
from snnlab.metrics.early_exit import EarlyExit, Exits, Reading
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog


@dataclass(frozen=True)
class Streamed:
    """The result of a streamed pass with one threshold.

    Attributes:
        seconds: time in the network, over all samples.
        differing: number of samples whose exit or prediction differs from that of the whole pass.
    """

    seconds: float
    differing: int


def run(
    cfg: RunConfig, folder: Path, options: EarlyExitConfig, which: str = "last", weights: str = "model"
) -> int:
    """Measures accuracy and number of steps under early exit, for all thresholds in one pass over the data.

    With `streaming`, the samples are then computed step by step for each threshold, stopped ones are removed from the
    batch, and the time in the network is compared with that of all steps.

    Args:
        cfg: the run's configuration with overrides; `num_steps` is the most that a sample may take.
        folder: the run directory, where the table goes as JSON.
        options: thresholds, what their confidence is made of, and whether to stream.
        which: `last` or `best`.
        weights: `model` or `average`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or the network cannot be
            streamed.
    """
    stored, passes = opened(cfg, folder, which, weights)
    steps = _steps(stored, passes) if options.streaming else None
    if steps is not None:
        # The batch shrinks at every step: benchmarking cuDNN kernels for each size would take longer than the pass.
        torch.backends.cudnn.benchmark = False
    exits, found_NM, full_seconds = _whole_pass(stored, passes, options)
    streamed = (
        [
            _streamed_pass(stored, steps, threshold, options.logits, found)
            for threshold, found in zip(options.threshold, found_NM, strict=True)
        ]
        if steps is not None
        else None
    )
    log = RunLog(None)
    log.write(stored.title)
    log.write(_table(exits, streamed, full_seconds, options.logits))
    passes.say(log)
    # Other thresholds are another measurement, which keeps its own file.
    digest = config_hash(cfg.raw, also={"early_exit": asdict(options)})
    path = folder / f"early-exit-{stored.label}-t{cfg.num_steps}-{options.logits}-{digest}.json"
    write_json(
        path,
        {
            "num_steps": cfg.num_steps,
            "logits": options.logits,
            **stored.description(),
            **passes.description(),
            "all_steps_seconds": full_seconds,
            "rows": [asdict(row) | (asdict(streamed[n]) if streamed else {}) for n, row in enumerate(exits)],
        },
    )
    log.write(f"Written to {path}")
    return 0


def _steps(stored: StoredRun, passes: Passes) -> Streaming:
    """The network step by step.

    Raises:
        SnnlabError: it cannot run so.
    """
    try:
        return passes.streaming_of(stored.model)
    except ValueError as error:
        raise SnnlabError(f"early_exit.streaming: {error}", "early_exit.streaming=false") from error


@torch.inference_mode()
def _whole_pass(
    stored: StoredRun, passes: Passes, options: EarlyExitConfig
) -> tuple[list[Exits], list[Tensor], float]:
    """The exits; per threshold (exit step, prediction) of every sample, [2, M]; seconds in the network."""
    pipeline, precision = stored.pipeline, stored.cfg.trainer.precision
    early_exit = EarlyExit(pipeline.num_steps, options.threshold, options.logits)
    logits_of = passes.logits_of(stored.model, pipeline.device, precision)
    found_2NB, seconds, known = [], 0.0, set()
    for raw, target in stored.batches():
        x_TBCHW = pipeline.test(raw)
        if x_TBCHW.shape not in known:
            known.add(x_TBCHW.shape)
            logits_of(x_TBCHW)  # the first call builds kernels or records a graph, which is no part of a pass
        start = _now(pipeline.device)
        logits_TBK = logits_of(x_TBCHW)
        seconds += _now(pipeline.device) - start
        found_2NB.append(torch.stack(early_exit.update(logits_TBK, target.to(pipeline.device))))
    found_N2M = torch.cat(found_2NB, 2).transpose(0, 1)
    return early_exit.compute(), list(found_N2M), seconds


@torch.inference_mode()
def _streamed_pass(
    stored: StoredRun, steps: Streaming, threshold: float, logits: Reading, expected_2M: Tensor
) -> Streamed:
    pipeline = stored.pipeline
    found_2B, seconds = [], 0.0
    for raw, _ in stored.batches():
        x_TBCHW = pipeline.test(raw)
        start = _now(pipeline.device)
        with autocast(pipeline.device, stored.cfg.trainer.precision):
            found_2B.append(torch.stack(stream(steps, x_TBCHW, threshold, logits)))
        seconds += _now(pipeline.device) - start
    differing = (torch.cat(found_2B, 1) != expected_2M).any(0).sum()
    return Streamed(seconds, int(differing))


def stream(
    steps: Streaming, x_TBCHW: Tensor, threshold: float, logits: Reading = "sum"
) -> tuple[Tensor, Tensor]:
    """Computes a batch step by step and stops each sample at its exit.

    Args:
        steps: of the network, in evaluation mode.
        x_TBCHW: its input.
        threshold: confidence above which a sample stops.
        logits: what the confidence is the softmax of, see `EarlyExit`.

    Returns:
        Exit steps, counted from 1, and predicted classes, both [B].
    """
    num_steps, batch = x_TBCHW.shape[:2]
    exits_B = torch.full((batch,), num_steps, device=x_TBCHW.device)
    classes_B = torch.zeros_like(exits_B)
    running = torch.arange(batch, device=x_TBCHW.device)
    going_on_B = torch.ones_like(running, dtype=torch.bool)
    summed_BK: Tensor | None = None
    with steps as streaming:
        for step, x_BCHW in enumerate(x_TBCHW, start=1):
            step_BK = streaming(x_BCHW if len(running) == batch else x_BCHW[running])
            step_BK = step_BK if step_BK.dtype == torch.float64 else step_BK.float()
            summed_BK = step_BK if summed_BK is None else summed_BK + step_BK
            confidence_B, best_B = (summed_BK if logits == "sum" else summed_BK / step).softmax(1).max(1)
            stops_B = going_on_B & (confidence_B > threshold)
            classes_B[running[going_on_B]] = best_B[going_on_B]
            exits_B[running[stops_B]] = step
            going_on_B = going_on_B & ~stops_B
            count = int(going_on_B.sum())
            if count == 0:
                break
            size = streaming.size_for(count, len(running))
            if size < len(running):
                # Those that go on, and as many that have stopped as make up the size.
                kept = going_on_B.long().argsort(descending=True, stable=True)[:size]
                running, summed_BK, going_on_B = running[kept], summed_BK[kept], going_on_B[kept]
                streaming.keep(kept)
    return exits_B, classes_B


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _table(
    exits: list[Exits], streamed: list[Streamed] | None, full_seconds: float, logits: Reading
) -> Table:
    table = Table(
        title=f"early exit on the {logits} of the logits; all steps: {full_seconds:.2f} s in the network",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for head in ("threshold", ACC.heading, "mean steps", *(("seconds", "differ") if streamed else ())):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(f"exits after steps 1 to {len(exits[0].histogram)}")
    for n, row in enumerate(exits):
        cells = [f"{row.threshold:g}", ACC.number(row.acc), f"{row.mean_steps:.3f}"]
        if streamed:
            cells += [f"{streamed[n].seconds:.2f}", str(streamed[n].differing)]
        table.add_row(*cells, " ".join(map(str, row.histogram)))
    return table
