"""State dicts made by spikingjelly's own networks, by SEW-ResNet's names and by torchvision load into ours.

Logits are compared with those of the foreign network, in evaluation mode.
"""

import importlib

import pytest
import torch
import torchvision
from torch import nn

from snnlab.layers.released import load_released
from snnlab.models import VGG11SNN, VGG16SNN, ResNet18SNN, ResNet34SNN, SEWResNet18SNN, SEWResNet34SNN
from snnlab.neurons import IF, LIF, ReLU
from snnlab.norms import BN

T, BATCH, CLASSES, SIZE = 3, 2, 5, 32


def neuron_of(kind):
    """The same neuron there, with its arguments, and here."""
    from spikingjelly.activation_based import neuron, surrogate

    given = {"surrogate_function": surrogate.ATan(), "detach_reset": True, "step_mode": "m"}
    if kind == "if":
        return neuron.IFNode, {**given, "v_threshold": 0.5}, lambda **o: IF(threshold=0.5, **o)
    return (
        neuron.LIFNode,
        {**given, "v_threshold": 0.5, "tau": 2.0},
        lambda **o: LIF(threshold=0.5, tau=2.0, decay_input=True, **o),
    )


IMAGENET = {"stem": "imagenet", "pool": "max"}
ZOO = {
    "sew_resnet18 if": ("sew_resnet", "sew_resnet18", "if", SEWResNet18SNN, {"cnf": "ADD"}, {}),
    "sew_resnet34 lif": ("sew_resnet", "sew_resnet34", "lif", SEWResNet34SNN, {"cnf": "ADD"}, {}),
    "spiking_resnet18 lif": ("spiking_resnet", "spiking_resnet18", "lif", ResNet18SNN, {}, IMAGENET),
    "spiking_resnet34 if": ("spiking_resnet", "spiking_resnet34", "if", ResNet34SNN, {}, IMAGENET),
}
NETWORKS = [pytest.param(one, marks=pytest.mark.slow if "34" in one else ()) for one in ZOO]


def foreign(name):
    """A network of the zoo whose statistics are those of real activity."""
    from spikingjelly.activation_based import functional

    module, function, kind, _, options, _ = ZOO[name]
    node, given, _ = neuron_of(kind)
    torch.manual_seed(0)
    make = getattr(importlib.import_module(f"spikingjelly.activation_based.model.{module}"), function)
    net = make(num_classes=CLASSES, spiking_neuron=node, **options, **given)
    functional.set_step_mode(net, "m")
    return settled(net.double(), frames(1))


def settled(net, x):
    from spikingjelly.activation_based import functional

    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        net(x)
    functional.reset_net(net)
    return net.eval()


def frames(seed=0, size=SIZE):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(T, BATCH, 3, size, size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_spikingjellys_networks_give_equal_logits(name):
    net = foreign(name)
    *_, cls, _, options = ZOO[name]
    model = cls(neuron_of(ZOO[name][2])[2], BN, 3, CLASSES, **options).double().eval()
    load_released(model, net.state_dict())
    expected_TBK = net(frames())
    torch.testing.assert_close(model(frames()), expected_TBK, rtol=1e-9, atol=1e-9)
    assert expected_TBK.std() > 1e-3


@torch.no_grad()
def test_names_of_sew_resnets_own_code():
    """`conv1.module.0` for `conv1` and so on; the tensors are the same."""
    net = foreign("sew_resnet18 if")
    state = {}
    for key, value in net.state_dict().items():
        parts = key.split(".")
        if parts[0].startswith("layer") and parts[2] == "downsample":
            parts[3:4] = ["0", "module", parts[3]]
        elif parts[0].startswith("layer"):
            number = parts[2][-1]
            parts[2:3] = [f"conv{number}", "module", "0" if parts[2].startswith("conv") else "1"]
        state[".".join(parts)] = value
    assert "layer2.0.downsample.0.module.1.running_var" in state
    assert "layer1.0.conv1.module.0.weight" in state
    model = SEWResNet18SNN(neuron_of("if")[2], BN, 3, CLASSES).double().eval()
    load_released(model, state)
    torch.testing.assert_close(model(frames()), net(frames()), rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_an_ann_of_torchvision():
    torch.manual_seed(0)
    net = torchvision.models.resnet18(num_classes=CLASSES).double().eval()
    model = ResNet18SNN(ReLU, BN, 3, CLASSES, stem="imagenet", pool="max").double().eval()
    load_released(model, net.state_dict())
    x_BCHW = frames()[0]
    torch.testing.assert_close(model(x_BCHW[None])[0], net(x_BCHW), rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_spikingjellys_vgg16(monkeypatch):
    """Narrower than it is, for time; the names and the order are those of the whole network."""
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.model import spiking_vgg

    from snnlab.models import vgg16_snn

    with torch.device("meta"):
        whole = spiking_vgg.spiking_vgg16_bn(spiking_neuron=neuron_of("if")[0])
    stages = [(max(channels // 32, 2), count) for channels, count in vgg16_snn.STAGES]
    monkeypatch.setattr(vgg16_snn, "STAGES", tuple(stages))
    node, given, ours = neuron_of("if")
    torch.manual_seed(0)
    cfg = [one for channels, count in stages for one in [*[channels] * count, "M"]]
    net = spiking_vgg.SpikingVGG(cfg, batch_norm=True, num_classes=CLASSES, spiking_neuron=node, **given)
    width = stages[-1][0]
    net.classifier[0], net.classifier[3] = nn.Linear(width * 49, 16), nn.Linear(16, 16)
    net.classifier[6] = nn.Linear(16, CLASSES)
    functional.set_step_mode(net, "m")
    x = frames(size=224)[:2]
    net = settled(net.double(), x)
    model = VGG16SNN(ours, BN, 3, CLASSES, 224, pool="max", hidden=16).double().eval()
    load_released(model, net.state_dict())
    assert set(net.state_dict()) == set(whole.state_dict())
    torch.testing.assert_close(model(x), net(x), rtol=1e-9, atol=1e-9)


def test_networks_that_differ_say_in_what():
    net = foreign("spiking_resnet18 lif")
    state = net.state_dict()
    with pytest.raises(ValueError, match=r"conv1.weight is 64 x 3 x 7 x 7 there and 64 x 3 x 3 x 3 here"):
        load_released(ResNet18SNN(LIF, BN, 3, CLASSES), state)
    with pytest.raises(ValueError, match=r"layer1\.2\.conv1\.weight is not there"):
        load_released(ResNet34SNN(LIF, BN, 3, CLASSES, stem="imagenet"), state)
    with pytest.raises(ValueError, match=r"fc\.weight is 5 x 512 there and 7 x 512 here"):
        load_released(ResNet18SNN(LIF, BN, 3, 7, stem="imagenet"), state)
    with pytest.raises(ValueError, match="VGG11SNN has no map from released names"):
        load_released(VGG11SNN(LIF, BN, 3, CLASSES, 32), state)
