"""How long the runs that a table lacks will take on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snnlab.config.schema import TrainerConfig
from snnlab.runs.results import read_result
from snnlab.tables.planned import PlannedRun


@dataclass(frozen=True)
class Estimate:
    """Time for the runs that are not done.

    Args:
        seconds: total time of those whose throughput was measured.
        unknown: number of runs of a kind that was never measured here.
    """

    seconds: float
    unknown: int


# Training samples of the published sets; where a run has been made, its own count is taken.
TRAIN_SAMPLES: Mapping[str, int] = {
    "cifar10": 50_000,
    "cifar100": 50_000,
    "cifar10_dvs": 9_000,
    "digits": 1_437,
    "digits_dvs": 1_437,
    "dvs_gesture": 1_077,
    "imagenet": 1_281_167,
    "nmnist": 60_000,
    "qqp": 363_846,
    "tiny_imagenet": 100_000,
}
START_SECONDS = 5.0


def estimate(runs: Sequence[PlannedRun]) -> Estimate:
    """From the throughput of finished runs with the same data, network, neuron and number of steps."""
    speeds: dict[tuple[str, ...], tuple[float, int]] = {}
    for folder in {run.cfg.paths.runs for run in runs}:
        for file in folder.glob("*/*/seed*/result.json"):
            result = read_result(file.parent) or {}
            if result.get("samples_per_second"):
                key = _kind(str(result["variant"]))
                speeds[key] = (result["samples_per_second"], result["num_train"])
    seconds, unknown = 0.0, 0
    for run in runs:
        cfg = run.cfg
        key = (cfg.dataset.name, cfg.model.name, cfg.neuron.name, f"t{cfg.num_steps}")
        speed, samples = speeds.get(key, (None, TRAIN_SAMPLES.get(cfg.dataset.name)))
        trained = _trained(cfg.trainer, samples)
        if speed is None or trained is None:
            unknown += 1
        else:
            seconds += START_SECONDS + trained / speed
    return Estimate(seconds, unknown)


def _trained(trainer: TrainerConfig, samples: int | None) -> int | None:
    """Number of samples that a run sees in all its epochs, of a training set of that size; None if it is not known."""
    if trainer.limit_train_batches is not None:
        most = trainer.limit_train_batches * trainer.batch_size
        samples = most if samples is None else min(samples, most)
    of_epochs = None if samples is None else trainer.epochs * samples
    if trainer.max_steps is None:
        return of_epochs
    of_steps = trainer.max_steps * trainer.batch_size * trainer.accumulate
    return of_steps if of_epochs is None else min(of_epochs, of_steps)


def _kind(variant: str) -> tuple[str, ...]:
    dataset, model, neuron, _, steps = variant.split("-")
    return dataset, model, neuron, steps
