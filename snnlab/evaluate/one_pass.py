"""One pass over a data set in evaluation mode: accuracy and calibration at every time step, firing rates, a sample.

Shapes: T time steps, B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.data.inputs import InputPipeline
from snnlab.evaluate.forward import Forward, PlainForward
from snnlab.losses.base import Loss
from snnlab.losses.base_pass import PassLoss
from snnlab.machine.processes import ALONE, Processes
from snnlab.metrics import CalibrationOverTime, FiringRate, quantities
from snnlab.metrics.time_steps import time_step_metrics


@dataclass(frozen=True)
class Evaluation:
    """The measurements of a pass.

    Attributes:
        metrics: flat names (`acc`, `acc_cum/t3`, `loss`, `firing_rate/<layer>/t3`, and of all neurons
            `firing_rate/t3`, `threshold/<layer>/t3` and what else neurons learn) to numbers.
        reliability: per-bin data for reliability diagrams.
        rates: firing rate of each layer at each step.
        samples: number of samples.
        confusion: counts of true (rows) against predicted classes (columns).
    """

    metrics: dict[str, float]
    reliability: dict[str, Any]
    rates: dict[str, list[float]]
    samples: int
    confusion: list[list[int]]

    def prefixed(self, split: str) -> dict[str, float]:
        """The metrics with the prefix of the log: `test/acc`."""
        return {f"{split}/{name}": value for name, value in self.metrics.items()}


Measured = tuple[CalibrationOverTime, dict[str, FiringRate]]


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    loss: Loss,
    batches: Iterable[tuple[Tensor, Tensor]],
    pipeline: InputPipeline,
    num_classes: int,
    precision: str,
    processes: Processes = ALONE,
    forward: Forward | None = None,
) -> Evaluation:
    """Evaluates a network on batches as they are stored; every sample counts once, whatever the size of the batches.

    With several processes, each evaluates its own batches, and all return the joint result. `forward` runs the network;
    None: it is called.
    """
    device = pipeline.device
    calibration = CalibrationOverTime(pipeline.num_steps, num_classes).to(device)
    pass_loss = PassLoss(loss)
    was_training = model.training
    model.eval()
    try:
        with forward or PlainForward(model, device, precision) as run:
            for raw, target in batches:
                target_B = target.to(device, non_blocking=True)
                logits_TBK = run(pipeline.test(raw))
                calibration.update(logits_TBK, target_B)
                pass_loss.update(logits_TBK, target_B)
            layers = run.rates()
    finally:
        model.train(was_training)
    of_processes = processes.gather(pass_loss.parts())
    if processes.count > 1:
        own = (calibration.to("cpu"), {name: rate.to("cpu") for name, rate in layers.items()})
        calibration, layers = _merged(processes.gather(own))
    count = sum(size for _, sizes in of_processes for size in sizes)
    metrics = {"loss": pass_loss.compute(of_processes), **calibration.compute()}
    rates = {layer: rate.compute() for layer, rate in layers.items()}
    for layer, values in rates.items():
        metrics |= {f"firing_rate/{layer}/t{step}": value for step, value in enumerate(values, start=1)}
    if len({len(values) for values in rates.values() if values}) == 1:
        all_neurons = FiringRate()
        for rate in layers.values():
            all_neurons.merge(rate)
        metrics |= {
            f"firing_rate/t{step}": value for step, value in enumerate(all_neurons.compute(), start=1)
        }
    metrics |= time_step_metrics(model) | quantities(model)
    return Evaluation(metrics, calibration.reliability(), rates, count, calibration.confusion())


def _merged(parts: Sequence[Measured]) -> Measured:
    (calibration, layers), *others = parts
    for other_calibration, other_layers in others:
        calibration.merge(other_calibration)
        for layer, rate in layers.items():
            rate.merge(other_layers[layer])
    return calibration, layers
