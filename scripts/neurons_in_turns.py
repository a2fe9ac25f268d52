"""Times neurons, forward and backward, in one process and taking turns: their ratios do not hang on where pages lie.

python scripts/neurons_in_turns.py      # half a minute; nothing else should run beside it
"""

import statistics
import time

from snnlab.machine.allocator import keep_freed_memory

keep_freed_memory()  # before torch allocates

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from snnlab.bench.rivals import lif  # noqa: E402
from snnlab.markdown import markdown_table  # noqa: E402
from snnlab.neurons import CF, DSATGO, LIF  # noqa: E402

T, B, C, H, W = 10, 32, 128, 24, 24
ROUNDS, GROWING = 26, 8  # rounds, of which the first do not count: the heap still grows


def channels_last() -> Tensor:
    return torch.randn(T, B, H, W, C).permute(0, 1, 4, 2, 3)


def milliseconds(neuron: nn.Module, x_T: Tensor, grad_T: Tensor) -> float:
    begin = time.perf_counter()
    neuron(x_T).backward(grad_T)
    x_T.grad = None
    return 1000 * (time.perf_counter() - begin)


def main() -> None:
    """Prints Markdown: milliseconds (median, least), and the medians' ratio to ReLU and to LIF."""
    plain = (torch.randn(T, B, C, H, W).requires_grad_(), torch.randn(T, B, C, H, W))
    last = (channels_last().requires_grad_(), channels_last())
    relu, arctan = nn.ReLU(), lif()
    turns = {
        "ReLU": (relu, plain),
        "LIF, arctangent": (arctan, plain),
        "LIF, triangle": (LIF(), plain),
        "CF": (CF(), plain),
        "DS-ATGO": (DSATGO(num_steps=T), plain),
        "ReLU, channels last": (relu, last),
        "LIF, channels last": (arctan, last),
    }
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(ROUNDS):
            for name, (neuron, tensors) in turns.items():
                found[name].append(milliseconds(neuron, *tensors))
        medians = {name: statistics.median(times[GROWING:]) for name, times in found.items()}
        head = [f"{threads} thread{'s' * (threads > 1)}", "ms", "least", "of ReLU", "of LIF"]
        body = [
            [name, f"{ms:.1f}", f"{min(found[name][GROWING:]):.1f}"]
            + [f"{ms / medians[one]:.2f}" for one in ("ReLU", "LIF, arctangent")]
            for name, ms in medians.items()
        ]
        print("", *markdown_table(head, body, words=(0,)), sep="\n")


if __name__ == "__main__":
    main()
