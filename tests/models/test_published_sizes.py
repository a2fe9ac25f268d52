"""Networks have the published numbers of parameters, of neuron layers and of tokens."""

import pytest
import torch

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
from snnlab.neurons import DSATGO, LIF, QuantReLU, ReLU
from snnlab.norms import BN
from tests.models.builders import parameters
from tests.models.published_options import (
    DVS,
    FIVE_POOLS,
    HST,
    IMAGENET,
    META_384,
    META_768,
    QKFORMER_DVS,
    SPIKINGFORMER_DVS,
)


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


@pytest.mark.parametrize("options", [{}, DVS, IMAGENET], ids=["cifar", "dvs", "imagenet"])
def test_spikformer_makes_the_published_number_of_tokens(options):
    size, tokens = (32, 64) if not options else (128, 64) if options is DVS else (224, 196)
    with torch.device("meta"):
        model = Spikformer(LIF, BN, 3, 10, size, **options)
        seen = []
        model.blocks.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
        model(torch.empty(2, 1, 3, size, size))
    assert seen == [(2, 1, options.get("dim", 384), tokens)]
