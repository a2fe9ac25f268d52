"""Against Pillow itself, through torchvision as the released loaders call it."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import Resize, ToPILImage, ToTensor

from snnlab.data.pil_la import resize_la
from snnlab.datasets import CIFAR10DVS, NMNIST


def by_pillow(frames: Tensor, size: int) -> Tensor:
    pictures = [ToPILImage()(frame) for frame in frames]
    assert {picture.mode for picture in pictures} == {"LA"}
    return torch.stack([ToTensor()(Resize((size, size))(picture)) for picture in pictures])


def frames(kind: str, height: int, width: int) -> Tensor:
    x = torch.rand(3, 2, height, width, generator=torch.Generator().manual_seed(height))
    if kind == "binary":
        return (x < 0.1).float()
    return (x * 7).floor() / 7 if kind == "levels" else x


@pytest.mark.parametrize("kind", ["binary", "levels", "dense"])
@pytest.mark.parametrize("size", [(128, 128), (34, 34), (180, 240), (16, 16)])
@pytest.mark.parametrize("to", [7, 16, 48, 100, 150])
def test_every_number_is_pillows(kind: str, size: tuple[int, int], to: int) -> None:
    x = frames(kind, *size)
    assert torch.equal(resize_la(x, to), by_pillow(x, to))


def test_the_first_channel_is_its_share_of_the_second() -> None:
    x = torch.zeros(1, 2, 4, 4)
    x[0, 1, :2, :2] = 1  # four ON events, of which two have an OFF event
    x[0, 0, 0, :2] = 1
    x[0, 0, 3, 3] = 1  # an OFF event far from all of them is lost
    shares = resize_la(x, 2)
    assert shares[0, 0, 1, 1] == 0
    assert shares[0, 0, 0, 0] > 0.4
    assert torch.equal(resize_la(x.index_fill(1, torch.tensor([1]), 0), 2), torch.zeros(1, 2, 2, 2))


@pytest.mark.parametrize("keys", [{"values": "binary"}, {"scale": "max"}, {"scale": "clip"}])
@pytest.mark.parametrize("dataset", [CIFAR10DVS, NMNIST])
def test_a_data_set_decodes_its_frames_so(dataset: type, keys: dict[str, str], tmp_path: object) -> None:
    data = dataset(tmp_path, 3, image_size=12, resize="pil_la", **keys)
    raw = torch.randint(0, 2 if "values" in keys else 4, (2, 3, 2, *data.sensor), dtype=torch.uint8)
    x = raw.float()
    if keys.get("scale") == "max":
        x = x / x.amax((2, 3, 4), keepdim=True).clamp_min(1)
    x = x.clamp(max=1).flatten(0, 1)
    assert torch.equal(data.decode(raw).flatten(0, 1), by_pillow(x, 12))


@pytest.mark.parametrize("dataset", [CIFAR10DVS, NMNIST])
def test_counts_are_refused(dataset: type, tmp_path: object) -> None:
    with pytest.raises(ValueError, match=r"frames from 0 to 1; dataset.scale=max or clip"):
        dataset(tmp_path, 3, resize="pil_la")
