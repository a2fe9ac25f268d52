"""One measurement in a process of its own: `python -m snnlab.bench.worker '{"kind": "neuron", ...}'` prints JSON."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.bench.rivals import makers
from snnlab.kernels import backend, ran
from snnlab.machine.allocator import keep_freed_memory
from snnlab.models import VGGSNN, ResNet19SNN
from snnlab.norms import BN
from snnlab.time_axis import fold_time, unfold_time

NETWORKS = {"vgg_snn": (10, 2, 48), "resnet19_snn": (4, 3, 32)}
"""T, channels, image size."""

MOST_REPEATS, SECONDS = 50, 0.3
"""So often, or for so long, short calls are repeated."""

MOST_WARMUPS, WARMUP_SECONDS = 12, 3
FEW_FAULTS = 500
"""Of 4 KiB each: 2 MB."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def main(case: dict[str, Any]) -> dict[str, Any]:
    """Measures one case."""
    keep_freed_memory()
    if case["device"] == "cpu":
        torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    said: list[str] = []
    with backend("auto", said.append):
        found = (_neuron if case["kind"] == "neuron" else _network)(case)
        return case | found | {"backend": ran(), "warnings": said}


def _neuron(case: dict[str, Any]) -> dict[str, Any]:
    dtype = DTYPES[case["dtype"]]
    x_T = (torch.randn(case["shape"], device=case["device"]) * 0.8).to(dtype)
    if case["layout"] == "channels_last":
        x_T = channels_last(x_T)
    grad_T, target, neuron = torch.randn_like(x_T), torch.empty_like(x_T), _make(case, len(x_T))

    def infer() -> None:
        with torch.no_grad():
            neuron(x_T)

    def train() -> None:
        backward(neuron(x_T))

    def backward(spikes_T: Tensor) -> None:
        x_T.grad = None
        spikes_T.backward(grad_T)  # type: ignore[no-untyped-call]  # untyped in torch

    copy = timed(lambda: target.copy_(x_T), case)
    neuron.eval()
    forward = timed(infer, case)
    neuron.train()
    x_T.requires_grad_()
    both = timed(train, case)
    back = timed(backward, case, lambda: neuron(x_T))
    tensor = x_T.numel() * x_T.element_size()
    return {
        "copy": copy,
        "infer": forward,
        "backward": back,
        "train": both,
        # Of the copy's bandwidth, counting what has to be moved: input and spikes; input and both gradients.
        "forward_of_copy": copy["ms"] / forward["ms"],
        "backward_of_copy": 1.5 * copy["ms"] / back["ms"],
        "minimal_bytes": {"forward": 2 * tensor, "backward": 3 * tensor},
        "kept_bytes_per_neuron_step": _kept(lambda: neuron(x_T), []) / x_T.numel(),
    }


def _make(case: dict[str, Any], steps: int) -> nn.Module:
    name, _, compiled = case["neuron"].partition("+")
    if name in makers():
        neuron = makers()[name]().to(case["device"])
        return torch.compile(neuron) if compiled else neuron  # type: ignore[return-value]  # a module again
    surrogate = _component("surrogate", case, steps)
    return _component("neuron", case, steps, surrogate=surrogate).to(case["device"])


def _component(kind: str, case: dict[str, Any], steps: int, **injected: Any) -> nn.Module:
    from snnlab.build import construct
    from snnlab.config.schema import Component

    context, plugins = {"num_steps": steps, **injected}, tuple(case.get("plugins", ()))
    component: nn.Module = construct(kind, Component(case[kind]), context, plugins)
    return component


def _network(case: dict[str, Any]) -> dict[str, Any]:
    steps, channels, size = NETWORKS[case["network"]]
    maker = makers()[case["neuron"].removesuffix("+compile")]
    device, dtype = case["device"], DTYPES[case["dtype"]]

    def neuron(**_: object) -> nn.Module:
        return maker()

    model: nn.Module = (
        VGGSNN(neuron, BN, channels, 10, size)
        if case["network"] == "vgg_snn"
        else ResNet19SNN(neuron, BN, channels, 10)
    ).to(device)
    if case["layout"] == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    run = torch.compile(model) if case["neuron"].endswith("+compile") else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = (torch.rand(steps, case["batch"], channels, size, size, device=device) < 0.3).float()
    if case["layout"] == "channels_last":
        x = channels_last(x)
    target = torch.randint(0, 10, (case["batch"],), device=device)

    def logits() -> Tensor:
        with torch.autocast(device, dtype=dtype, enabled=dtype != torch.float32):
            out: Tensor = run(x).float().mean(0)
        return out

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(logits(), target).backward()  # type: ignore[no-untyped-call]  # untyped in torch
        optimizer.step()

    def infer() -> None:
        with torch.no_grad():
            logits()

    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    step = timed(train, case)
    peak = _peak(device)
    optimizer.zero_grad(set_to_none=True)
    kept = _kept(logits, [*model.parameters(), *model.buffers()])
    model.eval()
    inference = timed(infer, case)
    return {
        "train": step,
        "infer": inference,
        "samples_per_second": case["batch"] / step["ms"] * 1e3,
        "inferred_per_second": case["batch"] / inference["ms"] * 1e3,
        "peak_mb": peak,
        "kept_mb": kept / 1e6,
    }


def timed(
    work: Callable[..., object], case: dict[str, Any], prepare: Callable[[], Tensor] | None = None
) -> dict[str, float]:
    """The median of several times in ms, the least, half the distance of their quartiles in percent, and CPU time.

    The first calls compile and let the heap grow, whose pages are faulted in: it takes up to ten calls until blocks of
    all sizes have their places. So calls count when two in a row were without such faults, or after some seconds.
    There are at least case["repeats"] of them, and more of short ones. `prepare` makes the argument of `work`, and
    is not counted.
    """

    def once() -> tuple[float, float, int]:
        given = () if prepare is None else (prepare(),)
        _wait(case["device"])
        faults, wall, cpu = _faults(), time.perf_counter(), time.process_time()
        work(*given)
        _wait(case["device"])
        return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, _faults() - faults

    calm, begin = 0, time.perf_counter()
    for number in range(MOST_WARMUPS):
        calm = calm + 1 if once()[2] < FEW_FAULTS else 0
        if calm == 2 or (number and time.perf_counter() - begin > WARMUP_SECONDS):
            break
    times: list[tuple[float, float, int]] = []
    begin = time.perf_counter()
    while len(times) < case["repeats"] or (
        len(times) < MOST_REPEATS and time.perf_counter() - begin < SECONDS
    ):
        times.append(once())
    walls, cpus, _ = zip(*times, strict=True)
    quarter, middle, three = np.percentile(walls, (25, 50, 75)).tolist()
    return {
        "ms": middle,
        "least_ms": min(walls),
        "spread_percent": 50 * (three - quarter) / middle,
        "cpu_ms": statistics.median(cpus),
        "repeats": len(walls),
    }


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def channels_last(x_TBCHW: Tensor) -> Tensor:
    x_N = fold_time(x_TBCHW).contiguous(memory_format=torch.channels_last)
    return unfold_time(x_N, len(x_TBCHW))


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def _kept(work: Callable[[], object], without: list[Tensor]) -> int:
    """Bytes that autograd keeps for the backward pass, each storage once."""
    seen = {tensor.untyped_storage().data_ptr() for tensor in without}
    total = 0

    def pack(tensor: Tensor) -> Tensor:
        nonlocal total
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            total += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = work()
    del kept
    return total


def _peak(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(json.loads(sys.argv[1]))) + "\n")
