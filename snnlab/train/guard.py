"""Stops a run whose loss is not finite, and names the first layer with a value that is not finite."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from snnlab.errors import RunError
from snnlab.machine.device import autocast
from snnlab.train.learner import Learner, StepResult


class NanGuard:
    """Detects a loss that is not finite.

    On the CPU every step is checked. On a GPU reading the loss would synchronise, so a flag is kept on the device and
    read every `every` steps and before each checkpoint: a bad state is never saved.
    """

    def __init__(self, device: torch.device, every: int = 20) -> None:
        self._bad = torch.zeros((), dtype=torch.bool, device=device)
        self._every = 1 if device.type == "cpu" else every
        self._steps = 0

    def is_bad(self, loss: Tensor, model: nn.Module | None = None) -> bool:
        """Records a step's loss; True if a bad one has been recorded and this step reads the flag.

        Args:
            loss: loss of the step.
            model: given after the last step of an epoch, before an evaluation: the flag is then read in any case, and
                the weights are checked too, since the step may have made them infinite after a finite loss.
        """
        self._bad |= ~torch.isfinite(loss.detach())
        self._steps += 1
        if model is not None:
            for parameter in model.parameters():
                self._bad |= ~torch.isfinite(parameter.detach()).all()
        return (model is not None or self._steps % self._every == 0) and self.seen()

    def seen(self) -> bool:
        """True if any loss so far was not finite; synchronises with the device."""
        return bool(self._bad)


@torch.no_grad()
def first_bad_layer(model: nn.Module, x_TBCHW: Tensor) -> str:
    """Runs the network once more and returns the first layer whose parameters or output are not finite."""
    found: list[str] = []

    def look(name: str, module: nn.Module) -> None:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if found or not isinstance(output, Tensor):
                return
            layer = f"{name or 'the network'} ({type(module).__name__})"
            for parameter_name, parameter in module.named_parameters(recurse=False):
                if not torch.isfinite(parameter).all():
                    found.append(f"{layer}: its {parameter_name} is not finite")
                    return
            if not torch.isfinite(output).all():
                found.append(f"{layer}: its output is not finite")

        handles.append(module.register_forward_hook(hook))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    if not torch.isfinite(x_TBCHW).all():
        return "the input"
    # A module ends after those inside of it, so the innermost bad one is found first.
    for name, module in model.named_modules():
        look(name, module)
    try:
        model(x_TBCHW)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else "none: every layer is finite, so the loss itself is not"


def nan_error(learner: Learner, result: StepResult, step: int, epoch: int) -> RunError:
    """The error for a loss or weights that are not finite at a step of an epoch, both counted from 1."""
    with autocast(learner.pipeline.device, learner.trainer.precision):
        layer = first_bad_layer(learner.model, result.x_TBCHW)
    values = ", ".join(f"{name} {value.item():g}" for name, value in result.terms.items())
    what = "loss or weights are" if torch.isfinite(result.loss) else "the loss is"
    return RunError(
        f"{what} not finite at step {step}, epoch {epoch} ({values}); first bad layer: {layer}",
        "lower optimizer.lr, set trainer.clip_norm=1, or use trainer.precision=fp32",
    )


@contextmanager
def anomalies(detect: bool) -> Iterator[None]:
    """Enables autograd's anomaly detection inside the `with` block, if configured.

    Torch prints where in the forward pass that operation was called.

    Raises:
        RunError: an operation's gradient is NaN.
    """
    with torch.autograd.set_detect_anomaly(detect):
        try:
            yield
        except RuntimeError as error:
            if not detect or "returned nan values" not in str(error):
                raise
            raise RunError(
                f"the gradient is not finite: {error}",
                "the traceback above ends at the call in the forward pass that this operation belongs to",
            ) from error
