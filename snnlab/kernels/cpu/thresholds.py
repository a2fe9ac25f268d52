"""The forward pass on the CPU, with a threshold and a width for each time step if the neuron has them (DS-ATGO).

If they are known in advance (in evaluation), they are arguments of the ordinary pass. If they are computed from the
potentials of all elements, each time step is one pass over memory, and they are computed between the passes
(`stepwise_template.py`). They are constants for the gradient, so the backward pass is that of all neurons. Shape
suffixes: T time steps, `...` any further axes.
"""

from ctypes import c_int64
from typing import Any

import torch
from torch import Tensor

from snnlab.kernels.contract import Call, Statistics
from snnlab.kernels.cpu.arguments import Pointers, address


def forward(
    functions: Any, pointers: Pointers, call: Call, spikes_T: Tensor, after: Tensor | None, h_T: Tensor | None
) -> Tensor | None:
    """Writes the spikes [T, ...] and, if requested, the last potential [...] and the potentials before reset [T, ...].

    Returns the thresholds and widths [2, T] for the backward pass; None if there are none.
    """
    form = call.dynamics.kernel_form()
    if form is not None and form.statistics is not None:
        return _step_by_step(functions, pointers, call, form.statistics, spikes_T, after, h_T)
    threshold_width_T = None
    if form is not None and form.threshold_width is not None:
        threshold_width_T = form.threshold_width(call.start, len(call.x_T)).to(call.v.dtype).contiguous()
    pointers.set_threshold_width(threshold_width_T)
    functions.forward(pointers.reference, address(spikes_T), address(after), address(h_T))
    return threshold_width_T


def _step_by_step(
    functions: Any,
    pointers: Pointers,
    call: Call,
    statistics: Statistics,
    spikes_T: Tensor,
    after: Tensor | None,
    h_T: Tensor | None,
) -> Tensor:
    steps = len(spikes_T)
    threshold_width_T = torch.empty(2, steps, dtype=call.v.dtype)
    pointers.set_threshold_width(threshold_width_T)
    moments = torch.empty(3, dtype=torch.float64)
    h = torch.empty(spikes_T[0].numel(), dtype=call.v.dtype) if h_T is None else h_T
    for t in range(steps + 1):
        before, now = (h, h) if h_T is None else (h_T[max(t - 1, 0)], h_T[min(t, steps - 1)])
        functions.fire_and_charge(
            pointers.reference,
            c_int64(t),
            address(before),
            address(now),
            address(spikes_T),
            address(after),
            address(moments),
        )
        if t < steps:
            threshold_width_T[0, t], threshold_width_T[1, t] = statistics.threshold_width(moments)
    statistics.decided(call.start, threshold_width_T)
    return threshold_width_T
