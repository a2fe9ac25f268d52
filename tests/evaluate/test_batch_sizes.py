"""Held-out numbers depend on the samples and not on the batches in which they are computed."""

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from snnlab.data.loader import loader
from snnlab.evaluate.one_pass import Evaluation, evaluate
from snnlab.losses import TMC
from snnlab.losses.base import Loss
from snnlab.losses.base_pass import PassLoss
from snnlab.registry import component_files, load
from tests.train.toy import ToyData, ToyNet, pipeline

T, N, K = 4, 90, 5


def every_loss() -> Iterator[Any]:
    """Each loss of the registry at its defaults, and with every value of its choices."""
    for name in component_files("loss"):
        cls = load("loss", name)
        yield pytest.param(cls, {}, id=name)
        for key, kind in typing.get_type_hints(cls.__init__).items():
            for part in (kind, *typing.get_args(kind)):
                if typing.get_origin(part) is typing.Literal:
                    for value in typing.get_args(part):
                        yield pytest.param(cls, {key: value}, id=f"{name}-{key}-{value}")


LOSSES = list(every_loss())


def samples(scale: float = 3.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits_TNK = scale * torch.randn(T, N, K, generator=generator)
    return logits_TNK, torch.randint(K, (N,), generator=generator)


def of_pass(loss: Loss, logits_TNK: torch.Tensor, target_N: torch.Tensor, size: int) -> float:
    found = PassLoss(loss)
    for start in range(0, len(target_N), size):
        found.update(logits_TNK[:, start : start + size], target_N[start : start + size])
    return found.compute()


@pytest.mark.parametrize("scale", [0.0, 3.0, 2000.0])
@pytest.mark.parametrize(("cls", "options"), LOSSES)
def test_the_loss_of_a_pass_is_that_of_one_big_batch(
    cls: type[Loss], options: dict[str, Any], scale: float
) -> None:
    loss, (logits_TNK, target_N) = cls(**options), samples(scale)
    whole = float(loss.held_out(logits_TNK.double(), target_N))
    for size in (1, 7, 64, N):
        assert of_pass(loss, logits_TNK, target_N, size) == pytest.approx(whole, rel=1e-12), size


def test_the_mean_of_batch_losses_would_not_do() -> None:
    """So the test above can fail: TMC's default has statistics of the batch."""
    loss, (logits_TNK, target_N) = TMC(), samples()
    means = [float(loss.held_out(logits_TNK[:, n : n + 1], target_N[n : n + 1])) for n in range(N)]
    assert sum(means) / N != pytest.approx(float(loss.held_out(logits_TNK, target_N)), rel=1e-3)


@pytest.mark.parametrize(("cls", "options"), LOSSES)
def test_all_metrics_of_an_evaluation_are_those_of_any_batch_size(
    cls: type[Loss], options: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    model, loss, data = ToyNet(), cls(**options), ToyData().test_set()

    def measured(size: int) -> Evaluation:
        batches = loader(data, size, shuffle=False, seed=0, epoch=0)
        return evaluate(model, loss, batches, pipeline(), 4, "fp32")

    first, *others = (measured(size) for size in (1, 7, 64))
    for other in others:
        assert other.metrics == pytest.approx(first.metrics, rel=1e-6)
        assert (other.samples, other.confusion) == (first.samples, first.confusion)


@pytest.mark.parametrize(("cls", "options"), LOSSES)
def test_the_loss_of_two_processes_is_that_of_one(cls: type[Loss], options: dict[str, Any]) -> None:
    loss, (logits_TNK, target_N) = cls(**options), samples()
    shares = [PassLoss(loss) for _ in range(2)]
    for share, part in zip(shares, (slice(0, 13), slice(13, N)), strict=True):
        share.update(logits_TNK[:, part], target_N[part])
    whole = of_pass(loss, logits_TNK, target_N, N)
    assert shares[0].compute([one.parts() for one in shares]) == pytest.approx(whole, rel=1e-12)


def test_a_process_without_a_batch_adds_nothing() -> None:
    loss, (logits_TNK, target_N) = TMC(), samples()
    full, empty = PassLoss(loss), PassLoss(loss)
    full.update(logits_TNK, target_N)
    assert full.compute([full.parts(), empty.parts()]) == full.compute()


@pytest.mark.parametrize("name", component_files("norm"))
def test_a_normalisation_in_evaluation_knows_no_batch(name: str) -> None:
    given = {"num_features": 3, "num_steps": T, "threshold": 1.0}
    cls = load("norm", name)
    norm = cls(**{key: given[key] for key in inspect.signature(cls).parameters if key in given})
    x_TBC = torch.randn(T, 6, 3, 2, 2)
    norm.train()
    norm(x_TBC)
    norm.eval()
    each = torch.cat([norm(x_TBC[:, n : n + 1]) for n in range(6)], 1)
    torch.testing.assert_close(norm(x_TBC), each)
