"""Theorem 1: a converted network with averages everywhere computes the logits of its quantised ANN."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from snnlab.convert.network import consumers, convert
from snnlab.errors import SnnlabError
from snnlab.layers.own_time import frames_in_batch
from snnlab.layers.pre_activation import pre_activation_stage
from snnlab.layers.residual import sew_stage
from snnlab.layers.time import EachStep
from snnlab.layers.trace import trace
from snnlab.models import VGG16SNN, VGGSNN, ResNet18SNN, ResNet20SNN, Spikformer
from snnlab.neurons import LIF, MixedIF, QuantReLU
from snnlab.norms import BN, TDBN, TEBN, Shift

EVERYWHERE = {"rising": "average", "falling": "average", "equal": "average"}
MODELS = {
    "resnet20": lambda neuron, norm: ResNet20SNN(neuron, norm, 3, 7, blocks=(1, 2), width=8),
    "resnet18": lambda neuron, norm: ResNet18SNN(neuron, norm, 3, 7, stem="imagenet"),
    "vgg": lambda neuron, norm: VGGSNN(neuron, norm, 3, 7, 16, channels=(8, 8, 12, 12)),
    "vgg_max": lambda neuron, norm: VGGSNN(neuron, norm, 3, 7, 16, channels=(8, 8, 12, 12), pool="max"),
    "resnet18_max": lambda neuron, norm: ResNet18SNN(neuron, norm, 3, 7, stem="imagenet", pool="max"),
    "vgg16": lambda neuron, norm: VGG16SNN(neuron, norm, 3, 7, 32, hidden=16),
}
SIZES = {"resnet18": 32, "resnet18_max": 32, "vgg16": 32}


def images(name="vgg", batch=6, frames=1, seed=0):
    size = SIZES.get(name, 16)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(frames, batch, 3, size, size, generator=generator, dtype=torch.float64)


def ann(name="vgg", steps=(3, 5, 2, 8, 4, 4, 1, 6), norm=BN, parameters="t_gamma"):
    """Random weights, running statistics of real activity, and heights that cut off the greatest activations."""
    torch.manual_seed(0)
    made = []

    def neuron(**options):
        made.append(QuantReLU(parameters=parameters, t_init=steps[len(made) % len(steps)], gamma_init=2.0))
        return made[-1]

    model = MODELS[name](neuron, norm).double()
    for _ in range(3):
        model(images(name, seed=1))
    return model.eval()


def snn(source, name="vgg", fold=False, norm=BN, **options):
    model = MODELS[name](lambda **_: MixedIF(**options), Shift if fold else norm).double()
    frames_in_batch(model)
    convert(source, model, fold)
    return model.eval()


def counts(model, x):
    """Spikes (or levels) of each neuron layer, in units of its threshold."""
    found = {}
    hooks = []
    for layer, module in model.named_modules():
        if isinstance(module, QuantReLU):
            step = module.step_and_levels()[0].detach()
            hooks.append(
                module.register_forward_hook(
                    lambda m, a, y, layer=layer, step=step: found.update({layer: (y[0] / step).round()})
                )
            )
        if isinstance(module, MixedIF):
            hooks.append(
                module.register_forward_hook(
                    lambda m, a, y, layer=layer: found.update({layer: (y.sum(0) / m.theta).round()})
                )
            )
    with torch.no_grad():
        logits = model(x)
    for hook in hooks:
        hook.remove()
    return logits, found


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_averages_everywhere_give_the_logits_and_the_levels_of_the_ann(name, fold):
    source = ann(name)
    expected, levels = counts(source, images(name))
    logits, spikes = counts(snn(source, name, fold, **EVERYWHERE), images(name))
    torch.testing.assert_close(logits, expected)
    assert expected.std() > 1e-3
    assert len({int(level.max()) for level in levels.values()}) > 2
    for layer, level in levels.items():
        assert torch.equal(spikes[layer], level), layer


@pytest.mark.parametrize("parameters", ["n_s", "n_gamma", "s_gamma"])
def test_every_parameterisation_converts(parameters):
    source = ann(parameters=parameters)
    converted = snn(source, **EVERYWHERE)
    torch.testing.assert_close(converted(images()), source(images()))


@pytest.mark.parametrize("averaged", ["currents", "spikes"])
@pytest.mark.parametrize("how", [{}, EVERYWHERE, {"rising": "upsample"}, {"falling": "downsample"}], ids=str)
@pytest.mark.parametrize("name", ["resnet20", "vgg"])
def test_the_closed_form_and_the_place_of_the_average_change_nothing(name, how, averaged):
    source = ann(name)
    with torch.no_grad():
        expected = snn(source, name, **how)(images(name))
        found = snn(source, name, averaged=averaged, closed_form=True, **how)(images(name))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("averaged", ["currents", "spikes"])
@pytest.mark.parametrize("name", ["vgg_max", "resnet18_max"])
def test_max_pools_choose_by_rates(name, averaged):
    """The maximum of each step and the gate are choices, and other numbers."""
    source, x = ann(name), images(name)
    expected = source(x)

    def furthest(**options):
        return (snn(source, name, averaged=averaged, **EVERYWHERE, **options)(x) - expected).abs().max()

    assert furthest() < 1e-9
    assert furthest(closed_form=True) < 1e-9
    if (name, averaged) == ("vgg_max", "currents"):
        assert 1e-3 < furthest(max_pool="gate") < furthest(max_pool="spikes")


def test_folded_equals_kept_for_every_alignment():
    source = ann("resnet20", norm=lambda c: TDBN(c, 1.0))
    for how in ({}, {"rising": "upsample", "falling": "downsample"}):
        kept = snn(source, "resnet20", norm=lambda c: TDBN(c, 1.0), **how)(images())
        torch.testing.assert_close(snn(source, "resnet20", fold=True, **how)(images()), kept)


def test_where_neighbours_differ_in_steps_the_levels_are_exact_without_further_averages():
    source = ann("vgg", steps=(3, 5, 2, 8))
    _, levels = counts(source, images())
    _, spikes = counts(snn(source), images())
    assert all(torch.equal(spikes[layer], level) for layer, level in levels.items())


def test_between_neighbours_of_equal_steps_counts_may_differ():
    """The first of the two is exact; the second sees spikes in an order of their own, and is off by a few at most."""
    source = ann("vgg", steps=(4, 4, 2, 8))
    _, levels = counts(source, images(batch=32))
    _, spikes = counts(snn(source), images(batch=32))
    first, second, *_ = levels
    assert torch.equal(spikes[first], levels[first])
    difference = (spikes[second] - levels[second]).abs()
    assert 0 < (difference > 0).double().mean() < 0.3
    assert difference.max() <= 2
    assert (difference > 1).double().mean() < 0.01


@pytest.mark.parametrize("scale", [2, 4])
def test_scaled_time_refines_the_levels(scale):
    source = ann("resnet20")
    scaled = ann("resnet20", steps=[scale * t for t in (3, 5, 2, 8, 4, 4, 1, 6)])
    scaled.load_state_dict(
        {k: v for k, v in source.state_dict().items() if not k.endswith(".t")}, strict=False
    )
    found = snn(source, "resnet20", time_scale=scale, **EVERYWHERE)(images())
    torch.testing.assert_close(found, scaled(images()))


def test_frames_are_samples_of_their_own():
    source = ann()
    converted = snn(source, **EVERYWHERE)
    x = images(frames=3)
    torch.testing.assert_close(converted(x), source(x))
    torch.testing.assert_close(converted(x[:1]), source(x[:1]))


def test_who_feeds_whom():
    found = consumers(trace(ann("resnet20")))
    assert found["stem.2"] == ["stages.0.0.body.2", "stages.0.0.neuron"]
    assert found["stages.0.0.body.2"] == ["stages.0.0.neuron"]
    assert found["stages.1.1.neuron"] == []
    assert snn(ann("resnet20"), "resnet20").stem[2].get_extra_state().tolist() == [3, 5, 2]


def test_what_cannot_be_converted_is_said():
    spiking = MODELS["vgg"](LIF, BN)
    with pytest.raises(ValueError, match=r"have to be quant_relu, and features.2 is LIF"):
        convert(spiking, spiking, fold=False)
    per_step = MODELS["vgg"](QuantReLU, lambda c: TEBN(c, 4))
    with pytest.raises(ValueError, match="treats time steps differently"):
        convert(per_step, per_step, fold=True)


class Odd(nn.Module):
    def __init__(self, neuron, norm, between):
        super().__init__()
        self.first = EachStep(nn.Conv2d(3, 4, 3))
        self.neuron = neuron()
        self.layer = between if isinstance(between, nn.Module) else nn.Identity()
        self.between = between
        self.head = nn.Linear(4, 7)

    def forward(self, x):
        s = self.neuron(self.first(x))
        return self.head((self.layer(s) if self.layer is self.between else self.between(s)).mean((3, 4)))


@pytest.mark.parametrize(
    "between",
    [
        nn.ReLU(),
        EachStep(nn.Conv2d(4, 4, 1), nn.ReLU()),
        EachStep(nn.Conv2d(4, 4, 1), nn.MaxPool2d(2)),
        EachStep(nn.AdaptiveMaxPool2d(2)),
        lambda s: torch.maximum(s, 1 - s),
        lambda s: s.amax((3, 4), keepdim=True),
        lambda s: functional.max_pool2d(s[0], 2)[None],
        lambda s: s * s,
        lambda s: 1 / (s + 1),
        lambda s: s @ s.transpose(3, 4),
    ],
    ids=[
        "relu",
        "conv-relu",
        "conv-max",
        "adaptive",
        "maximum",
        "amax",
        "function",
        "square",
        "inverse",
        "attention",
    ],
)
def test_what_is_not_linear_between_neurons_is_refused(between):
    source = Odd(QuantReLU, BN, between).eval()
    target = Odd(MixedIF, BN, between)
    with pytest.raises(ValueError, match="is not linear"):
        convert(source, target, fold=False)


@pytest.mark.parametrize("between", [lambda s: 2 * s / 3, lambda s: s + s.flip(3), EachStep(nn.AvgPool2d(2))])
def test_what_is_linear_converts(between):
    source = Odd(QuantReLU, BN, between).double().eval()
    target = Odd(lambda: MixedIF(**EVERYWHERE), BN, between).double()
    frames_in_batch(target)
    convert(source, target, fold=False)
    torch.testing.assert_close(target.eval()(images()), source(images()))


def test_attention_is_refused():
    model = Spikformer(QuantReLU, BN, 3, 7, 16, depth=1, dim=16, heads=2)
    with pytest.raises(ValueError, match=r"matmul.* is not linear"):
        convert(model.eval(), model, fold=False)


def test_before_conversion_it_is_an_ordinary_spiking_network():
    model = MODELS["vgg"](MixedIF, BN).double()
    x = images(frames=4)
    expected = model.eval()(x)
    frames_in_batch(model)
    assert torch.equal(model(x), expected)


class Adding(nn.Module):
    """A stage of residual blocks whose additions no neuron follows, and a neuron at the end or none."""

    def __init__(self, stage, last, neuron, norm):
        super().__init__()
        self.stem = nn.Sequential(EachStep(nn.Conv2d(3, 8, 3, padding=1, bias=False)), norm(8))
        self.stage = stage(8, 8, 2, 1, neuron, norm)
        self.neuron = neuron() if last else nn.Identity()
        self.head = nn.Linear(8, 7)

    def forward(self, x_TBCHW):
        return self.head(self.neuron(self.stage(self.stem(x_TBCHW))).mean((3, 4)))


ADDING = {
    "pre-activation": lambda *layers: Adding(pre_activation_stage, False, *layers),
    "pre-activation and a neuron": lambda *layers: Adding(pre_activation_stage, True, *layers),
    "spikes": lambda *layers: Adding(sew_stage, False, *layers),
}


@pytest.mark.parametrize("name", ADDING)
def test_additions_that_no_neuron_aligns_are_one_error(name, monkeypatch):
    monkeypatch.setitem(MODELS, name, ADDING[name])
    source = ann(name)
    with pytest.raises(SnnlabError, match=r"adds signals of \d and \d time steps") as caught:
        snn(source, name)(images(name))
    assert "neuron.averaged=spikes neuron.equal=average" in caught.value.hint
    found = snn(source, name, averaged="spikes", **EVERYWHERE)(images(name))  # as the hint says
    torch.testing.assert_close(found, source(images(name)))
    alike = ann(name, steps=(4,))
    torch.testing.assert_close(snn(alike, name, **EVERYWHERE)(images(name)), alike(images(name)))
