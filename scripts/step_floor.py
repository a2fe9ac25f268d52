"""What bounds a training step on the CPU: a network with several neurons, taking turns, and without any.

`convolutions` has neither neurons nor norms: convolutions, pools, the classifier and the optimiser's step. No neuron
can make a step shorter than that, so a step / convolutions is the most that another neuron can win over it.

python scripts/step_floor.py resnet19_snn channels_last    # two minutes; nothing else should run beside it
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from snnlab.machine.allocator import keep_freed_memory

keep_freed_memory()  # before torch allocates

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from snnlab.bench.rivals import SpikingJelly, lif  # noqa: E402
from snnlab.bench.worker import NETWORKS, channels_last  # noqa: E402
from snnlab.markdown import markdown_table  # noqa: E402
from snnlab.models import VGGSNN, ResNet19SNN  # noqa: E402
from snnlab.norms import BN  # noqa: E402

GROWING = 6  # rounds that do not count: code is compiled, and the heap grows


def network(name: str, neuron: Callable[[], nn.Module], norm: Callable[[int], nn.Module]) -> nn.Module:
    _, channels, size = NETWORKS[name]

    def made(**_: object) -> nn.Module:
        return neuron()

    if name == "vgg_snn":
        return VGGSNN(made, norm, channels, 10, size)
    return ResNet19SNN(made, norm, channels, 10)


def nothing(channels: int) -> nn.Module:
    return nn.Identity()


def contenders(name: str) -> dict[str, nn.Module]:
    return {
        "convolutions": network(name, nn.Identity, nothing),
        "convolutions and norms": network(name, nn.Identity, BN),
        "ReLU": network(name, nn.ReLU, BN),
        "snnlab": network(name, lif, BN),
        "snnlab, torch.compile": network(name, lif, BN),
        "spikingjelly, torch.compile": network(name, SpikingJelly, BN),
    }


class Step:
    """Forward, backward and the optimiser's step of one network on one batch."""

    def __init__(self, model: nn.Module, x_TBCHW: Tensor, target_B: Tensor, *, compiled: bool) -> None:
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        self.run = torch.compile(model) if compiled else model
        self.x_TBCHW, self.target_B = x_TBCHW, target_B

    def milliseconds(self) -> float:
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        logits_BK = self.run(self.x_TBCHW).mean(0)
        nn.functional.cross_entropy(logits_BK, self.target_B).backward()  # type: ignore[no-untyped-call]  # untyped in torch
        self.optimizer.step()
        return 1000 * (time.perf_counter() - begin)


def main() -> None:
    """Prints Markdown: milliseconds (median, least) of each step, and how much longer it is than the convolutions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("layout", choices=("contiguous", "channels_last"))
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    torch.manual_seed(0)
    steps, channels, size = NETWORKS[given.network]
    x_TBCHW = (torch.rand(steps, given.batch, channels, size, size) < 0.3).float()
    target_B = torch.randint(0, 10, (given.batch,))
    last = given.layout == "channels_last"
    if last:
        x_TBCHW = channels_last(x_TBCHW)
    turns = {}
    for name, model in contenders(given.network).items():
        model = model.to(memory_format=torch.channels_last) if last else model
        turns[name] = Step(model, x_TBCHW, target_B, compiled="compile" in name)
    found: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(GROWING + given.rounds):
        for name, step in turns.items():
            found[name].append(step.milliseconds())
        print(f"round {number + 1} of {GROWING + given.rounds}", file=sys.stderr)
    medians = {name: statistics.median(times[GROWING:]) for name, times in found.items()}
    body = [
        [name, f"{ms:.0f}", f"{min(found[name][GROWING:]):.0f}", f"{ms / medians['convolutions']:.2f}"]
        for name, ms in medians.items()
    ]
    head = [f"{given.network}, {given.layout}, batch {given.batch}", "ms", "least", "of convolutions"]
    print(*markdown_table(head, body, words=(0,)), sep="\n")


if __name__ == "__main__":
    main()
