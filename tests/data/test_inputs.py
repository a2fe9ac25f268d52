"""From stored batches to the network's input."""

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.augments import Cutout, Mixup, RandomErasing
from tests.train.toy import ToyData, pipeline


class Noise(nn.Module):
    def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x + torch.rand(x.shape, generator=generator)


class StaticData(ToyData):
    static, in_channels, mean, std = True, 2, (0.5, 0.25), (2.0, 4.0)

    def decode(self, raw: Tensor) -> Tensor:
        return raw[:, :1].float() / 255


def raw() -> Tensor:
    return ToyData().train_set().batch(range(5))[0]


def test_events_come_out_time_first() -> None:
    assert torch.equal(pipeline().test(raw()), raw().float().transpose(0, 1))


def test_a_static_image_is_normalised_and_shown_at_every_step_without_a_copy() -> None:
    x_TBCHW = pipeline(7, data=StaticData()).test(raw())
    assert x_TBCHW.shape == (7, 5, 2, 4, 4)
    assert x_TBCHW.stride(0) == 0
    image = raw()[:, 0].float() / 255
    expected = torch.stack([(image[:, 0] - 0.5) / 2, (image[:, 1] - 0.25) / 4], 1)
    assert torch.allclose(x_TBCHW[3], expected)


def test_augmentation_depends_on_seed_epoch_and_batch_only() -> None:
    first = pipeline(augments=[Noise()])
    a = first.train(raw(), epoch=2, batch=3)
    first.train(raw(), epoch=2, batch=4)
    torch.rand(100)
    assert torch.equal(a, first.train(raw(), epoch=2, batch=3))
    assert torch.equal(a, pipeline(augments=[Noise()]).train(raw(), epoch=2, batch=3))
    assert not torch.equal(a, first.train(raw(), epoch=3, batch=2))
    assert not torch.equal(a, first.train(raw(), epoch=2, batch=4))
    assert not torch.equal(a, pipeline(augments=[Noise()], seed=1).train(raw(), epoch=2, batch=3))
    # torch's generator on the CPU drops all but the lower 32 bits of a seed.
    assert not torch.equal(a, first.train(raw(), epoch=2 + 256, batch=3))


def test_evaluation_does_not_augment() -> None:
    assert torch.equal(pipeline(augments=[Noise()]).test(raw()), raw().float().transpose(0, 1))


def test_erasing_comes_after_normalisation_and_cutout_where_it_is_told() -> None:
    data = StaticData()
    black = torch.tensor([-0.25, -0.0625])  # 0, normalised
    for op, hole in (
        (Cutout(size=40), black),
        (Cutout(size=40, normalized=True), torch.zeros(2)),
        (RandomErasing(p=1.0, min_area=0.5, max_area=0.5), torch.zeros(2)),
    ):
        plain = pipeline(1, data=data).test(raw())
        x_TBCHW = pipeline(1, augments=[op], data=data).train(raw(), epoch=0, batch=0)
        changed = (x_TBCHW != plain).any(2, keepdim=True)
        assert changed.any()
        assert torch.equal(x_TBCHW, plain.where(~changed, hole.view(1, 1, 2, 1, 1).expand_as(plain)))


def test_operations_after_normalisation_follow_those_before_it() -> None:
    class Doubled(nn.Module):
        def forward(self, x: Tensor, generator: torch.Generator) -> Tensor:
            return x * 2

    erased = pipeline(augments=[Cutout(size=40, normalized=True), Doubled()], data=StaticData())
    assert erased.train(raw(), epoch=0, batch=0).eq(0).all()


def test_batches_are_mixed_by_seed_epoch_and_batch_only() -> None:
    target = torch.tensor([0, 1, 2, 3, 0])
    first = pipeline(augments=[Mixup()])
    x_TBCHW = first.train(raw(), epoch=1, batch=2)
    assert torch.equal(x_TBCHW, first.test(raw()))

    def mixed(epoch: int = 1, batch: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
        np.random.rand()  # noqa: NPY002 # timm's generator has no say
        return pipeline(augments=[Mixup()], seed=seed).mixed(x_TBCHW, target, epoch, batch)

    (x, target_BK), (again, again_BK) = mixed(), mixed()
    assert torch.equal(x, again)
    assert torch.equal(target_BK, again_BK)
    assert target_BK.shape == (5, 4)
    assert not torch.equal(x, x_TBCHW)
    for others in (mixed(epoch=2), mixed(batch=3), mixed(seed=1)):
        assert not torch.equal(others[1], target_BK)
    unmixed = pipeline().mixed(x_TBCHW, target, 1, 2)
    assert unmixed[0] is x_TBCHW
    assert unmixed[1] is target


def test_a_mixed_still_image_is_in_memory_once() -> None:
    mixing = pipeline(7, augments=[Mixup()], data=StaticData())
    x_TBCHW, _ = mixing.mixed(mixing.train(raw(), 0, 0), torch.tensor([0, 1, 2, 3, 0]), 0, 0)
    assert x_TBCHW.shape == (7, 5, 2, 4, 4)
    assert x_TBCHW.stride(0) == 0
