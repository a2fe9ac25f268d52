"""Which decoder is the fastest for a folder of JPEG pictures: CPU time of one thread per picture.

Every decoder is timed in every round, one after the other, and the best of its rounds counts. torchcodec and
torchvision are left out where they are not installed.

python scripts/picture_decoders.py FOLDER --size 500 375    # half a minute; nothing else should run beside it
"""

import argparse
import importlib
import importlib.util
import io
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from snnlab.markdown import markdown_table

CROP = v2.Compose([v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()])
Way = Callable[[bytes], object]


def pillow(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def torchvision(content: bytes) -> Tensor:
    from torchvision.io import ImageReadMode, decode_jpeg

    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    decoded: Tensor = decode_jpeg(encoded, mode=ImageReadMode.RGB)
    return decoded


def torchcodec(content: bytes) -> Tensor:
    decoded: Tensor = importlib.import_module("torchcodec.decoders").decode_jpeg(content, mode="RGB")
    return decoded


def resized(content: bytes, size: tuple[int, int]) -> bytes:
    """A JPEG picture in another size, at Pillow's quality of 95."""
    made = io.BytesIO()
    pillow(content).resize(size, Image.Resampling.BICUBIC).save(made, "JPEG", quality=95)
    return made.getvalue()


def cut(decode: Callable[[bytes], Tensor]) -> Way:
    return lambda content: CROP(decode(content))


def ways() -> dict[str, Way]:
    """What is timed: decoding alone, and all that a training sample needs up to uint8 [3, 224, 224]."""
    found: dict[str, Way] = {"Pillow: decode": pillow}
    pairs = {"torchvision": torchvision, "torchcodec": torchcodec}
    decoders = {name: way for name, way in pairs.items() if importlib.util.find_spec(name) is not None}
    found |= {f"{name}: decode": way for name, way in decoders.items()}
    found["Pillow: decode, cut and resize to 224"] = lambda content: v2.functional.pil_to_tensor(
        CROP(pillow(content))
    )
    found |= {f"{name}: decode; cut and resize as tensors": cut(way) for name, way in decoders.items()}
    return found


def milliseconds(way: Way, contents: list[bytes]) -> float:
    torch.manual_seed(0)
    start = time.process_time()
    for content in contents:
        way(content)
    return (time.process_time() - start) / len(contents) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--size", type=int, nargs=2, help="width and height to bring the pictures to beforehand"
    )
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    files = [path for path in sorted(given.folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg")]
    contents = [path.read_bytes() for path in files[: given.pictures]]
    if not contents:
        parser.error(f"no JPEG pictures in {given.folder}")
    if given.size:
        contents = [resized(content, tuple(given.size)) for content in contents]
    torch.set_num_threads(1)
    times: dict[str, list[float]] = {name: [] for name in ways()}
    for _ in range(given.rounds):
        for name, way in ways().items():
            times[name].append(milliseconds(way, contents))
    sizes = [pillow(content).size for content in contents]
    print(
        f"{len(contents)} pictures of {sum(width * height for width, height in sizes) // len(sizes)} pixels and "
        f"{sum(map(len, contents)) // len(contents) // 1000} kB on average\n"
    )
    rows = [[name, f"{min(values):.2f}"] for name, values in times.items()]
    print("\n".join(markdown_table(["", "ms"], rows, words=[0])))


if __name__ == "__main__":
    main()
