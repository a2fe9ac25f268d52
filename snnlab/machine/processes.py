"""The processes that torchrun starts for one run: their ranks and their communication."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from snnlab.config.schema import RunConfig

T = TypeVar("T")
# One process may integrate recordings for long while the others wait. Where one fails, torchrun ends all.
PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Processes:
    """The processes of a run; alone by default, where nothing is sent.

    All of them have to make the same calls in the same order.

    Attributes:
        rank: number of this one, from 0. Number 0 leads: it alone writes, logs and draws.
        count: how many there are.
        local_rank: number of this one on its machine, and of its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """True in all if it is true in one."""
        if self.count == 1:
            return flag
        # On the CPU, where no GPU is waited for.
        agreed = torch.tensor(int(flag))
        distributed.all_reduce(agreed, distributed.ReduceOp.MAX)
        return bool(agreed)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all, on the device of `values`."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def gather(self, value: T) -> list[T]:
        """Each one's value, which can be pickled and lies on the CPU, in the order of the ranks."""
        if self.count == 1:
            return [value]
        values: list[T | None] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values  # type: ignore[return-value]  # all are filled

    def leader_first(self, work: Callable[[], None]) -> None:
        """Does the work in the leader, then in the others, which find it done."""
        if self.leads:
            work()
        self.any(False)
        if not self.leads:
            work()

    def share_buffers(self, model: nn.Module) -> None:
        """Gives the leader's buffers (running statistics) to all."""
        if self.count > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, 0)

    def block(self, count: int) -> tuple[int, int]:
        """This one's part [first, last) of so many things, in the order of the ranks."""
        return self.rank * count // self.count, (self.rank + 1) * count // self.count


ALONE = Processes()
# What gloo and NCCL say when a process of the run is gone.
_LOST = (
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "remote process exited",
    "gloo",
)


def lost_another(error: BaseException, processes: Processes) -> bool:
    """Whether an error says that another process of the run is gone."""
    if processes.count == 1:
        return False
    if isinstance(error, distributed.DistError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _LOST)


@contextmanager
def joined() -> Iterator[Processes]:
    """Joins the processes that torchrun started; without torchrun, this one is alone."""
    if not distributed.is_torchelastic_launched() or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    rank, count, local_rank = (int(os.environ[key]) for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Processes(rank, count, local_rank)
    finally:
        distributed.destroy_process_group()


def silent(cfg: RunConfig) -> RunConfig:
    """The settings of a process other than the leader: without plots, dashboards, profile and progress."""
    trainer = replace(cfg.trainer, plots=False, profile=False, progress="none")
    return replace(
        cfg, trainer=trainer, logger=replace(cfg.logger, wandb="off", tensorboard=False, csv=False)
    )
