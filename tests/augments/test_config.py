"""conf/augment: each operation's file equals its signature, each preset is made of known operations."""

import inspect
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from snnlab import registry
from snnlab.augments.base import Mixes

CONF = Path(__file__).parents[2] / "conf" / "augment"
OPS = list(registry.component_files("augment"))
PRESETS = sorted(file.stem for file in CONF.glob("*.yaml") if file.stem not in OPS)


def keyword_only(op: type) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(op.__init__).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}


@pytest.mark.parametrize("name", OPS)
def test_file_equals_signature(name):
    written = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    assert list(written) == [name]
    defaults = {key: p.default for key, p in keyword_only(registry.load("augment", name)).items()}
    assert written[name] == {key: list(d) if isinstance(d, tuple) else d for key, d in defaults.items()}
    assert list(written[name]) == list(defaults)


def test_the_published_presets_are_there():
    published = {"none", "crop_flip", "crop_flip_auto_cutout", "flip_roll", "nda_dvs"}
    published |= {"lmht_cifar10", "lmht_cifar100", "lmht_gesture"}
    published |= {"spikformer_cifar10", "spikformer_dvs", "spikformer_imagenet"}
    assert published <= set(PRESETS)
    assert OmegaConf.load(CONF / "none.yaml") == {}


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_builds_and_states_every_parameter(preset):
    for name, params in OmegaConf.to_container(OmegaConf.load(CONF / f"{preset}.yaml")).items():
        op = registry.load("augment", name)
        assert set(params) == set(keyword_only(op))
        built = op(**params)
        if not built.in_loader and not isinstance(built, Mixes):
            x = torch.rand(2, 3, 2, 16, 16)
            assert built(x, torch.Generator().manual_seed(0)).shape == x.shape


@pytest.mark.parametrize("name", OPS + PRESETS)
def test_first_line_describes_the_file(name):
    first = (CONF / f"{name}.yaml").read_text().splitlines()[0]
    assert first.startswith("# ")
    assert 10 < len(first) <= 110
