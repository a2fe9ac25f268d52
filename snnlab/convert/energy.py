"""Energy of a quantised ANN and of its spiking network, by the widths of the numbers that are multiplied.

Shape suffixes: F frames, B samples, C channels, H height, W width.
"""

from math import log2

import torch
from torch import Tensor, nn

from snnlab.convert.network import weighted_inputs
from snnlab.layers.trace import trace
from snnlab.metrics.energy import CONVENTIONS, costs, mac_energy, total
from snnlab.metrics.operations import OperationCounter
from snnlab.metrics.time_steps import time_steps

IMAGE_BITS = 8


@torch.no_grad()
def energy(ann: nn.Module, snn: nn.Module, x_FBCHW: Tensor) -> dict[str, float]:
    """mJ per sample of an ANN with `quant_relu` and of the network converted from it (the paper's Appendix C).

    The ANN multiplies 8-bit weights by activations of log2 T bits (at least 1; the image has 8): see
    `mac_energy`. The spiking network adds weights, products x firing rate x T (Eq. 22 and 23), and multiplies in
    the first layer, once, for its input is constant. The paper's f_r is a rate per step here, as f_r T would count T
    twice otherwise.

    Args:
        ann, snn: before and after conversion.
        x_FBCHW: some samples of the data.
    """
    steps = time_steps(ann)
    multiplication = {
        name: mac_energy(max([max(1.0, log2(steps[one])) for one in sources], default=float(IMAGE_BITS)))
        for name, sources in weighted_inputs(trace(ann)).items()
    }
    with OperationCounter(snn) as counter:
        snn(x_FBCHW)
    spent = total(costs(counter.layers(), CONVENTIONS["mtsnn"], ann_mac_pJ=multiplication))
    ann_mJ, snn_mJ = (one * 1e-9 * len(x_FBCHW) for one in (spent.ann_pJ, spent.snn_pJ))
    return {"ann_mJ": ann_mJ, "snn_mJ": snn_mJ, "ratio": ann_mJ / snn_mJ}
