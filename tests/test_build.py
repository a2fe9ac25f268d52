"""Networks from configurations: every neuron and surrogate builds, and gets what the run knows."""

import pytest
import torch

from snnlab.build import build_dataset, build_model, build_regularisers
from snnlab.errors import ConfigError
from snnlab.layers.residual import ResidualBlock
from snnlab.layers.voting import Voting
from snnlab.neurons import CF, LIF
from snnlab.registry import component_files
from snnlab.runs.load import load


def build(*overrides):
    cfg = load(["+experiment=quickstart", "num_steps=3", *overrides])
    with torch.device("meta"):
        return build_model(cfg, build_dataset(cfg))


@pytest.mark.parametrize("neuron", component_files("neuron"))
def test_every_neuron_in_a_model_that_asks_for_another_threshold(neuron):
    build("model=spikformer", "model.depth=1", "model.dim=24", f"neuron={neuron}")


@pytest.mark.parametrize("surrogate", component_files("surrogate"))
def test_every_surrogate(surrogate):
    build("model.channels=[4,4]", f"surrogate={surrogate}")


@pytest.mark.parametrize("decay", [0.3, 0.5])  # the second is the default, and given all the same
def test_decay_and_tau_are_not_both_given(decay):
    with pytest.raises(ConfigError, match="not both"):
        build("neuron=lif", "neuron.tau=4", f"neuron.decay={decay}")
    net = build("neuron=lif", "neuron.tau=4")
    assert {module.decay for module in net.modules() if isinstance(module, LIF)} == {0.75}


def test_what_is_kept_for_each_step_knows_their_number():
    model = build("model.channels=[4,4]", "neuron=dsatgo", "surrogate=tsg")
    kept = {name.rsplit(".", 1)[-1]: value.shape for name, value in model.state_dict().items()}
    assert kept["threshold_T"] == kept["x"] == (3,)


@pytest.mark.parametrize("model", ["resnet18_snn", "resnet19_snn", "resnet34_snn"])
def test_the_neuron_behind_residual_additions(model):
    """The network RES of the circulate-firing paper: cf there, lif elsewhere."""
    net = build(f"model={model}", "residual_neuron={name:cf,K_P:3}")
    found = {name: module for name, module in net.named_modules() if isinstance(module, CF)}
    blocks = [name for name, module in net.named_modules() if isinstance(module, ResidualBlock)]
    assert list(found) == [f"{name}.neuron" for name in blocks]
    assert all(module.output_range == (-2, 3) for module in found.values())
    assert any(isinstance(module, LIF) for module in net.modules())
    assert not any(isinstance(module, CF) for module in build(f"model={model}").modules())


@pytest.mark.parametrize("model", ["vgg_snn", "resnet19_snn", "spikformer"])
def test_voters_stand_behind_any_classifier(model):
    small = {"vgg_snn": ["model.channels=[4,4]"], "spikformer": ["model.depth=1", "model.dim=24"]}
    net = build(f"model={model}", "neuron=cf", "voters=3", *small.get(model, []))
    assert isinstance(net, Voting)
    assert isinstance(net.neuron, CF)
    assert net(torch.empty(3, 1, 2, 16, 16, device="meta")).shape == (3, 1, 10)


def test_still_images_only_is_said_before_the_run():
    cfg = load(["+experiment=quickstart", "augment=crop_flip_auto_cutout"])
    with pytest.raises(ConfigError, match="'autoaugment' changes still images, and digits_dvs is recordings"):
        build_dataset(cfg)


def test_a_regulariser_that_does_not_fit_the_model_is_refused_before_the_run():
    model = build("model.channels=[4,4]", "neuron=relu")
    with pytest.raises(ConfigError, match="regulariser 'pnb': no neuron of VGGSNN has a membrane"):
        build_regularisers(load(["regulariser=pnb"]), model)


def test_the_neuron_takes_the_threshold_that_the_model_asks_for():
    """Spikformer's attention fires at 0.5, whatever the others do."""
    model = build("model=spikformer", "model.depth=1", "neuron=cf", "neuron.theta_P=0.8")
    thresholds = {m.thresholds for m in model.modules() if hasattr(m, "thresholds")}
    assert thresholds == {(0.8, 1.0), (0.4, 0.5)}


@pytest.mark.parametrize("augment", ["flip", "flip_roll", "nda_dvs", "crop_flip"])
def test_mirror_images_are_refused_where_they_are_of_another_class(augment):
    with pytest.raises(ConfigError, match="mirrors left and right, and in dvs_gesture"):
        build_dataset(load(["+experiment=tmc_dvsgesture", f"augment={augment}"]))


@pytest.mark.parametrize(
    "experiment", ["tmc_dvsgesture", "sdt_dvsgesture", "tet_dvsgesture", "mtsnn_dvsgesture", "cf_dvsgesture"]
)
def test_recipes_of_gestures_mirror_only_where_the_published_one_does(experiment):
    cfg = load([f"+experiment={experiment}"])
    build_dataset(cfg)
    assert ("flip" in [op.name for op in cfg.augment]) == (experiment == "mtsnn_dvsgesture")


def test_mirror_images_of_another_class_are_taken_where_that_is_asked_for():
    build_dataset(load(["+experiment=tmc_dvsgesture", "augment=flip", "augment.flip.other_class=true"]))
    build_dataset(load(["+experiment=mtsnn_dvsgesture", "augment.flip=null"]))
    with pytest.raises(ConfigError, match="mirrors left and right"):
        build_dataset(load(["+experiment=mtsnn_dvsgesture", "augment.flip.other_class=false"]))
