"""Stops a run whose loss or state is not finite and names the first bad layer; finds a loss that has grown."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.errors import RunError
from snnlab.machine.device import autocast
from snnlab.train.late_number import LateNumber
from snnlab.train.learner import Learner, StepResult

# A loss that is this many times the first one, or this large, is reported. Losses that recover stay far below.
GROWN = 1e4


_OUTPUT = ": its output is not finite"
NEVER = torch.iinfo(torch.long).max


class NanGuard:
    """Detects a loss that is not finite, and such values in what a checkpoint holds: weights, statistics, momenta.

    On the CPU every step's loss is read. On a GPU reading it would make the host wait, so the number of the first bad
    step is kept on the device, and copied to the host meanwhile: it is seen a step later, or as soon as the device has
    come that far. Before each checkpoint it is read in any case: a bad state is never saved.

    Args:
        device: of the training.
        state: the state at the start; what is not finite there is a constant, such as a mask, and is not looked at.
        late: brings the number to the host; None: it is read at once.

    Attributes:
        late_by: how many steps ago the first bad loss was, once it has been seen.
    """

    def __init__(
        self, device: torch.device, state: Mapping[str, Any] | None = None, late: LateNumber | None = None
    ) -> None:
        self._bad_at = torch.full((), NEVER, device=device)
        self._late = late
        self._steps = 0
        self._constants = frozenset(bad_values(state or {}))
        self.late_by = 0

    def is_bad(self, loss: Tensor, state: Mapping[str, Any] | None = None) -> bool:
        """Records a step's loss; True if a bad one has been recorded and is seen at this step.

        Args:
            loss: loss of the step.
            state: given before a checkpoint or an evaluation: the number is then read in any case, and the state is
                checked too, since the step may have spoilt it while its loss was finite.
        """
        self._steps += 1
        self._record(torch.isfinite(loss.detach()))
        if state is not None or self._late is None:
            return self.seen(state)
        found = self._late.arrived()
        self._late.send(self._bad_at)
        return found is not None and self._is_step(found)

    def seen(self, state: Mapping[str, Any] | None = None) -> bool:
        """True if any loss so far, or a value of the state, was not finite; synchronises with the device."""
        for path, values in floating(state or {}):
            if path not in self._constants:
                self._record(torch.isfinite(values.detach()).all().to(self._bad_at.device))
        return self._is_step(int(self._bad_at))

    def _record(self, finite: Tensor) -> None:
        self._bad_at = torch.where(finite, self._bad_at, self._bad_at.clamp(max=self._steps))

    def _is_step(self, number: int) -> bool:
        self.late_by = max(self._steps - number, 0)
        return number != NEVER


def floating(state: object, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """The floating-point tensors of a nested state, by paths such as `model.head.weight`."""
    if isinstance(state, Tensor):
        if state.is_floating_point() or state.is_complex():
            yield path, state
    elif isinstance(state, Mapping | list | tuple):
        items = state.items() if isinstance(state, Mapping) else enumerate(state)
        for key, value in items:
            yield from floating(value, f"{path}.{key}" if path else str(key))


def bad_values(state: Mapping[str, Any]) -> list[str]:
    """The paths of the tensors of a state that hold a value that is not finite."""
    return [path for path, values in floating(state) if not torch.isfinite(values).all()]


@torch.no_grad()
def first_bad_layer(model: nn.Module, x_TBCHW: Tensor) -> str | None:
    """Runs the network once more and returns the first layer whose values or output are not finite, or None.

    The values of a layer are its parameters and buffers, such as running statistics.
    """
    if not torch.isfinite(x_TBCHW).all():
        return "the input"
    names = {module: place for place, (_, module) in enumerate(model.named_modules())}
    found: list[tuple[int, str]] = []

    def look(name: str, module: nn.Module) -> str | None:
        values = itertools.chain(module.named_parameters(recurse=False), module.named_buffers(recurse=False))
        for value_name, value in values:
            if value.is_floating_point() and not torch.isfinite(value).all():
                return f"{name or 'the network'} ({type(module).__name__}): its {value_name} is not finite"
        return None

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            # A module ends after those inside of it, so the innermost bad one is found first.
            if len(found) > spoilt or not isinstance(output, Tensor) or torch.isfinite(output).all():
                return
            layer = f"{name or 'the network'} ({type(module).__name__}){_OUTPUT}"
            found.append((names[module], look(name, module) or layer))

        return module.register_forward_hook(hook)

    # Layers that run as one operation with the next are not called, so their values are looked at before.
    for name, module in model.named_modules():
        if (bad := look(name, module)) is not None:
            found.append((names[module], bad))
    spoilt = len(found)
    handles = [watch(name, module) for name, module in model.named_modules()]
    try:
        model(x_TBCHW)
    finally:
        for handle in handles:
            handle.remove()
    return min(found)[1] if found else None


def nan_error(learner: Learner, result: StepResult, step: int, epoch: int) -> RunError:
    """The error for a loss or a state that is not finite at a step of an epoch, both counted from 1."""
    stored = bad_values(learner.state_dict())
    with autocast(learner.pipeline.device, learner.trainer.precision):
        layer = first_bad_layer(learner.model, result.x_TBCHW)
    if layer is None and stored:
        layer = f"none, but {stored[0]} of what a checkpoint holds is not finite"
    # A value was spoilt by an earlier update, whose gradient any layer behind it, such as a neuron, may have made.
    spoilt = layer is not None and layer != "the input" and not layer.endswith(_OUTPUT)
    behind = "what made it bad may be the gradient of a layer behind it: debug=nan names the operation; else "
    origin = behind if spoilt else ""
    values = ", ".join(f"{name} {value.item():g}" for name, value in result.terms.items())
    finite = torch.isfinite(result.loss)
    what = "loss or weights are" if finite else "the loss is"
    return RunError(
        f"{what} not finite at step {step}, epoch {epoch} ({values}); "
        f"first bad layer: {layer or 'none: every layer is finite, so the loss itself is not'}",
        f"{origin}lower optimizer.lr, set trainer.clip_norm=1, or use trainer.precision=fp32",
    )


def growth(first_loss: float, metrics: Mapping[str, float], epoch: int) -> str | None:
    """A sentence about a loss of an epoch that has grown by orders of magnitude, or is not finite; None if none has.

    Args:
        first_loss: loss of the first training step.
        metrics: with `train/loss` and `test/loss`, as far as they were measured.
        epoch: counted from 1.
    """
    for name in ("train/loss", "test/loss", "test_ema/loss"):
        value = metrics.get(name, 0.0)
        if not value <= GROWN * max(first_loss, 1.0):
            return (
                f"{name} is {value:.3g} after epoch {epoch}, and the first training loss was {first_loss:.3g}: "
                "the run diverges. Lower optimizer.lr or set trainer.clip_norm=1"
            )
    return None


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
