"""Every registered model gives logits of each step, for any number of steps, and has the published size."""

import inspect

import pytest
import torch

from snnlab import registry
from snnlab.models import (
    VGG11SNN,
    VGG16SNN,
    VGGSNN,
    DSATGOResNet18SNN,
    MetaSpikeFormer,
    MSResNet18SNN,
    PreActResNet34SNN,
    QKFormer,
    ResNet18SNN,
    ResNet19SNN,
    ResNet20SNN,
    ResNet34SNN,
    SEWResNet18SNN,
    SEWResNet19SNN,
    SEWResNet34SNN,
    Spikformer,
    SpikingBERT,
    Spikingformer,
    TextCNNSNN,
    TouchSNN,
)
from snnlab.neurons import CF, DSATGO, LIF, PLIF, QuantReLU, ReLU
from snnlab.norms import BN, TDBN, TEBN
from tests.models.nir_graphs import small_graph

NAMES = tuple(registry.component_files("model"))
# The same blocks as in resnet18_snn, twice as many; much like vgg_snn, but larger.
LARGE = ("resnet34_snn", "vgg16_snn", "sew_resnet34_snn")
NETWORKS = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]
# The neurons of a NIR graph are its own.
OF_ANY_NEURON = [one for one in NETWORKS if one.values != ("nir",)]
# oneDNN's bfloat16 convolution reads memory it never wrote for inputs of 1 x 1 pixels (torch 2.15, CPU, stride 2): no
# network may get that small here.
SIZES = dict.fromkeys(
    (
        "vgg11_snn",
        "vgg16_snn",
        "preact_resnet34_snn",
        "meta_spikeformer",
        "sew_resnet18_snn",
        "sew_resnet34_snn",
        "dsatgo_resnet18_snn",
    ),
    32,
)
# Narrower networks of the same layers; the published ones are counted below.
NARROW = {
    "meta_spikeformer": {"dims": (16, 32, 64, 80), "depths": (1, 1, 1, 1, 1), "distillation_head": True},
    "qkformer": {"dim": 96, "heads": 2},
    "spikingformer": {"dim": 96, "heads": 4},
    "spiking_bert": {"depth": 1, "heads": 4, "mlp_ratio": 2},
}
DVS = {"depth": 2, "dim": 256, "heads": 16, "pools": (1, 2, 3, 4), "projection": "conv", "scale": 0.25}
SPIKINGFORMER_DVS = {"depth": 2, "dim": 256, "heads": 16, "pools": (1, 2, 3, 4)}
HST = {"stem": "imagenet", "depths": (1, 2, 7)}
QKFORMER_DVS = {"stem": "dvs", "depths": (1, 1), "dim": 256, "heads": 16}
META_384 = {"dims": (96, 192, 384, 480)}
META_768 = {"dims": (192, 384, 768, 960)}
FIVE_POOLS = {"pools": (1, 2, 4, 6, 8), "head": "flatten"}
IMAGENET = {"depth": 8, "dim": 512, "heads": 8, "pools": (1, 2, 3, 4), "projection": "conv"}


def build(name, neuron=LIF, norm=BN, in_channels=2, num_classes=7, image_size=None):
    cls = registry.load("model", name)
    given = {
        "neuron": neuron,
        "norm": norm,
        "in_channels": in_channels,
        "num_classes": num_classes,
        "image_size": image_size or SIZES.get(name, 16),
        "frame_shape": (image_size or SIZES.get(name, 16),) * 2,
        "num_steps": 4,
        "graph": small_graph(in_channels, num_classes, image_size or SIZES.get(name, 16)),
    }
    taken = {k: v for k, v in given.items() if k in inspect.signature(cls).parameters}
    return cls(**taken, **NARROW.get(name, {}))


def eager(**overrides):
    """A neuron that fires easily: in the head of ResNet-19, without a norm, fresh weights never reach 1."""
    return LIF(**{"threshold": 0.1, **overrides})


def alive(name, neuron=eager):
    """In evaluation mode, with running statistics of real activity, so that spikes reach the last layer."""
    torch.manual_seed(0)
    model = build(name, neuron, norm=lambda c: BN(c, momentum=1.0))
    with torch.no_grad():
        model(frames(4, batch=8, name=name))
    return model.eval()


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def frames(steps, batch=2, name=None):
    size = SIZES.get(name, 16)
    return torch.rand(steps, batch, 2, size, size, generator=torch.Generator().manual_seed(steps))


@pytest.mark.parametrize(
    ("count", "make"),
    [
        (9_271_498, lambda: VGGSNN(LIF, BN, 2, 10, 48)),
        (9_268_746, lambda: VGGSNN(LIF, BN, 2, 10, 48, conv_bias=False)),
        (9_271_498, lambda: VGGSNN(LIF, BN, 2, 10, 48, pool="stride")),
        (9_245_898, lambda: VGGSNN(LIF, BN, 2, 10, 32)),
        (9_247_947, lambda: VGGSNN(LIF, BN, 2, 11, 32)),
        (9_312_979, lambda: VGGSNN(LIF, BN, 2, 19, 48)),
        (9_690_917, lambda: VGGSNN(LIF, BN, 2, 101, 48)),
        (9_304_586, lambda: VGGSNN(LIF, BN, 2, 10, 64, conv_bias=False)),
        (11_173_962, lambda: ResNet18SNN(LIF, BN, 3, 10)),
        (11_220_132, lambda: ResNet18SNN(LIF, BN, 3, 100)),
        (11_173_386, lambda: ResNet18SNN(LIF, BN, 2, 10)),
        (21_282_122, lambda: ResNet34SNN(ReLU, BN, 3, 10)),
        (21_328_292, lambda: ResNet34SNN(ReLU, BN, 3, 100)),
        (11_689_512, lambda: ResNet18SNN(ReLU, BN, 3, 1000, stem="imagenet")),
        (21_797_672, lambda: ResNet34SNN(ReLU, BN, 3, 1000, stem="imagenet")),
        (272_474, lambda: ResNet20SNN(ReLU, BN, 3, 10)),
        (278_324, lambda: ResNet20SNN(ReLU, BN, 3, 100)),
        (33_646_666, lambda: VGG16SNN(ReLU, BN, 3, 10, 32)),
        (34_015_396, lambda: VGG16SNN(ReLU, BN, 3, 100, 32)),
        (138_365_992, lambda: VGG16SNN(ReLU, BN, 3, 1000, 224)),
        (21_806_184, lambda: PreActResNet34SNN(LIF, BN, 3, 1000)),
        (11_220_132, lambda: MSResNet18SNN(LIF, BN, 3, 100)),
        (12_630_858, lambda: ResNet19SNN(LIF, BN, 3, 10)),
        (12_653_988, lambda: ResNet19SNN(LIF, BN, 3, 100)),
        (12_697_994, lambda: ResNet19SNN(LIF, BN, 3, 10, stem=128)),
        (12_721_124, lambda: ResNet19SNN(LIF, BN, 3, 100, stem=128)),
        (12_698_240, lambda: SEWResNet19SNN(LIF, BN, 3, 10)),
        (12_721_280, lambda: SEWResNet19SNN(LIF, BN, 3, 100)),
        (12_698_240 + 20, lambda: SEWResNet19SNN(DSATGO, BN, 3, 10)),
        (9_324_730, lambda: Spikformer(LIF, BN, 3, 10, 32)),
        (9_365_524 - 6_144, lambda: Spikformer(LIF, BN, 3, 100, 32)),  # 6144: LayerNorms that nothing uses
        (2_566_666, lambda: Spikformer(LIF, BN, 2, 10, 128, **DVS)),
        (360_902, lambda: TextCNNSNN(LIF, BN, 1, 2, (25, 300))),
        (361_805, lambda: TextCNNSNN(LIF, BN, 1, 5, (25, 300), pool="avg")),
        # Four of BERT's layers, the current of [CLS] and the head.
        (4 * 7_087_872 + 768 + 2 * 769, lambda: SpikingBERT(LIF, 1, 2, (127, 768))),
        (228_900, lambda: TouchSNN(LIF, BN, 2, 36, 11)),
        (5_762_746, lambda: Spikingformer(LIF, BN, 3, 10, 32, depth=2)),
        (5_797_396, lambda: Spikingformer(LIF, BN, 3, 100, 32, depth=2, heads=8)),
        (9_320_122, lambda: Spikingformer(LIF, BN, 3, 10, 32)),
        (9_354_772, lambda: Spikingformer(LIF, BN, 3, 100, 32, heads=8)),
        (4_152_106, lambda: Spikingformer(LIF, BN, 3, 10, 32, dim=256, heads=8)),
        (2_566_666, lambda: Spikingformer(LIF, BN, 2, 10, 128, **SPIKINGFORMER_DVS)),
        (6_706_234, lambda: QKFormer(LIF, BN, 3, 10, 32)),
        (6_740_884, lambda: QKFormer(LIF, BN, 3, 100, 32)),
        (1_504_138, lambda: QKFormer(LIF, BN, 2, 10, 128, **QKFORMER_DVS, mlp_ratio=1)),
        (1_999_114, lambda: QKFormer(LIF, BN, 2, 10, 128, **QKFORMER_DVS)),
        (16_473_688, lambda: QKFormer(LIF, BN, 3, 1000, 224, **HST, heads=6)),
        (29_079_336, lambda: QKFormer(LIF, BN, 3, 1000, 224, **HST, dim=512)),
        (64_962_760, lambda: QKFormer(LIF, BN, 3, 1000, 384, **HST, dim=768, heads=12)),
        (31_333_864, lambda: MetaSpikeFormer(LIF, BN, 3, 1000, **META_384)),
        (31_814_864, lambda: MetaSpikeFormer(LIF, BN, 3, 1000, **META_384, distillation_head=True)),
        (55_350_248, lambda: MetaSpikeFormer(LIF, BN, 3, 1000)),
        (55_991_248, lambda: MetaSpikeFormer(LIF, BN, 3, 1000, distillation_head=True)),
        (123_741_160, lambda: MetaSpikeFormer(LIF, BN, 3, 1000, **META_768)),
        (124_702_160, lambda: MetaSpikeFormer(LIF, BN, 3, 1000, **META_768, distillation_head=True)),
        (9_325_832, lambda: VGG11SNN(LIF, BN, 3, 200, 64, conv_bias=False)),
        (9_328_584, lambda: VGG11SNN(LIF, BN, 3, 200, 64)),
        (9_633_032, lambda: VGG11SNN(LIF, BN, 3, 200, 64, conv_bias=False, **FIVE_POOLS)),
        (9_635_784, lambda: VGG11SNN(LIF, BN, 3, 200, 64, **FIVE_POOLS)),
        (14_241_032, lambda: VGG11SNN(LIF, BN, 3, 200, 224, conv_bias=False, **FIVE_POOLS)),
        (14_243_784, lambda: VGG11SNN(LIF, BN, 3, 200, 224, **FIVE_POOLS)),
        (11_689_512, lambda: SEWResNet18SNN(LIF, BN, 3, 1000)),
        (21_797_672, lambda: SEWResNet34SNN(LIF, BN, 3, 1000)),
        (13_076_096, lambda: DSATGOResNet18SNN(LIF, BN, 3, 1000, stem="cifar")),
        (13_091_456, lambda: DSATGOResNet18SNN(LIF, BN, 3, 1000)),
        (13_091_456 + 19, lambda: DSATGOResNet18SNN(DSATGO, BN, 3, 1000)),
        (17_796_736, lambda: DSATGOResNet18SNN(LIF, BN, 3, 1000, stem="cifar", last_blocks=3)),
        (17_812_096, lambda: DSATGOResNet18SNN(LIF, BN, 3, 1000, last_blocks=3)),
        (17_812_096 + 21, lambda: DSATGOResNet18SNN(DSATGO, BN, 3, 1000, last_blocks=3)),
        (29_689_384, lambda: Spikformer(LIF, BN, 3, 1000, 224, **IMAGENET)),  # published as 29.68 M
    ],
)
def test_published_parameter_counts(count, make):
    with torch.device("meta"):
        assert parameters(make()) == count


@pytest.mark.parametrize("name", NETWORKS)
def test_any_number_of_steps_gives_logits_of_each_step(name):
    model = alive(name)
    with torch.no_grad():
        long = model(frames(5, name=name))
        assert long.shape == (5, 2, 7)
        assert (long.diff(dim=0).abs().amax((1, 2)) > 1e-3).all()
        assert ((long[:, 0] - long[:, 1]).abs().amax(1) > 1e-3).all()
        torch.testing.assert_close(model(frames(5, name=name)[:2]), long[:2])  # no step sees a later one
        assert torch.equal(model(frames(5, name=name)), long)  # nothing is left in the model


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    model = build(name, neuron=PLIF)
    model(frames(3, name=name)).square().sum().backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert missing == []


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_with_relu_it_is_an_ann_whose_steps_are_alike(name):
    model = alive(name, neuron=ReLU)
    x = frames(1, name=name).expand(3, -1, -1, -1, -1)
    with torch.no_grad():
        logits = model(x)
        torch.testing.assert_close(logits, model(x[:1]).expand(3, -1, -1))
        assert logits.std() > 1e-3


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_neurons_come_from_the_factory_and_none_is_shared(name):
    made = []

    def neuron(**overrides):
        made.append(LIF(**overrides))
        return made[-1]

    model = build(name, neuron=neuron)
    inside = [m for m in model.modules() if isinstance(m, LIF)]
    assert len(inside) == len(made) > 0
    assert {id(m) for m in inside} == {id(m) for m in made}
    calls = []
    for m in inside:
        m.register_forward_hook(lambda module, *_: calls.append(module))
    with torch.no_grad():
        model(frames(1, name=name))
    assert len(calls) == len(set(calls)) == len(made)


@pytest.mark.parametrize("norm", [lambda c: TDBN(c, 1.0), lambda c: TEBN(c, 4)], ids=["tdbn", "tebn"])
@pytest.mark.parametrize("name", NETWORKS)
def test_other_norms_fit(name, norm):
    assert build(name, norm=norm)(frames(2, name=name)).shape == (2, 2, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_autocast(name):
    torch.manual_seed(0)
    model = build(name)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(frames(2, name=name))
    logits.float().square().sum().backward()
    assert logits.shape == (2, 2, 7)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(("model", "blocks"), [(ResNet18SNN, 8), (ResNet19SNN, 8)])
def test_another_neuron_after_the_additions(model, blocks):
    net = model(LIF, BN, 2, 7, residual_neuron=CF)
    additions = [name for name, module in net.named_modules() if isinstance(module, CF)]
    assert len(additions) == blocks
    assert all(name.startswith("stages.") and name.endswith(".neuron") for name in additions)
    assert any(isinstance(module, LIF) for module in net.modules())
    plain = model(LIF, BN, 2, 7)
    assert len(list(plain.modules())) == len(list(net.modules()))
    assert net(frames(2)).shape == (2, 2, 7)


def test_sew_adds_spikes_and_fires_not_after_the_addition():
    model = alive("sew_resnet19_snn")
    seen = []
    for stage in model.stages:
        for block in stage:
            block.register_forward_hook(lambda *args: seen.append(args[-1]))
    with torch.no_grad():
        model(frames(3))
    assert len(seen) == 3 + 3 + 2
    levels = [set(x.unique().tolist()) for x in seen]
    assert all(values <= set(range(5)) for values in levels)
    assert max(max(values) for values in levels) > 1


@pytest.mark.parametrize("neuron", [CF, lambda **o: DSATGO(num_steps=4, **o)], ids=["cf", "dsatgo"])
@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_neurons_of_other_kinds_fit(name, neuron):
    model = build(name, neuron=neuron)
    model(frames(2, name=name)).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("layers", "make"),
    [
        (15, lambda **o: VGG16SNN(QuantReLU, BN, 3, 10, 32, hidden=8, **o)),
        (17, lambda **o: ResNet18SNN(QuantReLU, BN, 3, 10, stem="imagenet", **o)),
        (19, lambda **o: ResNet20SNN(QuantReLU, BN, 3, 10)),
        (33, lambda **o: ResNet34SNN(QuantReLU, BN, 3, 10, stem="imagenet", **o)),
    ],
)
@pytest.mark.parametrize("pool", ["avg", "max"])
def test_published_numbers_of_neuron_layers_and_pools(layers, make, pool):
    with torch.device("meta"):
        model = make(pool=pool)
        assert model(torch.empty(1, 2, 3, 32, 32)).shape == (1, 2, 10)
    assert sum(isinstance(module, QuantReLU) for module in model.modules()) == layers
    pools = [
        m
        for m in model.modules()
        if isinstance(m, torch.nn.MaxPool2d if pool == "avg" else torch.nn.AvgPool2d)
    ]
    assert not pools


def test_the_stem_for_large_images_quarters_them():
    with torch.device("meta"):
        model = ResNet34SNN(ReLU, BN, 3, 10, stem="imagenet")
        assert model.stem(torch.empty(1, 2, 3, 224, 224)).shape == (1, 2, 64, 56, 56)


def test_small_resnet20():
    assert parameters(ResNet20SNN(ReLU, BN, 3, 10, blocks=(1, 1), width=8)) < 10_000
    with pytest.raises(ValueError, match=r"multiple of 32 \(published: 32, 224\)"):
        VGG16SNN(ReLU, BN, 3, 10, 48)


@pytest.mark.parametrize("pool", ["avg", "max", "stride"])
@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_vgg_takes_the_published_sizes(size, pool):
    with torch.device("meta"):
        model = VGGSNN(LIF, BN, 2, 10, size, pool=pool, channels=(2, 2, 2, 2, 2, 2, 2, 2), dropout=0.2)
        assert model(torch.empty(2, 3, 2, size, size)).shape == (2, 3, 10)


def test_vgg_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"image_size 40 .* multiple of 16 \(published: 32, 48, 64, 128\)"):
        VGGSNN(LIF, BN, 2, 10, 40)
    with pytest.raises(ValueError, match="multiple of 16"):
        VGGSNN(LIF, BN, 2, 10, 8)
    VGGSNN(LIF, BN, 2, 10, 40, channels=(4, 4, 4, 4))
    with pytest.raises(ValueError, match="pairs"):
        VGGSNN(LIF, BN, 2, 10, 32, channels=(4, 4, 4))


def test_vgg_starts_from_kaimings_distribution():
    torch.manual_seed(0)
    conv = VGGSNN(LIF, BN, 2, 10, 32).features[3][0]
    assert (conv.in_channels, conv.out_channels) == (64, 128)
    assert conv.weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("options", [{}, DVS, IMAGENET], ids=["cifar", "dvs", "imagenet"])
def test_spikformer_makes_the_published_number_of_tokens(options):
    size, tokens = (32, 64) if not options else (128, 64) if options is DVS else (224, 196)
    with torch.device("meta"):
        model = Spikformer(LIF, BN, 3, 10, size, **options)
        seen = []
        model.blocks.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
        model(torch.empty(2, 1, 3, size, size))
    assert seen == [(2, 1, options.get("dim", 384), tokens)]


def test_spikformer_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="multiple of 16"):
        Spikformer(LIF, BN, 2, 10, 40, **DVS)
    with pytest.raises(ValueError, match="multiple of 8 and of heads"):
        Spikformer(LIF, BN, 2, 10, 32, dim=100)
    with pytest.raises(ValueError, match="1 to 4"):
        Spikformer(LIF, BN, 2, 10, 32, pools=(0, 5))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Spikingformer(LIF, BN, 2, 10, 40, **SPIKINGFORMER_DVS), "multiple of 16"),
        (lambda: Spikingformer(LIF, BN, 2, 10, 32, dim=100), "multiple of 8 and of heads"),
        (lambda: Spikingformer(LIF, BN, 2, 10, 32, pools=(5,)), "1 to 4"),
        (lambda: QKFormer(LIF, BN, 3, 10, 30), "image_size 30 .* multiple of 4"),
        (lambda: QKFormer(LIF, BN, 3, 10, 40, **HST), "image_size 40 .* multiple of 16"),
        (lambda: QKFormer(LIF, BN, 3, 10, 32, dim=100), "dim 100 .* multiple of 8"),
        (lambda: QKFormer(LIF, BN, 3, 10, 32, depths=()), "depths of qkformer"),
        (lambda: MetaSpikeFormer(LIF, BN, 3, 10, dims=(8, 8)), "four stages"),
        (lambda: MetaSpikeFormer(LIF, BN, 3, 10, depths=(1, 2)), "five numbers"),
        (lambda: MetaSpikeFormer(LIF, BN, 3, 10, dims=(8, 8, 12, 16)), "multiples of heads"),
        (lambda: VGG11SNN(LIF, BN, 3, 10, 40), "image_size 40 .* multiple of 16"),
        (lambda: VGG11SNN(LIF, BN, 3, 10, 64, pools=(9,)), "1 to 8"),
        (lambda: VGG11SNN(LIF, BN, 3, 10, 64, channels=()), "at least one"),
    ],
)
def test_new_networks_refuse_what_does_not_fit(make, said):
    with torch.device("meta"), pytest.raises(ValueError, match=said):
        make()


def test_vgg11_pools_where_the_list_says():
    model = VGG11SNN(LIF, BN, 3, 10, 64, channels=(4, 6, 8), pools=(1, 3), pool="max", conv_bias=False)
    kinds = [type(m[0]).__name__ if hasattr(m, "__len__") else type(m).__name__ for m in model.features]
    conv = ["Conv2d", "BN", "LIF"]
    assert kinds == [*conv, "MaxPool2d", *conv, *conv, "MaxPool2d"]


def test_spikformer_linear_layers_start_narrow():
    torch.manual_seed(0)
    model = Spikformer(LIF, BN, 3, 10, 32, depth=1)
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert len(linear) == 4 + 2 + 1
    for layer in linear:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.06)
        assert layer.bias.abs().max() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_model_equals_eager(name):
    model = alive(name)
    with torch.no_grad():
        expected = model(frames(3, name=name))
        compiled = torch.compile(model, fullgraph=True)(frames(3, name=name))
    # Fused convolutions round differently, so a spike may flip; the logits stay close on average.
    assert (compiled - expected).abs().mean() < 0.1 * expected.abs().mean()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_2d_convolutions_says_so(name):
    """`trainer.channels_last=auto` asks for `convolutional`: 2-D convolutions, and no attention."""
    layers = [type(module) for module in build(name).modules()]
    attention = any(layer.__name__.endswith("Attention") for layer in layers)
    convolutional = torch.nn.Conv2d in layers and not attention
    assert getattr(registry.load("model", name), "convolutional", False) is convolutional
