"""The released networks computed a second time, from tensors by their released names, with plain functions.

Nothing of the package is used: a loop over time steps for neurons, einsum for 1x1 convolutions and attention.
"""

import torch
from torch.nn import functional as F


class Reference:
    """The functions that a network is written with; `state` maps released names to float64 tensors.

    Args:
        state: the tensors.
        tau: time constant of all neurons, which scale their input by 1 / tau.
        measure: whether a normalisation first stores the mean and variance of its input, so that neurons fire.
    """

    def __init__(self, state, tau=2.0, measure=False):
        self.state, self.tau, self.measure = state, tau, measure

    def fire(self, x, threshold=1.0):
        v, spikes = torch.zeros_like(x[0]), []
        for now in x:
            v = v + (now - v) / self.tau
            spikes.append((v >= threshold).to(x))
            v = torch.where(v >= threshold, 0.0, v)
        return torch.stack(spikes)

    def bn(self, name, x):
        if self.measure:
            var, mean = torch.var_mean(x, [axis for axis in range(x.dim()) if axis != 2])
            self.state[f"{name}.running_mean"].copy_(mean)
            self.state[f"{name}.running_var"].copy_(var)
        weight, bias, mean, var = (
            self.state[f"{name}.{part}"].view(1, 1, -1, *[1] * (x.dim() - 3))
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (var + 1e-5) ** 0.5 * weight + bias

    def conv(self, name, x, **options):
        y = F.conv2d(x.flatten(0, 1), self.state[f"{name}.weight"], self.state.get(f"{name}.bias"), **options)
        return y.unflatten(0, x.shape[:2])

    def mix(self, name, x):
        """A 1x1 convolution or a linear layer over the channels of [T, B, C, ...]."""
        weight = self.state[f"{name}.weight"]
        y = torch.einsum("oc,tbc...->tbo...", weight.flatten(1), x)
        bias = self.state.get(f"{name}.bias")
        return y if bias is None else y + bias.view(1, 1, -1, *[1] * (x.dim() - 3))

    def pool(self, x):
        return F.max_pool2d(x.flatten(0, 1), 3, 2, 1).unflatten(0, x.shape[:2])

    def attend(self, q, k, v, heads, scale=0.125):
        q, k, v = (x.flatten(3).reshape(*x.shape[:2], heads, x.shape[2] // heads, -1) for x in (q, k, v))
        scores = torch.einsum("tbhdn,tbhdm->tbhnm", q, k)
        return torch.einsum("tbhnm,tbhdm->tbhdn", scores, v).flatten(2, 3) * scale

    def head(self, x, name="head"):
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]


class Spikformer(Reference):
    def __call__(self, x, depth, heads, pools, kind, scale=0.125):
        first = "block{}_{}" if "patch_embed.block1_conv.weight" in self.state else "proj_{1}{0}"

        def layer(name, x):
            return self.fire(self.bn(f"{name}_bn", self.mix(f"{name}_{kind}", x)))

        for i in range(4):
            n = i + 1 if first.startswith("block") else i or ""
            x = self.conv(f"patch_embed.{first.format(n, 'conv')}", x, padding=1)
            x = self.fire(self.bn(f"patch_embed.{first.format(n, 'bn')}", x))
            x = self.pool(x) if i + 1 in pools else x
        x = x + self.fire(self.bn("patch_embed.rpe_bn", self.conv("patch_embed.rpe_conv", x, padding=1)))
        x = x.flatten(3)
        for i in range(depth):
            q, k, v = (layer(f"block.{i}.attn.{one}", x) for one in "qkv")
            x = x + layer(f"block.{i}.attn.proj", self.fire(self.attend(q, k, v, heads, scale), 0.5))
            x = x + layer(f"block.{i}.mlp.fc2", layer(f"block.{i}.mlp.fc1", x))
        return self.head(x.mean(3))


class Spikingformer(Reference):
    def __call__(self, x, depth, heads, pools):
        stages = [f"block{i}" for i in range(5)]
        if "patch_embed.proj_conv.weight" in self.state:
            stages = [f"proj{i or ''}" for i in range(5)]

        def layer(name, x):
            return self.bn(f"{name}_bn", self.mix(f"{name}_conv", x))

        for i in range(5):
            x = self.fire(x) if i else x
            x = self.pool(x) if i in pools else x
            x = self.conv(f"patch_embed.{stages[i]}_conv", x, padding=1)
            x = self.bn(f"patch_embed.{stages[i]}_bn", x)
        x = x.flatten(3)
        for i in range(depth):
            s = self.fire(x)
            q, k, v = (self.fire(layer(f"block.{i}.attn.{one}", s)) for one in "qkv")
            x = x + layer(f"block.{i}.attn.proj", self.fire(self.attend(q, k, v, heads), 0.5))
            hidden = layer(f"block.{i}.mlp.mlp1", self.fire(x))
            x = x + layer(f"block.{i}.mlp.mlp2", self.fire(hidden))
        return self.head(x.mean(3))


class QKFormer(Reference):
    def __call__(self, x, depths, heads, stem):
        mlp, late = ("fc", "attn") if stem == "imagenet" else ("mlp", "ssa")

        def step(name, x, pooled=False, stride=1, padding=1):
            x = self.bn(f"{name}_bn", self.conv(f"{name}_conv", x, padding=padding, stride=stride))
            return self.fire(self.pool(x) if pooled else x)

        def layer(name, x):
            return self.fire(self.bn(f"{name}_bn", self.mix(f"{name}_conv", x)))

        for i, depth in enumerate(depths, start=1):
            at = f"patch_embed{i}.proj"
            if i == 1 and stem == "cifar":
                a = step(at, x)
                main, stride = step(f"{at}1", a), 1
            elif i == 1 and stem == "imagenet":
                a = step(at, x, True)
                main, stride = step(f"{at}2", step(f"{at}1", a, True)), 2
            elif i == 1:
                a = step(f"{at}1", step(at, x), True)
                main, stride = step(f"{at}3", step(f"{at}2", a, True), True), 4
            else:
                first = at if stem == "dvs" else f"{at}3"
                a, stride = x, 2
                main = step(f"{at}4", step(first, a, stem == "imagenet"), stem != "imagenet")
            x = main + step(f"{at}_res", a, stride=stride, padding=0)
            for j in range(depth):
                block = f"stage{i}.{j}"
                t, b, c, h, w = x.shape
                x = x.flatten(3)
                if i < len(depths):
                    q, k = (layer(f"{block}.tssa.{one}", x) for one in "qk")
                    per_head = q.reshape(t, b, heads, c // heads, h * w).sum(3, keepdim=True)
                    y = (self.fire(per_head, 0.5) * k.reshape(t, b, heads, c // heads, h * w)).flatten(2, 3)
                    x = x + layer(f"{block}.tssa.proj", y)
                else:
                    q, k, v = (layer(f"{block}.{late}.{one}", x) for one in "qkv")
                    x = x + layer(f"{block}.{late}.proj", self.fire(self.attend(q, k, v, heads), 0.5))
                x = x + layer(f"{block}.mlp.{mlp}2", layer(f"{block}.mlp.{mlp}1", x))
                x = x.reshape(t, b, c, h, w)
        return self.head(x.mean((3, 4)))


class MetaSpikeFormer(Reference):
    def __call__(self, x, heads, last_neuron):
        def shrink(name, x, stride):
            size = self.state[f"{name}.encode_conv.weight"].shape[-1]
            return self.bn(
                f"{name}.encode_bn", self.conv(f"{name}.encode_conv", x, stride=stride, padding=size // 2)
            )

        def conv_block(name, x):
            y = self.fire(self.bn(f"{name}.Conv.bn1", self.mix(f"{name}.Conv.pwconv1", self.fire(x))))
            y = self.conv(f"{name}.Conv.dwconv", y, padding=3, groups=y.shape[2])
            x = x + self.bn(f"{name}.Conv.bn2", self.mix(f"{name}.Conv.pwconv2", y))
            y = self.fire(self.bn(f"{name}.bn1", self.conv(f"{name}.conv1", self.fire(x), padding=1)))
            return x + self.bn(f"{name}.bn2", self.conv(f"{name}.conv2", y, padding=1))

        def rep(name, x):
            """As one 3x3 convolution of the zero-padded input, which is what the padding is made for."""
            s, body = self.state, f"{name}.0.body"
            self.bn(f"{body}.1.bn", self.mix(f"{body}.0", x))  # only to measure
            factor = s[f"{body}.1.bn.weight"] / (s[f"{body}.1.bn.running_var"] + 1e-5) ** 0.5
            shift = s[f"{body}.1.bn.bias"] - factor * s[f"{body}.1.bn.running_mean"]
            enter, leave = s[f"{body}.0.weight"].flatten(1), s[f"{body}.2.1.weight"].flatten(1)
            deep = s[f"{body}.2.0.weight"].squeeze(1)
            kernel = torch.einsum("oc,cyx,c,ci->oiyx", leave, deep, factor, enter)
            constant = torch.einsum("oc,cyx,c->o", leave, deep, shift)
            y = F.conv2d(x.flatten(0, 1), kernel, constant, padding=1).unflatten(0, x.shape[:2])
            return self.bn(f"{name}.1", self.bn(f"{body}.2.2", y))

        def attention_block(name, x):
            s = self.fire(x)
            q, k, v = (self.fire(rep(f"{name}.attn.{one}_conv", s)) for one in "qkv")
            y = self.fire(self.attend(q, k, v, heads), 0.5).reshape(x.shape)
            x = x + rep(f"{name}.attn.proj_conv", y)
            y = self.bn(f"{name}.mlp.fc1_bn", self.mix(f"{name}.mlp.fc1_conv", self.fire(x)))
            return x + self.bn(f"{name}.mlp.fc2_bn", self.mix(f"{name}.mlp.fc2_conv", self.fire(y)))

        x = conv_block("ConvBlock1_1.0", shrink("downsample1_1", x, 2))
        x = conv_block("ConvBlock1_2.0", shrink("downsample1_2", self.fire(x), 2))
        x = shrink("downsample2", self.fire(x), 2)
        x = conv_block("ConvBlock2_2.0", conv_block("ConvBlock2_1.0", x))
        x = shrink("downsample3", self.fire(x), 2)
        for i in range(6):
            x = attention_block(f"block3.{i}", x)
        x = shrink("downsample4", self.fire(x), 1)
        for i in range(2):
            x = attention_block(f"block4.{i}", x)
        mean = x.mean((3, 4))
        logits = self.head(self.fire(mean) if last_neuron else mean)
        if "head_kd.weight" not in self.state:
            return logits
        return (logits + self.head(self.fire(mean), "head_kd")) / 2


class TETVGG(Reference):
    def fire(self, x, threshold=1.0):
        v, spikes = torch.zeros_like(x[0]), []
        for now in x:
            v = v * 0.5 + now
            spikes.append((v > threshold).to(x))
            v = v * (1 - spikes[-1])
        return torch.stack(spikes)

    def __call__(self, x, strided=False):
        at = 0
        for i in range(8):
            name = f"features.{at}.fwd.module"
            x = self.conv(f"{name}.0", x, padding=1, stride=2 if strided and i % 2 else 1)
            x = self.fire(self.bn(f"{name}.1", x))
            at += 1
            if i % 2 and not strided:
                x = F.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])
                at += 1
        return self.head(x.flatten(2), "classifier.module")


class TETResNet19(TETVGG):
    def __call__(self, x):
        x = self.fire(self.bn("bn1.bn", self.conv("conv1", x, padding=1)))
        for i, blocks in enumerate((3, 3, 2), start=1):
            for j in range(blocks):
                name, stride = f"layer{i}.{j}", 2 if i > 1 and j == 0 else 1
                y = self.bn(f"{name}.bn1.bn", self.conv(f"{name}.conv1", x, padding=1, stride=stride))
                y = self.bn(f"{name}.bn2.bn", self.conv(f"{name}.conv2", self.fire(y), padding=1))
                if j == 0:
                    x = self.conv(f"{name}.downsample.layer.module", x, stride=stride)
                    x = self.bn(f"{name}.downsample.bn.bn", x)
                x = self.fire(y + x)
        return self.head(self.fire(self.head(x.mean((3, 4)), "fc1")), "fc2")
