"""What follows the gradients of a step: clipping, the optimiser, the average of the weights."""

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from snnlab.train.average import Average
from snnlab.train.tensor_rates import TensorRates, form


@dataclass(frozen=True)
class Update:
    """Steps the optimiser by the gradients that are there.

    Attributes:
        model: the network.
        optimizer: over its parameters.
        average: of its weights, if there is one.
        scaler: of the gradients, with fp16.
        clip_norm: upper bound of the gradient's norm, or None.
        rates: the learning rates as tensors; None: they are numbers.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average | None
    scaler: torch.amp.GradScaler
    clip_norm: float | None
    rates: TensorRates | None

    def write_rates(self) -> None:
        """Brings the schedule's learning rates to the device; has to be called before each update.

        Raises:
            RuntimeError: a rate is beyond the numbers of float32.
        """
        if self.rates is not None:
            self.rates.write()

    def __call__(self) -> None:
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        with nullcontext() if self.rates is None else self.rates.taken():
            self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.model)

    def refusal(self) -> str | None:
        """The reason why no CUDA graph can hold it, as a clause; None if one can."""
        if self.scaler.is_enabled():
            return (
                "the gradient scaler of trainer.precision=fp16 reads on the host whether gradients are finite"
            )
        if self.rates is None and form(self.optimizer) is None:
            return (
                f"the optimiser {type(self.optimizer).__name__} takes its learning rate as a number: "
                "it has neither a fused nor a capturable form"
            )
        return None if self.rates is not None else "learning rates are numbers on this device"
