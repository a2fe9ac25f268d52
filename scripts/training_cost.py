"""What a training step costs: time per batch and peak memory of each loss, side by side (Table 9 of the TWD paper).

    python scripts/training_cost.py loss=skd,twd steps=20 +experiment=twd_cifar100 distill.teacher=DIR

Everything but `loss` and `steps` is an override as `snnlab train` takes it. The losses take turns step by step, so
that what else the machine does meets all alike. Times are medians, of the process on the CPU, of the clock on a GPU;
memory is what a step holds at most beyond what lies there before it (network, optimiser, teacher).
"""

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from snnlab import build
from snnlab.errors import SnnlabError
from snnlab.machine.device import set_up
from snnlab.runs.files import RunFiles
from snnlab.runs.load import load
from snnlab.train.session import Session


def session_of(overrides: list[str]) -> Session:
    """A run in memory, without a run directory."""
    cfg = load(overrides)
    dataset = build.build_dataset(cfg)
    dataset.prepare()
    return Session(cfg, RunFiles(Path(tempfile.gettempdir()) / "unused"), dataset, set_up(cfg.trainer))


def step(session: Session, number: int) -> float:
    """Does a training step; returns its seconds."""
    batches, count = next(iter(session.samples.groups(session.position)))
    device = session.pipeline.device
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = clock()
    session.learner.step(batches, 0, number, count)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - start


def peak_memory(session: Session) -> int:
    """The most bytes that a step holds beyond what lies there before it."""
    device = session.pipeline.device
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        step(session, 0)
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step(session, 0)
    events = profiled.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return max(itertools.accumulate((change for _, change in changes), initial=0))


def main(arguments: list[str]) -> int:
    """Prints a row for each loss."""
    own = {
        key: value
        for key, _, value in (text.partition("=") for text in arguments)
        if key in ("loss", "steps")
    }
    overrides = [text for text in arguments if text.partition("=")[0] not in own]
    losses, steps = own.get("loss", "skd,twd").split(","), int(own.get("steps", 20))
    try:
        sessions = {loss: session_of([*overrides, f"loss={loss}"]) for loss in losses}
    except SnnlabError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    for session in sessions.values():
        step(session, 0)
    seconds = {loss: [] for loss in losses}
    for number in range(steps):
        for loss, session in sessions.items():
            seconds[loss].append(step(session, number))
    first = statistics.median(seconds[losses[0]])
    print("loss    seconds/batch    ratio    peak MB")
    for loss, session in sessions.items():
        median = statistics.median(seconds[loss])
        print(f"{loss:7} {median:13.4f} {median / first:8.3f} {peak_memory(session) / 1e6:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
