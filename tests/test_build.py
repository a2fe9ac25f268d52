"""From a checked configuration to objects: what a model may ask of a neuron whatever its kind."""

from pathlib import Path

import pytest

from snnlab import build, registry
from snnlab.config import load
from snnlab.data.synthetic import Synthetic
from snnlab.datasets import DigitsDVS


@pytest.mark.parametrize("name", tuple(registry.component_files("neuron")))
def test_a_model_may_ask_any_neuron_for_another_threshold(name: str, tmp_path: Path) -> None:
    cfg = load([f"neuron={name}", "model=spikformer", "model.depth=1", "model.dim=16", "model.heads=2"])
    model = build.build_model(cfg, Synthetic(DigitsDVS(tmp_path, cfg.num_steps)))
    kind = registry.load("neuron", name)
    neurons = [module for module in model.modules() if isinstance(module, kind)]
    assert len(neurons) > 5
    if name != "relu":
        assert {module.dynamics.threshold for module in neurons} == {0.5, 1.0}
