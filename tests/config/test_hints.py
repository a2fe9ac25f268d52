"""Types from evaluated annotations are those that the source of the same annotations gives."""

import ast
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pytest

from snnlab.config.hints import type_of
from snnlab.config.types import parse
from snnlab.ranges import Fraction, Positive, PositiveInt

NAMES = {one.__name__: one for one in (Path, Annotated)} | {
    "Literal": Literal,
    "Optional": Optional,
    "Union": Union,
    "Fraction": Fraction,
    "Positive": Positive,
    "PositiveInt": PositiveInt,
}


@pytest.mark.parametrize(
    "annotation",
    [
        "int",
        "Path | None",
        "float | str | None",
        "Positive",
        "PositiveInt | None",
        "Literal['a', 2]",
        "Optional[bool]",
        "Union[int, str]",
        "tuple[Fraction, ...]",
        "tuple[int, float]",
        "list[PositiveInt] | None",
    ],
)
def test_both_readers_agree(annotation):
    expected = parse(ast.parse(annotation, mode="eval").body, {})
    assert type_of(eval(annotation, NAMES)) == expected


@pytest.mark.parametrize("hint", [Any, dict[str, int], object])
def test_other_annotations_are_refused(hint):
    with pytest.raises(ValueError, match="a config key cannot have the type"):
        type_of(hint)
