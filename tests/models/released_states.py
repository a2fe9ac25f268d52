"""Made states with the names and shapes of released checkpoints, and random numbers that make neurons fire."""

import torch


class Made(dict):
    """Tensors by name, drawn from a seed."""

    def __init__(self, seed=0):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self, *shape):
        return torch.rand(*shape, generator=self.generator, dtype=torch.float64)

    def conv(self, name, c_in, c_out, *kernel, bias=False, groups=1):
        shape = (c_out, c_in // groups, *kernel)
        fan_in = torch.tensor(shape[1:]).prod().item()
        self[f"{name}.weight"] = (self.draw(*shape) - 0.5) * (12 / fan_in) ** 0.5
        if bias:
            self[f"{name}.bias"] = self.draw(c_out) - 0.5

    def bn(self, name, c):
        self[f"{name}.weight"] = 1 + self.draw(c)
        self[f"{name}.bias"] = self.draw(c)
        self[f"{name}.running_mean"] = self.draw(c) - 0.5
        self[f"{name}.running_var"] = 0.5 + self.draw(c)
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def layer_norm(self, name, c):
        self[f"{name}.weight"], self[f"{name}.bias"] = torch.ones(c), torch.zeros(c)


def spikformer(depth=2, dim=32, c_in=3, classes=5, kind="linear", folder="cifar10"):
    """The file of a folder of ZK-Zhou/spikformer; "" is the model.py beside them. Only cifar10dvs has the last norm."""
    made = Made()
    if folder == "cifar10dvs":
        made["pos_embed"] = made.draw(1, 64, dim)
    widths = (c_in, dim // 8, dim // 4, dim // 2, dim)
    for i in range(4):
        conv, bn = ("block{}_conv", "block{}_bn") if not folder else ("proj_conv{}", "proj_bn{}")
        n = i or "" if folder else i + 1
        made.conv(f"patch_embed.{conv.format(n)}", widths[i], widths[i + 1], 3, 3)
        made.bn(f"patch_embed.{bn.format(n)}", widths[i + 1])
    made.conv("patch_embed.rpe_conv", dim, dim, 3, 3)
    made.bn("patch_embed.rpe_bn", dim)
    one, two = ((), ()) if kind == "linear" else ((1,), (1,) if folder == "cifar10dvs" else (1, 1))
    for i in range(depth):
        block = f"block.{i}"
        made.layer_norm(f"{block}.norm1", dim)
        for part in "qkv":
            made.conv(f"{block}.attn.{part}_{kind}", dim, dim, *one, bias=kind == "linear")
            made.bn(f"{block}.attn.{part}_bn", dim)
        made.conv(f"{block}.attn.proj_{kind}", dim, dim, *one, bias=True)
        made.bn(f"{block}.attn.proj_bn", dim)
        made.layer_norm(f"{block}.norm2", dim)
        for n, c_from, c_to in ((1, dim, 4 * dim), (2, 4 * dim, dim)):
            made.conv(f"{block}.mlp.fc{n}_{kind}", c_from, c_to, *two, bias=True)
            made.bn(f"{block}.mlp.fc{n}_bn", c_to)
    if folder == "cifar10dvs":
        made.layer_norm("norm", dim)
    made.conv("head", dim, classes, bias=True)
    return made


def spikingformer(depth=2, dim=32, c_in=3, classes=5, folder="cifar10"):
    """The file of a folder of zhouchenlin2096/Spikingformer; those of imagenet and the event sets have other names."""
    made = Made()
    widths = (c_in, dim // 8, dim // 4, dim // 2, dim, dim)
    for i in range(5):
        stage = f"block{i}" if folder in ("cifar10", "cifar100") else f"proj{i or ''}"
        made.conv(f"patch_embed.{stage}_conv", widths[i], widths[i + 1], 3, 3)
        made.bn(f"patch_embed.{stage}_bn", widths[i + 1])
    for i in range(depth):
        block = f"block.{i}"
        made.layer_norm(f"{block}.norm1", dim)
        for part in ("q", "k", "v", "proj"):
            made.conv(f"{block}.attn.{part}_conv", dim, dim, 1, bias=part == "proj")
            made.bn(f"{block}.attn.{part}_bn", dim)
        made.layer_norm(f"{block}.norm2", dim)
        for n, c_from, c_to in ((1, dim, 4 * dim), (2, 4 * dim, dim)):
            made.conv(f"{block}.mlp.mlp{n}_conv", c_from, c_to, 1, 1, bias=True)
            made.bn(f"{block}.mlp.mlp{n}_bn", c_to)
    made.conv("head", dim, classes, bias=True)
    return made


def qkformer(stem="cifar", depths=(1, 1, 2), dim=32, ratio=4, c_in=3, classes=5):
    made = Made()
    mlp, late = ("fc", "attn") if stem == "imagenet" else ("mlp", "ssa")
    for i, depth in enumerate(depths, start=1):
        c = dim >> (len(depths) - i)
        at = f"patch_embed{i}.proj"
        if i > 1:
            widths, names, side = (c // 2, c, c), (at if stem == "dvs" else f"{at}3", f"{at}4"), c // 2
        elif stem == "cifar":
            widths, names, side = (c_in, c // 2, c), (at, f"{at}1"), c // 2
        elif stem == "imagenet":
            widths, names, side = (c_in, c // 2, c, c), (at, f"{at}1", f"{at}2"), c // 2
        else:
            widths, side = (c_in, c // 8, c // 4, c // 2, c), c // 4
            names = (at, f"{at}1", f"{at}2", f"{at}3")
        for name, c_from, c_to in zip(names, widths, widths[1:], strict=False):
            made.conv(f"{name}_conv", c_from, c_to, 3, 3)
            made.bn(f"{name}_bn", c_to)
        made.conv(f"{at}_res_conv", side, c, 1, 1)
        made.bn(f"{at}_res_bn", c)
        for j in range(depth):
            last = i == len(depths)
            for part in ("q", "k", "v", "proj") if last else ("q", "k", "proj"):
                name = f"stage{i}.{j}.{late if last else 'tssa'}.{part}"
                made.conv(f"{name}_conv", c, c, 1, bias=part == "proj")
                made.bn(f"{name}_bn", c)
            for n, c_from, c_to in ((1, c, ratio * c), (2, ratio * c, c)):
                made.conv(f"stage{i}.{j}.mlp.{mlp}{n}_conv", c_from, c_to, 1, 1, bias=True)
                made.bn(f"stage{i}.{j}.mlp.{mlp}{n}_bn", c_to)
    made.conv("head", dim, classes, bias=True)
    return made


def meta_spikeformer(dims=(8, 16, 16, 24), c_in=3, classes=5, distilled=False):
    made = Made()
    d1, d2, d3, d4 = dims

    def shrink(name, c_from, c_to, size):
        made.conv(f"downsample{name}.encode_conv", c_from, c_to, size, size, bias=True)
        made.bn(f"downsample{name}.encode_bn", c_to)

    def conv_block(name, c):
        made.conv(f"ConvBlock{name}.0.Conv.pwconv1", c, 2 * c, 1, 1)
        made.bn(f"ConvBlock{name}.0.Conv.bn1", 2 * c)
        made.conv(f"ConvBlock{name}.0.Conv.dwconv", 2 * c, 2 * c, 7, 7, groups=2 * c)
        made.conv(f"ConvBlock{name}.0.Conv.pwconv2", 2 * c, c, 1, 1)
        made.bn(f"ConvBlock{name}.0.Conv.bn2", c)
        for n, c_from, c_to in ((1, c, 4 * c), (2, 4 * c, c)):
            made.conv(f"ConvBlock{name}.0.conv{n}", c_from, c_to, 3, 3)
            made.bn(f"ConvBlock{name}.0.bn{n}", c_to)

    def attention_block(name, c):
        for part in ("q", "k", "v", "proj"):
            at = f"{name}.attn.{part}_conv"
            made.conv(f"{at}.0.body.0", c, c, 1, 1)
            made.bn(f"{at}.0.body.1.bn", c)
            made.conv(f"{at}.0.body.2.0", c, c, 3, 3, groups=c)
            made.conv(f"{at}.0.body.2.1", c, c, 1, 1)
            made.bn(f"{at}.0.body.2.2", c)
            made.bn(f"{at}.1", c)
        for n, c_from, c_to in ((1, c, 4 * c), (2, 4 * c, c)):
            made.conv(f"{name}.mlp.fc{n}_conv", c_from, c_to, 1, bias=True)
            made.bn(f"{name}.mlp.fc{n}_bn", c_to)

    shrink("1_1", c_in, d1 // 2, 7)
    conv_block("1_1", d1 // 2)
    shrink("1_2", d1 // 2, d1, 3)
    conv_block("1_2", d1)
    shrink("2", d1, d2, 3)
    conv_block("2_1", d2)
    conv_block("2_2", d2)
    shrink("3", d2, d3, 3)
    for i in range(6):
        attention_block(f"block3.{i}", d3)
    shrink("4", d3, d4, 3)
    for i in range(2):
        attention_block(f"block4.{i}", d4)
    made.conv("head", d4, classes, bias=True)
    if distilled:
        made.conv("head_kd", d4, classes, bias=True)
    return made


def tet_vgg(channels=(4, 6, 8, 8, 8, 8, 8, 8), size=16, classes=5, strided=False):
    made = Made()
    at = 0
    for i, (c_from, c_to) in enumerate(zip((2, *channels), channels, strict=False)):
        made.conv(f"features.{at}.fwd.module.0", c_from, c_to, 3, 3, bias=True)
        made.bn(f"features.{at}.fwd.module.1", c_to)
        at += 2 if i % 2 and not strided else 1
    made.conv("classifier.module", channels[-1] * (size // 16) ** 2, classes, bias=True)
    return made


def tet_resnet19(classes=5):
    """With its layers that are registered twice, under both names."""
    made = Made()

    def pair(conv, norm, c_from, c_to, size):
        made.conv(conv, c_from, c_to, size, size)
        made.bn(f"{norm}.bn", c_to)

    pair("conv1", "bn1", 3, 64, 3)
    widths = (64, 128, 256, 512)
    for i, blocks in enumerate((3, 3, 2), start=1):
        for j in range(blocks):
            name, c = f"layer{i}.{j}", widths[i]
            pair(f"{name}.conv1", f"{name}.bn1", widths[i - 1] if j == 0 else c, c, 3)
            pair(f"{name}.conv2", f"{name}.bn2", c, c, 3)
            if j == 0:
                pair(f"{name}.downsample.layer.module", f"{name}.downsample.bn", widths[i - 1], c, 1)
    made.conv("fc1", 512, 256, bias=True)
    made.conv("fc2", 256, classes, bias=True)
    for name in list(made):
        head, _, part = name.rpartition(".")
        if head.endswith("bn"):
            made[f"{head.removesuffix('bn')}seqbn.module.{part}"] = made[name]
        elif "downsample" not in name:
            made[f"{head}_s.layer.module.{part}"] = made[name]
    return made


def tmc(state):
    """The same network in TMC's code: each layer is there in two copies with the same numbers, on several GPUs."""
    made = Made()
    for name, value in state.items():
        layer, _, part = name.rpartition(".")
        made[f"module.{layer}.op.{part}"], made[f"module.{layer}.op_.{part}"] = value, value
    return made
