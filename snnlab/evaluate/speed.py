"""`snnlab eval speed=true`: times a converted network with mixed T against the same one with the largest T."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from rich import box
from rich.table import Table
from torch import Tensor, nn

from snnlab.atomic import write_json
from snnlab.config.schema import Component, RunConfig
from snnlab.errors import ConfigError
from snnlab.evaluate.passes import Passes
from snnlab.evaluate.stored_run import load_run
from snnlab.machine.device import set_up
from snnlab.metrics.time_steps import time_steps
from snnlab.neurons.mixed_if import MixedIF
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog

ROUNDS, ALIGNMENT_ROUNDS = 7, 3
FORMS: dict[str, dict[str, object]] = {
    "uniform, largest T": {"averaged": "currents", "closed_form": False},
    "mixed, currents": {"averaged": "currents", "closed_form": False},
    "mixed, spikes": {"averaged": "spikes", "closed_form": False},
    "mixed, spikes, closed": {"averaged": "spikes", "closed_form": True},
}


def run(cfg: RunConfig, folder: Path, which: str, weights: str = "model") -> int:
    """Times one batch in each form, in turn, in this process; the medians of several rounds are written.

    Time is that of this process's cores (of the device's queue on CUDA), so other processes disturb it little. On CUDA
    a form is a CUDA graph where it can be one. The share of alignment is measured in rounds of its own, and without
    graphs, for the clock costs time as well.

    Args:
        cfg: the configuration of a converted run with overrides; `trainer.eval_batch_size` is the batch.
        folder: its run directory, where the table goes as JSON.
        which: `last` or `best`.
        weights: `model`, or `average` for their moving average.

    Returns:
        The exit code, 0.

    Raises:
        ConfigError: the run is not a converted one.
        SnnlabError: no such checkpoint, or its weights do not fit the configuration.
    """
    if cfg.neuron.name != "mixed_if":
        raise ConfigError(
            f"speed: {folder} has neuron={cfg.neuron.name}, and only mixed time steps are compared",
            "snnlab convert run=DIR makes such a run of a quantised ANN",
        )
    device = set_up(cfg.trainer)
    passes = Passes(cfg.trainer, device)
    networks: dict[str, nn.Module] = {}
    for form, settings in FORMS.items():
        neuron = Component(cfg.neuron.name, {**cfg.neuron.params, **settings})
        stored = load_run(replace(cfg, neuron=neuron), folder, which, device, weights)
        networks[form] = stored.model
    _make_uniform(networks["uniform, largest T"])
    raw, _ = next(iter(stored.batches()))
    x_TBCHW = stored.pipeline.test(raw)
    seconds, alignment = _measured(networks, x_TBCHW, passes)
    whole = median(seconds["uniform, largest T"])
    title = f"seconds for a batch of {len(raw)}, and how many times as fast as with uniform time steps"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("form", "mean T", "seconds", "faster", "align %"):
        table.add_column(title, justify="left" if title == "form" else "right", no_wrap=True)
    rows = {}
    for form, network in networks.items():
        steps = time_steps(network)
        mean, taken = sum(steps.values()) / len(steps), median(seconds[form])
        rows[form] = {
            "time_steps": mean,
            "seconds": taken,
            "alignment": alignment[form].share,
            "alignment_seconds": alignment[form].seconds,
            "faster": whole / taken,
        }
        share = f"{100 * alignment[form].share:.1f}"
        table.add_row(form, f"{mean:.2f}", f"{taken:.4f}", f"{whole / taken:.2f}", share)
    log = RunLog(None)
    log.write(table)
    passes.say(log)
    path = folder / f"speed-{which}-{config_hash(cfg.raw)}.json"
    measured = {"batch": len(raw), "device": str(device), "threads": torch.get_num_threads()}
    write_json(path, {**measured, **passes.description(), "forms": rows})
    log.write(f"Written to {path}")
    return 0


def _make_uniform(network: nn.Module) -> None:
    neurons = [module for module in network.modules() if isinstance(module, MixedIF)]
    top = max(neuron.get_extra_state()[0] for neuron in neurons)
    for neuron in neurons:
        neuron.set_extra_state(torch.full_like(neuron.get_extra_state(), int(top)))


@torch.inference_mode()
def _measured(
    networks: dict[str, nn.Module], x_TBCHW: Tensor, passes: Passes
) -> tuple[dict[str, list[float]], dict[str, "_Alignment"]]:
    """Seconds of each round, and the time in alignment, of each form."""
    clock = _clock(x_TBCHW.device)
    seconds: dict[str, list[float]] = {form: [] for form in networks}
    forms = {form: passes.logits_of(network, x_TBCHW.device, "fp32") for form, network in networks.items()}
    for number in range(ROUNDS + 1):
        for form, logits_of in forms.items():
            start = clock()
            logits_of(x_TBCHW)
            if number:  # the first round warms up
                seconds[form].append(clock() - start)
    alignment = {}
    for form, network in networks.items():
        with _Stopwatch(network, clock) as watch:
            start = clock()
            for _ in range(ALIGNMENT_ROUNDS):
                network(x_TBCHW)
            share = watch.seconds / (clock() - start)
        alignment[form] = _Alignment(watch.seconds / ALIGNMENT_ROUNDS, share)
    return seconds, alignment


def _clock(device: torch.device) -> Callable[[], float]:
    if device.type == "cpu":
        return time.process_time

    def synchronised() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return synchronised


@dataclass(frozen=True)
class _Alignment:
    """Time in alignment: seconds for a batch, and share of a call without a graph."""

    seconds: float
    share: float


class _Stopwatch:
    """Sums up the time in `align` and `mean_of_spikes` of all neurons inside a `with` block."""

    def __init__(self, network: nn.Module, clock: Callable[[], float]) -> None:
        self.seconds = 0.0
        self._clock = clock
        self._neurons = [module for module in network.modules() if isinstance(module, MixedIF)]

    def __enter__(self) -> "_Stopwatch":
        for neuron in self._neurons:
            for name in ("align", "mean_of_spikes"):
                setattr(neuron, name, self._timed(getattr(neuron, name)))
        return self

    def __exit__(self, *_: object) -> None:
        for neuron in self._neurons:
            del neuron.align, neuron.mean_of_spikes

    def _timed(self, method: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def timed(x_T: Tensor) -> Tensor:
            start = self._clock()
            y_T = method(x_T)
            self.seconds += self._clock() - start
            return y_T

        return timed
