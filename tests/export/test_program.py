"""Programs of torch.export and ONNX files compute the logits of every step, for batches of any size."""

import onnxruntime
import pytest
import torch
from torch import nn

from snnlab.export import onnx, program
from snnlab.layers.time import EachStep
from snnlab.models import VGGSNN
from snnlab.neurons import CF, IF, LIF
from snnlab.norms import BN, TEBN
from tests.models.builders import eager, frames

STEPS = 3


def small(neuron, norm=lambda c: BN(c, momentum=1.0), pool="avg"):
    """Untrained, with running statistics of real activity, so that spikes reach the last layer."""
    torch.manual_seed(0)
    model = VGGSNN(neuron, norm, 2, 7, 16, channels=(6, 6), pool=pool)
    with torch.no_grad():
        for _ in range(3):
            model(frames(STEPS, batch=8))
    return model.eval()


NETWORKS = {
    "lif": lambda: small(eager),
    "soft": lambda: small(lambda: LIF(threshold=0.1, reset="soft", v_init=0.05)),
    "max-if": lambda: small(lambda: IF(threshold=0.2), pool="max"),
    "cf-tebn": lambda: small(CF, lambda c: TEBN(c, STEPS)),
}


@pytest.mark.parametrize(
    "network",
    [pytest.param(one, marks=[] if one in ("lif", "max-if") else pytest.mark.slow) for one in NETWORKS],
)
def test_logits_of_every_step(network, tmp_path):
    model, x_TBCHW = NETWORKS[network](), frames(STEPS, batch=2)
    program.write(model, x_TBCHW[:, :1], tmp_path / "network.pt2")
    onnx.write(model, x_TBCHW[:, :1], tmp_path / "network.onnx")
    loaded = torch.export.load(tmp_path / "network.pt2").module()
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    for batch in (1, 5):
        x_TBCHW = frames(STEPS, batch=batch)
        with torch.no_grad():
            logits_TBK = model(x_TBCHW)
            torch.testing.assert_close(loaded(x_TBCHW), logits_TBK)
        (theirs_TBK,) = session.run(["logits"], {"frames": x_TBCHW.numpy()})
        torch.testing.assert_close(torch.from_numpy(theirs_TBK), logits_TBK, rtol=1e-4, atol=1e-5)
        assert logits_TBK.shape[:2] == (STEPS, batch)
        assert not torch.equal(logits_TBK[0], logits_TBK[-1])


def test_the_greatest_difference_is_measured(tmp_path):
    model, x_TBCHW = small(eager), frames(STEPS)
    program.write(model, x_TBCHW, tmp_path / "network.pt2")
    onnx.write(model, x_TBCHW, tmp_path / "network.onnx")
    with torch.no_grad():
        model.head.bias += 1
    for module, file in ((program, "network.pt2"), (onnx, "network.onnx")):
        assert abs(module.furthest_logit(model, x_TBCHW, tmp_path / file) - 1) < 1e-3


class Depends(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = EachStep(nn.Flatten())

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else -self.layer(x)


def test_what_cannot_be_recorded_is_said():
    with pytest.raises(ValueError, match=r"torch\.export cannot record Depends"):
        program.program(Depends(), frames(1))
