"""What single networks promise: their layers, the sizes they take, how their weights start, what they refuse."""

import pytest
import torch

from snnlab.models import (
    VGG11SNN,
    VGG16SNN,
    VGGSNN,
    MetaSpikeFormer,
    QKFormer,
    ResNet18SNN,
    ResNet19SNN,
    ResNet20SNN,
    ResNet34SNN,
    Spikformer,
    Spikingformer,
)
from snnlab.neurons import CF, LIF, ReLU
from snnlab.norms import BN
from tests.models.builders import alive, frames, parameters
from tests.models.published_options import DVS, HST, SPIKINGFORMER_DVS


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


def test_vgg11_pools_where_the_list_says():
    model = VGG11SNN(LIF, BN, 3, 10, 64, channels=(4, 6, 8), pools=(1, 3), pool="max", conv_bias=False)
    kinds = [type(m[0]).__name__ if hasattr(m, "__len__") else type(m).__name__ for m in model.features]
    conv = ["Conv2d", "BN", "LIF"]
    assert kinds == [*conv, "MaxPool2d", *conv, *conv, "MaxPool2d"]


def test_spikformer_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="multiple of 16"):
        Spikformer(LIF, BN, 2, 10, 40, **DVS)
    with pytest.raises(ValueError, match="multiple of 8 and of heads"):
        Spikformer(LIF, BN, 2, 10, 32, dim=100)
    with pytest.raises(ValueError, match="1 to 4"):
        Spikformer(LIF, BN, 2, 10, 32, pools=(0, 5))


def test_spikformer_linear_layers_start_narrow():
    torch.manual_seed(0)
    model = Spikformer(LIF, BN, 3, 10, 32, depth=1)
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert len(linear) == 4 + 2 + 1
    for layer in linear:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.06)
        assert layer.bias.abs().max() == 0


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
