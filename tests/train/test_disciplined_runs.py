"""What a run records does nothing that a CUDA graph cannot hold: in every setting, with every neuron, on the CPU."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.augments.mixup import Mixup
from snnlab.config.schema import TrainerConfig
from snnlab.evaluate.one_pass import evaluate
from snnlab.graphs.captured_forward import CapturedForward
from snnlab.graphs.captured_stream import CapturedStreaming
from snnlab.graphs.tally import Tally
from snnlab.kernels import backend
from snnlab.kernels.bits import pack_plainly, unpack_plainly
from snnlab.kernels.levels import Levels, bits_of
from snnlab.layers import packing
from snnlab.layers.two_heads import both_heads
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.losses.sdt import SDT
from snnlab.schedulers.cosine import Cosine
from snnlab.train import tensor_rates
from snnlab.train.learner import Learner
from snnlab.train.teacher import CachedTeacher
from tests.train.compared_steps import StillToy, batch
from tests.train.discipline import UndisciplinedError
from tests.train.disciplined_again import DisciplinedAgain
from tests.train.small_net import CLASSES, STEPS, SmallNet, made
from tests.train.toy import ToyData, pipeline

NEURONS, LOSSES, REGULARISERS = (
    tuple(registry.component_files(kind)) for kind in ("neuron", "loss", "regulariser")
)
SIZES = (8, 6, 8, 8, 6)


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimisers take their form for GPUs; kept spikes are packed, and checked, by operations as there."""
    monkeypatch.setattr(tensor_rates, "DEVICES", ("cuda", "cpu"))

    def flag(known: packing._Known, device: torch.device) -> Tensor:
        return known.wrong.setdefault(device, torch.zeros(1, dtype=torch.int32, device=device))

    def pack(x_N: Tensor, levels: Levels, wrong: Tensor) -> Tensor:
        bits = bits_of(levels)
        assert bits is not None
        packed, fits = pack_plainly(x_N, levels, bits)
        wrong.logical_or_(~fits)
        return packed

    def unpack(packed: Tensor, count: int, dtype: torch.dtype, levels: Levels) -> Tensor:
        bits = bits_of(levels)
        assert bits is not None
        return unpack_plainly(packed, count, dtype, levels, bits)

    monkeypatch.setattr(packing._Known, "flag", flag)
    monkeypatch.setattr(packing, "pack", pack)
    monkeypatch.setattr(packing, "unpack", unpack)


class TwoHeaded(nn.Module):
    """A network with a second head for a teacher's classes."""

    heads_apart = False

    def __init__(self, neuron: str) -> None:
        super().__init__()
        self.one, self.other = SmallNet(neuron), SmallNet(neuron)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        return both_heads(self.one(x_TBCHW), self.other(x_TBCHW), self.heads_apart and self.training)


def hold(
    net: nn.Module,
    loss: str = "tmc",
    *,
    optimizer: str = "sgd",
    accumulate: int = 1,
    data: ToyData | None = None,
    augments: tuple[nn.Module, ...] = (),
    regularisers: dict[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Steps with every batch, and every update from the third on, under discipline."""
    updated, objective = made("optimizer", optimizer, model=net), made("loss", loss)
    teacher = None
    if isinstance(objective, TeacherLoss):
        order = [list(range(size)) for size in SIZES for _ in range(accumulate)]
        teacher = CachedTeacher(torch.randn(24, CLASSES), lambda epoch: order)
    one = Learner(
        net,
        objective,
        updated,
        Cosine(updated, 4, 5, per="step"),
        pipeline(augments=augments, data=data),
        TrainerConfig(cuda_graph="required", **settings),
        teacher,
        regularisers,
        capture=DisciplinedAgain(net),
    )
    with backend("eager", fuse=False):
        for number, size in enumerate(SIZES):
            batches = [batch(start, start + size, data) for start in range(accumulate)]
            one.step(batches, 0, number * accumulate)
    assert one.graphs is not None
    assert one.graphs.batch.tally.as_mapping() == {
        "replays": accumulate * len(SIZES),
        "eager": 0,
        "why": {},
    }
    if settings.get("precision") != "fp16":
        assert (one.graphs.update.tally.replays, one.graphs.update.tally.eager.total()) == (len(SIZES) - 2, 2)


SETTINGS: dict[str, dict[str, Any]] = {
    "clipped, averaged and accumulated": {
        "clip_norm": 0.1,
        "ema": 0.9,
        "accumulate": 2,
        "optimizer": "adamw",
    },
    "bf16": {"precision": "bf16"},
    "fp16, whose scaler stays outside": {"precision": "fp16", "clip_norm": 1.0},
    "packed spikes": {"pack_spikes": True},
    "packed spikes in bf16": {"pack_spikes": True, "precision": "bf16"},
    "still images": {"data": StillToy()},
    "mixed samples": {"loss": "sdt", "augments": (Mixup(alpha=0.8, cutmix=1.0),)},
}


@pytest.mark.parametrize("case", SETTINGS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_every_neuron_in_every_setting_of_the_trainer(neuron: str, case: str) -> None:
    hold(SmallNet(neuron), **SETTINGS[case])


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_with_mixed_samples_kept_teachers_and_two_heads(loss: str) -> None:
    objective = made("loss", loss)
    if objective.soft_targets:
        hold(SmallNet(), loss, augments=(Mixup(alpha=0.8, cutmix=1.0),))
    hold(SmallNet(), loss, precision="bf16")
    hold(TwoHeaded("lif"), loss)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("regulariser", REGULARISERS)
def test_every_regulariser(regulariser: str, precision: str) -> None:
    held = 0
    for neuron in NEURONS:
        net, penalty = SmallNet(neuron), made("regulariser", regulariser)
        try:
            with penalty.watching(net):
                pass
        except ValueError:  # it has nothing to penalise there
            continue
        hold(net, regularisers={"it": penalty}, precision=precision)
        held += 1
    assert held


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("neuron", NEURONS)
def test_the_evaluation_of_every_neuron(neuron: str, precision: str) -> None:
    net, tally = SmallNet(neuron), Tally()
    forward = CapturedForward(net, precision, DisciplinedAgain(net), tally, required=True)
    batches = [batch(0, size) for size in SIZES]
    with backend("eager", fuse=False):
        evaluate(net, SDT(), batches, pipeline(), CLASSES, precision, forward=forward)
    assert tally.as_mapping() == {"replays": len(SIZES), "eager": 0, "why": {}}


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
@pytest.mark.parametrize("neuron", NEURONS)
@torch.inference_mode()
def test_the_steps_of_every_neuron(neuron: str, precision: torch.dtype | None) -> None:
    net = SmallNet(neuron).eval()
    try:
        stream = CapturedStreaming(net, DisciplinedAgain(net), required=True)
    except ValueError:  # it has parameters for each step
        return
    with backend("eager", fuse=False), torch.autocast("cpu", precision, precision is not None):
        for size in SIZES:
            with stream:
                for x_BCHW in torch.rand(STEPS, size, 2, 4, 4):
                    stream(x_BCHW)
    assert stream.tally.replays == STEPS * len(SIZES)


DEEDS: dict[str, Callable[[Tensor], object]] = {
    "makes a tensor on the host": lambda x: torch.zeros(3),
    "reads a tensor's value on the host": lambda x: x.detach().numpy(),
}


@pytest.mark.parametrize("says", DEEDS)
def test_it_sees_what_the_search_before_the_recording_does_not(says: str) -> None:
    class Doing(SmallNet):
        def forward(self, x_TBCHW: Tensor) -> Tensor:
            DEEDS[says](x_TBCHW)
            return super().forward(x_TBCHW)

    with pytest.raises(UndisciplinedError, match=says):
        hold(Doing())
