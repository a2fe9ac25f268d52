"""Arguments of commands that are no composition: what a declaration reads, refuses, and says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest

from snnlab.config.arguments import Arguments, Bare, Choices, Several, arguments_of, help_of
from snnlab.config.measurements import LandscapeConfig
from snnlab.config.read_arguments import read_arguments
from snnlab.errors import ConfigError
from snnlab.ranges import Positive, PositiveInt


@dataclass(frozen=True, kw_only=True)
class Strict(Arguments):
    verb: ClassVar[str] = "mow"
    usage: ClassVar[str] = "snnlab mow lawn=<name>"

    lawn: Annotated[str, Bare("lawn")]
    """Where."""
    height: Positive | None = None
    """In metres."""
    days: tuple[PositiveInt, ...] = ()
    """When."""
    tools: Annotated[tuple[str, ...], Choices(lambda _: ["scythe", "shears"])] = ()
    slow: bool = False
    file: Path | None = None
    landscape: LandscapeConfig = field(default_factory=LandscapeConfig)


@dataclass(frozen=True, kw_only=True)
class OnRun(Arguments):
    verb: ClassVar[str] = "ask"
    also: ClassVar[Mapping[str, str]] = {"scale": "neuron.scale"}

    which: Literal["last", "best"] = "last"
    num_steps: Annotated[tuple[PositiveInt, ...], Several()] = ()
    neuron: Annotated[Mapping[str, tuple[str, ...]], Several()] = field(default_factory=dict)
    words: Annotated[tuple[str, ...], Bare("word")] = ()
    overrides: tuple[str, ...] = ()


def test_values_take_the_types_of_the_annotations():
    asked = read_arguments(Strict, ["front", "height=5e-2", "slow=true", "file=~/a b", "landscape.grid=3"])
    assert asked == Strict(
        lawn="front", height=0.05, slow=True, file=Path.home() / "a b", landscape=LandscapeConfig(grid=3)
    )
    assert read_arguments(Strict, ["lawn=7"]) == Strict(lawn="7")


@pytest.mark.parametrize(
    ("text", "days"),
    [("2", (2,)), ("2,3", (2, 3)), ("[3, 2,3]", (3, 2)), ("2..4", (2, 3, 4)), ("[]", ())],
)
def test_lists_are_written_in_several_ways(text, days):
    assert read_arguments(Strict, ["front", f"days={text}"]).days == days


def test_what_the_command_does_not_know_is_an_override_of_the_run():
    given = ["~x", "num_steps=4", "seed=1", "+neuron.scale=2", "a", "neuron=[x,y]", "b"]
    asked = read_arguments(OnRun, given)
    assert asked == OnRun(
        words=("a", "b"), overrides=("~x", "num_steps=4", "seed=1", "+neuron.scale=2", "neuron=[x,y]")
    )
    several = read_arguments(
        OnRun, ["scale=[1,2]", "num_steps=1..2", "neuron.rising=[up,down]", "+which=best"]
    )
    assert several == OnRun(
        which="best", num_steps=(1, 2), neuron={"scale": ("1", "2"), "rising": ("up", "down")}
    )


@pytest.mark.parametrize(
    ("kind", "given", "message", "hint"),
    [
        (Strict, [], "mow: no lawn is given", "snnlab mow lawn=<name>"),
        (Strict, ["lawn="], "mow: no lawn is given", "snnlab mow"),
        (Strict, ["a", "b"], "two lawns: a and b", "give one lawn"),
        (Strict, ["a", "heigth=1"], "mow: unknown key 'heigth'. Did you mean 'height'?", "lawn, height"),
        (Strict, ["a", "height=0"], "height: expected a number > 0, got '0'", "In metres."),
        (Strict, ["a", "slow=1"], "slow: expected true or false, got '1'", ""),
        (Strict, ["a", "days=1,x"], "days: expected integers > 0, got '1,x'", "days=1..4"),
        (Strict, ["a", "days=3..1"], "days: expected integers > 0, got '3..1'", ""),
        (Strict, ["a", "tools=[shers]"], "tools: unknown choice 'shers'. Did you mean 'shears'?", "scythe"),
        (Strict, ["a", "tools=[shears"], "tools: cannot read the values '[shears'", "tools=[a,b]"),
        (Strict, ["a", "landscape=3"], "cannot read the override 'landscape=3'", "landscape.grid=21"),
        (Strict, ["a", "landscape.gird=3"], "landscape.gird: unknown key. Did you mean 'grid'?", "span"),
        (OnRun, ["which=bets"], "which: unknown choice 'bets'. Did you mean 'best'?", "last, best"),
        (OnRun, ["whcih=best"], "ask: unknown key 'whcih'. Did you mean 'which'?", "num_steps"),
        (OnRun, ["neuron.rising=[up,]"], "neuron.rising: cannot read the values '[up,]'", ""),
    ],
)
def test_slips(kind, given, message, hint):
    with pytest.raises(ConfigError) as caught:
        read_arguments(kind, given)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_help_and_completion_know_every_key():
    assert list(arguments_of(OnRun)) == ["which", "num_steps", "neuron", "words"]
    assert arguments_of(OnRun)["which"].choices(()) == ("last", "best")
    assert arguments_of(Strict)["tools"].choices(()) == ("scythe", "shears")
    lines = [line.split() for line in help_of(Strict).splitlines()]
    assert [line[0] for line in lines][:3] == ["lawn", "height", "days"]
    assert {f"landscape.{one}" for one in ("grid", "span", "samples", "split", "seed")} <= {
        one[0] for one in lines
    }
    assert "In metres." in help_of(Strict)
    assert lines[4] == ["slow", "true", "|", "false", "(default:", "false)"]
    assert "short for neuron.scale" in help_of(OnRun)
