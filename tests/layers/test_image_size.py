"""A size that a network cannot halve is refused with the nearest sizes that it takes."""

import re

import pytest

from snnlab.cli import main
from snnlab.layers.image_size import ImageSizeError
from tests.models.builders import build


@pytest.mark.parametrize(
    "name", ["vgg_snn", "vgg11_snn", "vgg16_snn", "spikformer", "spikingformer", "qkformer"]
)
@pytest.mark.parametrize("size", [3, 37, 101])
def test_the_sizes_that_are_named_fit(name, size):
    with pytest.raises(ImageSizeError, match=f"image_size {size} does not fit {name}") as caught:
        build(name, image_size=size)
    assert all(abs(one - size) <= 32 for one in caught.value.fitting)
    for one in caught.value.fitting:
        build(name, image_size=one)


def test_the_hint_of_the_command_names_them(capsys):
    assert main(["check", "+experiment=quickstart", "dataset.image_size=13"]) == 2
    said = capsys.readouterr().err
    hint = re.search(r"hint: write dataset\.image_size=(\d+) or dataset\.image_size=(\d+)\n", said)
    assert hint, said
    for size in hint.groups():
        assert main(["check", "+experiment=quickstart", f"dataset.image_size={size}"]) == 0
