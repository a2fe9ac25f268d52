"""What each type of config key accepts, what it becomes, and what is said when it does not fit."""

import ast
import math
from pathlib import Path

import pytest

from snnlab.config.types import MismatchError, parse


def typed(annotation):
    return parse(ast.parse(annotation, mode="eval").body, {})


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("int", 3, 3),
        ("float", 3, 3.0),
        ("float", 1e-3, 1e-3),
        ("bool", True, True),
        ("str", "a", "a"),
        ("str", 7, "7"),
        ("Path", "a/b", Path("a/b")),
        ("Path", 2024, Path("2024")),
        ("Path | None", 2024, Path("2024")),
        ("float | None", None, None),
        ("int | float", 2, 2),
        ("int | float", 2.5, 2.5),
        ("float | int", 2, 2),
        ("bool | int", True, True),
        ("Optional[int]", None, None),
        ("Union[int, str]", "x", "x"),
        ("Literal['a', 'b']", "b", "b"),
        ("Literal[1, 2]", 2, 2),
        ("Literal['off', 'on']", False, "off"),
        ("Literal['off', 'on']", True, "on"),
        ("tuple[int, ...]", [], ()),
        ("tuple[int, ...]", [1, 2], (1, 2)),
        ("tuple[int, float]", [1, 2], (1, 2.0)),
        ("list[int]", [1], [1]),
        ("list", [1, "a", None], [1, "a", None]),
        ("int | tuple[int, int]", [1, 2], (1, 2)),
        ("Annotated[int, Ge(2), Le(4)]", 4, 4),
        ("Positive", 1, 1.0),
        ("Fraction", 0, 0.0),
        ("Fraction", 1, 1.0),
        ("HalfOpenFraction", 0, 0.0),
        ("NonNegativeInt", 0, 0),
        ("ranges.PositiveInt", 1, 1),
        ("'PositiveInt | None'", None, None),
    ],
)
def test_accepts(annotation, value, expected):
    found = typed(annotation).convert(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        ("int", True, "expected an integer, got true"),
        ("int", 2.0, "expected an integer, got 2.0"),
        ("int", "2", "expected an integer, got '2'"),
        ("int", None, "expected an integer, got null"),
        ("float", "x", "expected a number, got 'x'"),
        ("float", math.nan, "expected a number, got nan"),
        ("Positive", math.inf, "expected a number > 0, got inf"),
        ("bool", 1, "expected true or false, got 1"),
        ("str", 1.5, "expected text, got 1.5"),
        ("str", False, "expected text, got false"),
        ("Path", "", "expected a path, got ''"),
        ("float | None", "x", "expected a number or null, got 'x'"),
        ("Positive | None", -1, "-1 is out of range, expected a number > 0"),
        ("Literal['hard', 'soft']", "sof", "unknown choice 'sof'. Did you mean 'soft'?"),
        ("Literal['hard', 'soft'] | None", "zzz", "unknown choice 'zzz'"),
        ("tuple[int, int]", [1], "expected a list [an integer; an integer], got 1 values"),
        ("tuple[int, ...]", 3, "expected a list [...] of: an integer, got 3"),
        ("tuple[PositiveInt, ...]", [1, 0], "element 2: 0 is out of range, expected an integer > 0"),
        ("Fraction", 1.01, "1.01 is out of range, expected a number >= 0 and <= 1"),
        ("OpenFraction", 0, "0 is out of range, expected a number > 0 and < 1"),
        ("OpenFraction", 1, "1 is out of range, expected a number > 0 and < 1"),
        ("HalfOpenFraction", 1, "1 is out of range, expected a number >= 0 and < 1"),
        ("Positive", 0, "0 is out of range, expected a number > 0"),
        ("PositiveInt", 0, "0 is out of range, expected an integer > 0"),
        ("NonNegativeInt", -1, "-1 is out of range, expected an integer >= 0"),
        ("list", {"a": 1}, "expected a list [...] of: anything, got a mapping with a"),
        ("float", {"a": 1}, "expected a number, got a mapping with a"),
    ],
)
def test_refuses(annotation, value, message):
    with pytest.raises(MismatchError) as caught:
        typed(annotation).convert(value)
    assert caught.value.message == message


@pytest.mark.parametrize("annotation", ["Path", "Path | None", "str", "str | None"])
@pytest.mark.parametrize("value", [1e3, True, math.nan])
def test_a_name_that_looks_like_a_number_or_a_word_of_yaml_is_to_be_quoted(annotation, value):
    with pytest.raises(MismatchError) as caught:
        typed(annotation).convert(value)
    assert "is text in quotes" in caught.value.hint


@pytest.mark.parametrize("annotation", ["dict", "Callable[[], int]", "np.ndarray", "list[Any]", "f(x)"])
def test_other_annotations_are_no_types(annotation):
    with pytest.raises(ValueError, match="cannot have the type"):
        typed(annotation)


def test_choices_are_offered():
    assert typed("Literal['a', 'b'] | None").choices() == ("a", "b", "null")
    assert typed("bool").choices() == ("true", "false")
    assert typed("float").choices() == ()
