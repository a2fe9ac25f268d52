"""Checkpoints with the released names load, and the network then computes what the released one does."""

import re

import pytest
import torch

from snnlab.layers.released import Released, key_map, layers_with_weights, load_released
from snnlab.models import (
    VGG11SNN,
    VGGSNN,
    MetaSpikeFormer,
    QKFormer,
    ResNet19SNN,
    Spikformer,
    Spikingformer,
)
from snnlab.neurons import LIF, PLIF
from snnlab.norms import BN
from tests.models import reference as theirs
from tests.models import released_states as made

DVS = {"depth": 1, "dim": 32, "heads": 4, "pools": (1, 2, 3, 4)}
QK_DVS = {"stem": "dvs", "depths": (1, 1), "dim": 64, "heads": 4, "mlp_ratio": 1}
META = {"dims": (8, 16, 16, 24), "heads": 4}


def slow_decay(**overrides):
    """Spikingformer's neuron for CIFAR10-DVS."""
    return LIF(tau=1.5, decay_input=True, detach_reset=True, **overrides)


def lif(**overrides):
    return LIF(tau=2.0, decay_input=True, detach_reset=True, **overrides)


def spikformer(size, kind, c_in=3, neuron=lif, **options):
    return Spikformer(neuron, BN, c_in, 5, size, projection=kind, **options)


def plain(state):
    """TMC's state as one of TET's; shares its tensors."""
    learns = {name.removeprefix("module."): value for name, value in state.items() if ".op_." not in name}
    return {name.replace(".op.", "."): value for name, value in learns.items()}


CASES = {
    "spikformer cifar": (
        made.spikformer(),
        lambda: spikformer(16, "linear", depth=2, dim=32, heads=4),
        lambda state, x, **m: theirs.Spikformer(state, **m)(x, 2, 4, (3, 4), "linear"),
        (3, 16),
    ),
    "spikformer imagenet": (
        made.spikformer(kind="conv", folder="imagenet"),
        lambda: spikformer(32, "conv", depth=2, dim=32, heads=4, pools=(1, 2, 3, 4)),
        lambda state, x, **m: theirs.Spikformer(state, **m)(x, 2, 4, (1, 2, 3, 4), "conv"),
        (3, 32),
    ),
    "spikformer dvs": (
        made.spikformer(depth=1, c_in=2, kind="conv", folder="cifar10dvs"),
        lambda: spikformer(32, "conv", 2, **DVS, scale=0.25),
        lambda state, x, **m: theirs.Spikformer(state, **m)(x, 1, 4, (1, 2, 3, 4), "conv", 0.25),
        (2, 32),
    ),
    "spikformer beside the folders": (
        made.spikformer(kind="conv", folder=""),
        lambda: spikformer(16, "conv", depth=2, dim=32, heads=4),
        lambda state, x, **m: theirs.Spikformer(state, **m)(x, 2, 4, (3, 4), "conv"),
        (3, 16),
    ),
    "spikingformer cifar": (
        made.spikingformer(),
        lambda: Spikingformer(lif, BN, 3, 5, 16, depth=2, dim=32, heads=4),
        lambda state, x, **m: theirs.Spikingformer(state, **m)(x, 2, 4, (3, 4)),
        (3, 16),
    ),
    "spikingformer imagenet": (
        made.spikingformer(folder="imagenet"),
        lambda: Spikingformer(lif, BN, 3, 5, 32, depth=2, dim=32, heads=4, pools=(1, 2, 3, 4)),
        lambda state, x, **m: theirs.Spikingformer(state, **m)(x, 2, 4, (1, 2, 3, 4)),
        (3, 32),
    ),
    "spikingformer dvs": (
        made.spikingformer(depth=1, c_in=2, folder="cifar10-dvs"),
        lambda: Spikingformer(slow_decay, BN, 2, 5, 32, **DVS),
        lambda state, x, **m: theirs.Spikingformer(state, tau=1.5, **m)(x, 1, 4, (1, 2, 3, 4)),
        (2, 32),
    ),
    "qkformer cifar": (
        made.qkformer(),
        lambda: QKFormer(lif, BN, 3, 5, 16, dim=32, heads=2),
        lambda state, x, **m: theirs.QKFormer(state, **m)(x, (1, 1, 2), 2, "cifar"),
        (3, 16),
    ),
    "qkformer imagenet": (
        made.qkformer("imagenet", (1, 2, 2)),
        lambda: QKFormer(lif, BN, 3, 5, 32, stem="imagenet", depths=(1, 2, 2), dim=32, heads=2),
        lambda state, x, **m: theirs.QKFormer(state, **m)(x, (1, 2, 2), 2, "imagenet"),
        (3, 32),
    ),
    "qkformer dvs": (
        made.qkformer("dvs", (1, 1), 64, ratio=1, c_in=2),
        lambda: QKFormer(lif, BN, 2, 5, 32, **QK_DVS),
        lambda state, x, **m: theirs.QKFormer(state, **m)(x, (1, 1), 4, "dvs"),
        (2, 32),
    ),
    "meta_spikeformer": (
        made.meta_spikeformer(),
        lambda: MetaSpikeFormer(lif, BN, 3, 5, **META),
        lambda state, x, **m: theirs.MetaSpikeFormer(state, **m)(x, 4, True),
        (3, 32),
    ),
    "meta_spikeformer with two heads": (
        made.meta_spikeformer(distilled=True),
        lambda: MetaSpikeFormer(lif, BN, 3, 5, **META, last_neuron=False, distillation_head=True),
        lambda state, x, **m: theirs.MetaSpikeFormer(state, **m)(x, 4, False),
        (3, 32),
    ),
    "vgg_snn": (
        made.tet_vgg(),
        lambda: VGGSNN(LIF, BN, 2, 5, 16, channels=(4, 6, 8, 8, 8, 8, 8, 8)),
        lambda state, x, **m: theirs.TETVGG(state, **m)(x),
        (2, 16),
    ),
    "vgg_snn of TMC": (
        made.tmc(made.tet_vgg()),
        lambda: VGGSNN(LIF, BN, 2, 5, 16, channels=(4, 6, 8, 8, 8, 8, 8, 8)),
        lambda state, x, **m: theirs.TETVGG(plain(state), **m)(x),
        (2, 16),
    ),
    "resnet19_snn of TMC": (
        made.tmc(made.tet_resnet19()),
        lambda: ResNet19SNN(LIF, BN, 3, 5),
        lambda state, x, **m: theirs.TETResNet19(plain(state), **m)(x),
        (3, 8),
    ),
    "vgg_snn without pools": (
        made.tet_vgg(strided=True),
        lambda: VGGSNN(LIF, BN, 2, 5, 16, channels=(4, 6, 8, 8, 8, 8, 8, 8), pool="stride"),
        lambda state, x, **m: theirs.TETVGG(state, **m)(x, strided=True),
        (2, 16),
    ),
    "resnet19_snn": (
        made.tet_resnet19(),
        lambda: ResNet19SNN(LIF, BN, 3, 5),
        lambda state, x, **m: theirs.TETResNet19(state, **m)(x),
        (3, 8),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_released_state_gives_the_released_networks_logits(name):
    state, make, compute, (channels, size) = CASES[name]
    torch.manual_seed(0)
    model = make().double().eval()
    x = torch.rand(3, 2, channels, size, size, dtype=torch.float64)
    compute(state, x, measure=True)
    load_released(model, state)
    with torch.no_grad():
        logits = model(x)
        torch.testing.assert_close(logits, compute(state, x), rtol=1e-9, atol=1e-9)
    assert (logits.diff(dim=0).abs().amax((1, 2)) > 1e-6).all()
    assert (logits[:, 0] - logits[:, 1]).abs().amax() > 1e-6


@pytest.mark.parametrize("name", CASES)
def test_every_layer_with_weights_has_one_released_name(name):
    state, make, *_ = CASES[name]
    model = make()
    assert isinstance(model, Released)
    names = key_map(model, plain(state))
    assert sorted(names.values()) == sorted(layers_with_weights(model))
    if name.endswith("of TMC"):
        state = plain(state)
    assert set(names) <= {key.rpartition(".")[0] for key in state}


UNUSED = {
    "spikformer dvs": {"pos_embed", "norm.weight", "norm.bias"},
    "spikingformer dvs": set(),
    "qkformer dvs": set(),
    "meta_spikeformer": set(),
}


@pytest.mark.parametrize("name", CASES)
def test_a_released_network_leaves_only_its_unused_entries_out(name):
    """Layers that the released classes declare and never call, or register twice; anything else is refused."""
    state, make, *_ = CASES[name]
    state, model = plain(state), make()
    used = set(key_map(model, state))
    left = {key for key in state if key.rpartition(".")[0] not in used}
    assert all(re.fullmatch(model.released_unused, key) for key in left)
    assert not any(
        model.released_unused and re.fullmatch(model.released_unused, f"{key}.weight") for key in used
    )
    if name in UNUSED:
        norms = {key for key in left if re.fullmatch(r"block\.\d+\.norm[12]\.(weight|bias)", key)}
        assert left - norms == UNUSED[name]
    for key in (*used, "norm3", "last"):
        load = {**state, f"{key}.extra": torch.ones(1)}
        with pytest.raises(ValueError, match=f"{re.escape(key)}.extra is not here"):
            load_released(make(), load)


PARAMETERS = {
    "spikformer 4-384": (lambda: made.spikformer(4, 384, 3, 10), 9_330_874),
    "spikformer dvs": (lambda: made.spikformer(2, 256, 2, 10, "conv", "cifar10dvs"), 2_585_610),
    "spikingformer 2-384": (lambda: made.spikingformer(2, 384, 3, 10), 5_765_818),
    "spikingformer dvs": (lambda: made.spikingformer(2, 256, 2, 10, "cifar10-dvs"), 2_568_714),
    "qkformer cifar": (lambda: made.qkformer(dim=384, classes=10), 6_706_234),
    "qkformer dvs": (lambda: made.qkformer("dvs", (1, 1), 256, 1, 2, 10), 1_504_138),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_made_states_have_as_many_parameters_as_the_released_classes(name):
    """Counted on the released classes, unused layers included."""
    make, count = PARAMETERS[name]
    assert (
        sum(x.numel() for key, x in make().items() if key.endswith(("weight", "bias", "pos_embed"))) == count
    )


def test_published_numbers_of_entries():
    """204 for a Spikingformer of four blocks, and 434 for QKFormer's HST-10, LayerNorms left out of the former."""
    with torch.device("meta"):
        hst = QKFormer(lif, BN, 3, 1000, 224, stem="imagenet", depths=(1, 2, 7), heads=6)
        four = Spikingformer(lif, BN, 3, 10, 32)
    assert len(hst.state_dict()) == 434
    assert len(four.state_dict()) + 4 * 2 * 2 == 204


def test_names_of_several_gpus_and_a_neuron_with_parameters():
    state = {f"module.{name}": value for name, value in made.spikingformer().items()}
    model = Spikingformer(PLIF, BN, 3, 5, 16, depth=2, dim=32, heads=4)
    before = {name: p.clone() for name, p in model.named_parameters() if name.endswith(".w")}
    load_released(model, state)
    assert before
    assert all(torch.equal(model.get_parameter(name), value) for name, value in before.items())
    head = state["module.head.weight"]
    torch.testing.assert_close(model.head.weight, head.float())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("head.bias"), "head.bias is not there"),
        (lambda s: s.update(extra=torch.ones(1)), "extra is not here"),
        (lambda s: s.update({"head.bias": torch.ones(7)}), "head.bias is 7 there and 5 here"),
        (lambda s: [s.pop("head.bias"), s.pop("head.weight")], r"head.weight is not there \(and 1 more\)"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, said):
    state = made.spikingformer()
    change(state)
    model = Spikingformer(lif, BN, 3, 5, 16, depth=2, dim=32, heads=4)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=said):
        load_released(model, state)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_layer_that_may_be_missing_starts_fresh_and_others_may_not():
    """As Meta-SpikeFormer's second head does in the second stage of its training."""
    model = MetaSpikeFormer(lif, BN, 3, 5, **META, distillation_head=True)
    before = model.distillation_head.weight.clone()
    state = made.meta_spikeformer()
    with pytest.raises(ValueError, match=r"head_kd.weight is not there \(and 1 more\)"):
        load_released(model, state)
    load_released(model, state, ["distillation_head"])
    assert torch.equal(model.distillation_head.weight, before)
    torch.testing.assert_close(model.head.weight, state["head.weight"].float())
    del state["head.bias"]
    with pytest.raises(ValueError, match=r"head\.bias is not there"):
        load_released(model, state, ["distillation_head"])
    other = made.meta_spikeformer(distilled=True)
    load_released(model, other, ["distillation_head"])
    torch.testing.assert_close(model.distillation_head.weight, other["head_kd.weight"].float())


def test_a_network_without_a_map_says_so():
    with pytest.raises(ValueError, match="VGG11SNN has no map from released names"):
        load_released(VGG11SNN(lif, BN, 3, 5, 32), {})
