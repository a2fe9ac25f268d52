"""Parts of different papers in one run, from the command line to a training step."""

import json
from pathlib import Path

import pytest
import torch

from snnlab.build import build_dataset, build_loss, build_model, build_regularisers
from snnlab.cli import main
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.registry import component_files
from snnlab.registry import load as load_component
from snnlab.runs.load import load

SPIKFORMER = ("model=spikformer", "model.depth=1", "model.dim=24", "model.heads=2", "num_steps=2")
LOSSES = [
    name for name in component_files("loss") if not issubclass(load_component("loss", name), TeacherLoss)
]
WITH_MEMBRANE = [
    name for name in component_files("neuron") if issubclass(load_component("neuron", name), MembraneNeuron)
]


def test_cf_neurons_with_tsg_and_pnb_under_the_tmc_loss_in_a_spikformer(tmp_path: Path) -> None:
    mix = ("neuron=cf", "surrogate=tsg", "regulariser=pnb", "loss=tmc")
    assert main(["train", *SPIKFORMER, *mix, "+debug=smoke", f"paths.runs={tmp_path}"]) == 0
    (rows,) = tmp_path.glob("*/digits_dvs-spikformer-cf-tmc+pnb-t2-*/seed0/metrics.jsonl")
    train = json.loads(rows.read_text().splitlines()[0])
    assert {"train/loss/ce", "train/loss/theta", "train/loss/pnb"} <= train.keys()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("neuron", WITH_MEMBRANE)
def test_every_neuron_learns_by_every_loss_with_a_learned_surrogate_and_a_penalty(
    neuron: str, loss: str
) -> None:
    cfg = load([*SPIKFORMER, f"neuron={neuron}", "surrogate=tsg", "regulariser=pnb", f"loss={loss}"])
    torch.manual_seed(0)
    model = build_model(cfg, build_dataset(cfg))
    (pnb,) = build_regularisers(cfg, model).values()
    with pnb.watching(model):
        logits_TBK = model(3 * torch.rand(2, 4, 2, 16, 16))
    total = build_loss(cfg)(logits_TBK, torch.arange(4)) + pnb.term(model)
    total.backward()
    grads = [parameter.grad for parameter in model.parameters()]
    assert torch.isfinite(total)
    assert all(grad is not None and torch.isfinite(grad).all() for grad in grads)
    assert sum(bool(grad.any()) for grad in grads) > len(grads) / 2
