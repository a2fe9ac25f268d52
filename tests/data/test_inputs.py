"""From stored batches to the network's input."""

import torch
from torch import Tensor, nn

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
