"""`import snnlab`: stored runs, components by name, names; and what type checkers see of them."""

import inspect
import subprocess
import sys

import pytest
import torch

import snnlab
from snnlab import registry
from snnlab.cli import main
from snnlab.errors import ConfigError, SnnlabError
from snnlab.neurons import IF, LIF, PLIF
from snnlab.norms import BN, TEBN
from snnlab.registry import KINDS, component_files
from snnlab.surrogates import TSG, ATan, Triangle

SMALL = {"in_channels": 1, "num_classes": 3, "image_size": 8, "channels": (4, 4)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    command = ["train", "+experiment=quickstart", "debug=smoke", "num_steps=2", "model.channels=[4,4]"]
    assert main([*command, f"paths.runs={folder}/runs", f"paths.data={folder}/data"]) == 0
    (found,) = folder.glob("runs/*/*/seed0")
    return found


def test_importing_it_imports_nothing_else():
    code = "import sys, snnlab; dir(snnlab); snnlab.__version__; print('torch' in sys.modules, 'hydra' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_it_says_what_it_offers():
    assert {"load_run", "create", "list_components", "neurons", "__version__"} <= set(dir(snnlab))
    assert snnlab.neurons.LIF is LIF
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        snnlab.nothing  # noqa: B018 (the access is the test)


def test_a_run_is_a_network_its_data_and_its_configuration(run):
    found = snnlab.load_run(str(run), overrides=[f"paths.data={run.parents[3]}/data"])
    assert not found.model.training
    assert found.config.num_steps == 2
    assert found.data.num_classes == 10
    x_TBCHW, target_B = next(iter(found.batches()))
    assert found.model(x_TBCHW).shape == (2, len(target_B), 10)
    saved = torch.load(run / "checkpoints/best.pt", weights_only=True)
    assert saved["epoch"] == snnlab.load_run(run, "best").config.trainer.epochs


def test_no_such_run_or_checkpoint(run, tmp_path):
    with pytest.raises(SnnlabError):
        snnlab.load_run(tmp_path / "nowhere")
    with pytest.raises(SnnlabError):
        snnlab.load_run(run, "first")


@pytest.mark.parametrize("kind", KINDS)
def test_components_are_listed(kind):
    assert snnlab.list_components(kind) == list(component_files(kind))


def test_a_kind_that_does_not_exist():
    with pytest.raises(ConfigError, match="Did you mean 'neuron'"):
        snnlab.list_components("neurons")
    with pytest.raises(ConfigError, match="Did you mean 'neuron'"):
        snnlab.create("neurons", "lif")


def test_a_network_of_named_parts():
    net = snnlab.create("model", "vgg_snn", neuron="lif", **SMALL)
    assert net(torch.zeros(2, 1, 1, 8, 8)).shape == (2, 1, 3)
    kinds = {type(module) for module in net.modules()}
    assert {LIF, Triangle, BN} <= kinds
    net = snnlab.create(
        "model", "vgg_snn", neuron="plif", surrogate="tsg", norm="tebn", num_steps=4, threshold=0.5, **SMALL
    )
    neurons = [module for module in net.modules() if isinstance(module, PLIF)]
    assert len(neurons) == 2
    assert {neuron.dynamics.threshold for neuron in neurons} == {0.5}
    assert [len(module.x) for module in net.modules() if isinstance(module, TSG)] == [4, 4]
    assert any(isinstance(module, TEBN) for module in net.modules())
    assert neurons[0].surrogate is not neurons[1].surrogate


def test_a_network_of_makers():
    net = snnlab.create("model", "vgg_snn", neuron=lambda **given: IF(v_init=0.5, **given), norm=BN, **SMALL)
    assert {module.v_init for module in net.modules() if isinstance(module, IF)} == {0.5}


ANY = {
    "neuron": "lif",
    "in_channels": 1,
    "num_classes": 3,
    "image_size": 32,
    "frame_shape": (32, 32),
    "num_steps": 2,
}
LIKED = {
    "spiking_bert": {"frame_shape": (4, 8), "heads": 2, "depth": 1},
    "text_cnn_snn": {"frame_shape": (32, 8)},
    "touch_snn": {"frame_shape": (39, 1)},
}


@pytest.mark.parametrize("name", sorted(component_files("model")))
def test_every_network_needs_no_more_than_the_data_and_a_neuron(name):
    """Whatever it takes: a norm is given to those only that have one."""
    given = {**ANY, **LIKED.get(name, {})}
    takes = inspect.signature(registry.load("model", name)).parameters
    given = {key: value for key, value in given.items() if key in takes or key == "num_steps"}
    if name == "nir":
        with pytest.raises(ConfigError, match="no NIR file is named"):
            snnlab.create("model", name, **given)
        return
    with torch.device("meta"):
        assert isinstance(snnlab.create("model", name, **given), torch.nn.Module)
    if "norm" not in takes:
        with pytest.raises(ConfigError, match=f"model '{name}' takes no 'norm'"):
            snnlab.create("model", name, norm="bn", **given)
    del given["num_classes"]
    with pytest.raises(ConfigError, match=f"model '{name}' also needs 'num_classes'"):
        snnlab.create("model", name, **given)


OTHERS = [
    (kind, name) for kind in KINDS if kind not in ("model", "dataset") for name in component_files(kind)
]


@pytest.mark.parametrize(("kind", "name"), OTHERS)
def test_what_a_component_needs_is_said_in_one_line(kind, name):
    try:
        snnlab.create(kind, name)
    except ConfigError as error:
        assert f"{kind} '{name}' also needs" in str(error)  # noqa: PT017 (most need nothing)


def test_other_kinds():
    assert snnlab.create("neuron", "lif", tau=4, surrogate="atan").decay == 0.75
    assert isinstance(snnlab.create("neuron", "if", surrogate=ATan(height=1.0)).surrogate, ATan)
    assert snnlab.create("dataset", "digits", image_size=8).frame_shape == (8, 8)
    assert snnlab.create("augment", "crop", padding=2).padding == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tua": 2.0}, "neuron 'lif' takes no 'tua'. Did you mean 'tau'"),
        ({"decay": 1.5}, "lif: decay: 1.5 is out of range"),
        ({"reset": "sotf"}, "lif: reset: unknown choice 'sotf'"),
        ({"surrogate": "atam"}, "no surrogate is called 'atam'"),
    ],
)
def test_what_does_not_fit_is_said(arguments, message):
    with pytest.raises(ConfigError, match=message):
        snnlab.create("neuron", "lif", **arguments)


USER = """\
import snnlab
from snnlab.losses import TMC, Loss
from snnlab.neurons import LIF, Neuron

neuron: Neuron = LIF(tau=2.0)
loss: Loss = TMC(variant="paper")
network = snnlab.load_run("runs/x").model
reveal_type(network)
LIF(nonsense=3)
snnlab.neurons.LIF(reset="hrad")
snnlab.list_component("neuron")
"""


@pytest.mark.slow
def test_type_checkers_see_the_components(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    # The file alone, without the project's settings: what a person's own mypy does with the installed package.
    command = [sys.executable, "-m", "mypy", "--config-file", "", "--follow-imports", "silent", "user.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=None, check=False)
    assert 'user.py:8: note: Revealed type is "torch.nn.modules.module.Module"' in done.stdout, done.stdout
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [line.split(":")[1] for line in errors] == ["9", "10", "11"], done.stdout
    assert 'Unexpected keyword argument "nonsense" for "LIF"' in errors[0]
