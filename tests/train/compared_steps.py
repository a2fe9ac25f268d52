"""Learners with and without graphs, and all that their steps give or change, to be compared bit for bit."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.data.inputs import Batch
from snnlab.regularisers.pnb import PNB
from snnlab.schedulers.cosine import Cosine
from snnlab.train.learner import Learner
from tests.train.again import Again
from tests.train.small_net import SmallNet, made
from tests.train.toy import ToyData, pipeline


class StillToy(ToyData):
    """The first frame of each recording, shown at every step."""

    static = True

    def decode(self, raw: torch.Tensor) -> torch.Tensor:
        return raw[:, :1].float()


class Growing(nn.Module):
    """A network one parameter of which is used by small batches only."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.own = SmallNet("lif"), nn.Parameter(torch.ones(()))

    def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
        logits_TBK: torch.Tensor = self.net(x_TBCHW)
        return logits_TBK if x_TBCHW.shape[1] > 6 else logits_TBK * self.own


def learner(
    capture: Again | None,
    net: Callable[[], nn.Module] = lambda: SmallNet("dsatgo"),
    data: ToyData | None = None,
    loss: str = "tmc",
    optimizer: str = "sgd",
    regularised: bool = False,
    **settings: Any,
) -> Learner:
    torch.manual_seed(0)
    model = net()
    made_optimizer = made("optimizer", optimizer, model=model)
    return Learner(
        model,
        made("loss", loss),
        made_optimizer,
        Cosine(made_optimizer, 3, 2, per="step"),
        pipeline(data=data),
        TrainerConfig(**settings),
        regularisers={"pnb": PNB()} if regularised else None,
        capture=capture,
    )


def batch(start: int, stop: int, data: ToyData | None = None) -> Batch:
    return (data or ToyData()).train_set().batch(range(start, stop))


EPOCH = [[batch(0, 8)], [batch(8, 16)], [batch(16, 22)], [batch(0, 8)], [batch(8, 14)]]


def trace(one: Learner, steps: list[list[Batch]]) -> list[Any]:
    """Everything that a step gives or changes, after each step."""
    torch.manual_seed(1)
    seen: list[Any] = []
    for number, batches in enumerate(steps):
        result = one.step(batches, 0, number)
        state = copy.deepcopy(one.state_dict())
        seen.append((result.terms, result.correct, result.count, state, torch.get_rng_state()))
    return seen


def same(one: Any, other: Any, path: str = "") -> None:
    assert type(one) is type(other), path
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, path
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert list(one) == list(other), path
        for key in one:
            same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), path
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{path}.{place}")
    else:
        assert one == other, path
