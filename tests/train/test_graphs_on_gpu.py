"""On a GPU: 20 recorded steps, and evaluations, equal those without, bit for bit. Prepared without one; not run yet."""

import copy
from typing import Any

import pytest
import torch

from snnlab import registry
from snnlab.config.schema import TrainerConfig
from snnlab.data.inputs import InputPipeline
from snnlab.evaluate.one_pass import evaluate
from snnlab.graphs.capture import capture_for
from snnlab.kernels import backend
from snnlab.kernels.choose import BackendName
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.regularisers.pnb import PNB
from snnlab.schedulers.cosine import Cosine
from snnlab.train.learner import Learner
from tests.train.compared_steps import batch, same
from tests.train.small_net import CLASSES, STEPS, SmallNet, made
from tests.train.toy import ToyData

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("same_algorithms")]
NEURONS, NORMS, LOSSES, OPTIMIZERS = (
    tuple(registry.component_files(kind)) for kind in ("neuron", "norm", "loss", "optimizer")
)
# Whole batches, and a smaller one at the end of each epoch.
SIZES = [8, 8, 8, 8, 6] * 4


class SameLogits:
    """A teacher with the same logits for every batch."""

    def of_batch(self, x_TBCHW: torch.Tensor, epoch: int, number: int) -> torch.Tensor:
        return torch.linspace(-1, 1, x_TBCHW.shape[1] * CLASSES, device="cuda").view(-1, CLASSES)


def learner(
    graph: str, neuron: str, norm: str, loss: str, optimizer: str, regularised: bool = False, **settings: Any
) -> Learner:
    torch.manual_seed(0)
    device = torch.device("cuda")
    net = SmallNet(neuron, norm).to(device)
    updated = made("optimizer", optimizer, model=net)
    trainer = TrainerConfig(cuda_graph=graph, **settings)
    objective = made("loss", loss).to(device)
    return Learner(
        net,
        objective,
        updated,
        Cosine(updated, 4, 5, per="step"),
        InputPipeline(ToyData(), (), STEPS, device, 0),
        trainer,
        SameLogits() if isinstance(objective, TeacherLoss) else None,  # type: ignore[arg-type]
        {"pnb": PNB().to(device)} if regularised else None,
        capture=capture_for(trainer, device),
    )


def steps(one: Learner, accumulate: int = 1) -> list[Any]:
    torch.manual_seed(1)
    seen: list[Any] = []
    for number, size in enumerate(SIZES):
        batches = [batch(start, start + size) for start in range(accumulate)]
        result = one.step(batches, 0, number * accumulate)
        seen.append((result.terms, result.correct, result.count))
    return [*seen, copy.deepcopy(one.state_dict()), torch.cuda.get_rng_state()]


def hold(*names: str, accumulate: int = 1, neurons: BackendName = "auto", **settings: Any) -> None:
    with backend(neurons):
        _hold(names, accumulate, settings)


def _hold(names: tuple[str, ...], accumulate: int, settings: dict[str, Any]) -> None:
    captured = learner("required", *names, **settings)
    plain = learner("off", *names, **settings)
    assert plain.graphs is None
    same(steps(captured, accumulate), steps(plain, accumulate))
    assert captured.graphs is not None
    found = captured.graphs.as_mapping()
    updates = found.pop("updates")
    found.pop("evaluation")
    assert found == {"replays": len(SIZES) * accumulate, "eager": 0, "why": {}}
    if settings.get("precision") != "fp16":
        assert (updates["replays"], updates["eager"]) == (len(SIZES) - 2, 2), updates


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_captured_steps_are_the_steps_without(neuron: str, norm: str, loss: str, optimizer: str) -> None:
    hold(neuron, norm, loss, optimizer)


SETTINGS: dict[str, dict[str, Any]] = {
    "bf16": {"precision": "bf16"},
    "fp16, whose scaler stays outside": {"precision": "fp16", "clip_norm": 1.0},
    "clipped and averaged": {"clip_norm": 0.1, "ema": 0.9},
    "packed spikes": {"pack_spikes": True},
    "accumulated": {"accumulate": 2},
    "a penalty on potentials": {"regularised": True},
    "plain neurons": {"neurons": "eager"},
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_of_the_trainer(case: str) -> None:
    settings = SETTINGS[case]
    hold("lif", "bn", "tmc", "sgd", **settings)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_captured_evaluations_are_those_without(neuron: str, norm: str, precision: str) -> None:
    one = learner("required", neuron, norm, "sdt", "sgd", precision=precision)
    assert one.graphs is not None
    forward = one.graphs.forward_of(one.model, one.trainer)
    for _ in range(2):
        found = [
            evaluate(
                one.model,
                one.loss,
                [batch(start, start + size) for start, size in enumerate((8, 8, 6))],
                one.pipeline,
                CLASSES,
                precision,
                forward=run,
            )
            for run in (forward, None)
        ]
        assert repr(found[0]) == repr(found[1])
        one.step([batch(0, 8)], 0, 0)
    assert one.graphs.evaluated.as_mapping() == {"replays": 6, "eager": 0, "why": {}}
