"""Each experiment has the values of its paper or of its released code, as they stand in published_recipes.yaml."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from snnlab.runs.load import load

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "conf" / "experiment"
EXPERIMENTS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
# Of this project, for small data.
OURS = {"quickstart", "mtsnn_digits", "ann_small_cifar10", "twd_small_cifar10"}
OURS |= {"converged_cifar10", "twd_converged_cifar10"}
OURS |= {name for name in EXPERIMENTS if name.endswith(("_digits_dvs", "_nmnist"))}
FACTS = yaml.safe_load((HERE / "published_recipes.yaml").read_text())
# What every recipe has to say.
NEEDED = {"num_steps", "dataset", "augment", "model.name", "neuron.name", "surrogate.name", "loss.name"}
NEEDED |= {
    "loss.label_smoothing",
    "optimizer.name",
    "optimizer.lr",
    "optimizer.weight_decay",
    "scheduler.name",
}
NEEDED |= {"trainer.epochs"}


def facts_of(experiment: str) -> list[dict[str, Any]]:
    def matches(patterns: list[str]) -> bool:
        return any(fnmatchcase(experiment, pattern) for pattern in patterns)

    return [fact for fact in FACTS if matches(fact["of"]) and not matches(fact.get("except", []))]


@cache
def composed(experiment: str) -> Mapping[str, Any]:
    return load([f"+experiment={experiment}"]).raw


def wrong(found: Any, expected: Any, where: str) -> Iterator[str]:
    """The places where a configuration has another value than the published one."""
    if not isinstance(expected, dict):
        if found != expected:
            yield f"{where} is {found}, published {expected}"
        return
    if where == "augment" and list(found) != list(expected):
        yield f"{where} is {list(found)}, published {list(expected)}"
        return
    for key, value in expected.items():
        if key in found:
            yield from wrong(found[key], value, f"{where}.{key}".lstrip("."))
        else:
            yield f"{where}.{key} is no key of {where}"


def named(values: Any, where: str = "") -> set[str]:
    """All keys that a fact gives a value to, and the sections that they are in."""
    found = {where} - {""}
    if isinstance(values, dict):
        for key, value in values.items():
            found |= named(value, f"{where}.{key}".lstrip("."))
    return found


@pytest.mark.parametrize("experiment", [name for name in EXPERIMENTS if name not in OURS])
def test_an_experiment_has_the_published_values_and_its_file_a_source(experiment: str) -> None:
    facts = facts_of(experiment)
    problems = [
        f"{problem} ({fact['source']})"
        for fact in facts
        for problem in wrong(composed(experiment), fact["values"], "")
    ]
    assert not problems
    parts = [fact["parts"] for fact in facts if "parts" in fact]
    trainer = composed(experiment)["trainer"]
    for part in parts:
        assert trainer["batch_size"] == part["samples"], (
            "what is taken over a batch is over the samples of a process"
        )
        assert trainer["accumulate"] == part["processes"] * part["steps"]
    assert len(parts) == 1 if trainer["accumulate"] > 1 else not parts
    covered = set().union(*(named(fact["values"]) for fact in facts))
    covered |= {"trainer.batch_size"} if parts else set()
    assert covered >= NEEDED | {"trainer.batch_size"}, f"nothing is said about {sorted(NEEDED - covered)}"
    comment = [line for line in (FOLDER / f"{experiment}.yaml").read_text().splitlines() if line[:2] == "# "]
    sources = ("Table", "Figure", "appendix", "released", "code", "As tmc_", "As cf_", "as cf_", "the paper")
    assert any(source in line for line in comment for source in sources)


def test_every_fact_is_about_an_experiment() -> None:
    of = {id(fact) for name in EXPERIMENTS if name not in OURS for fact in facts_of(name)}
    assert [fact["source"] for fact in FACTS if id(fact) not in of] == []
    assert all(fact["source"] for fact in FACTS)


def test_another_value_and_another_operation_are_found() -> None:
    recipe = {"optimizer": {"lr": 0.1}, "augment": {"flip": {"p": 0.5}}}
    assert list(wrong(recipe, {"optimizer": {"lr": 0.2}}, "")) == ["optimizer.lr is 0.1, published 0.2"]
    assert list(wrong(recipe, {"optimizer": {"rate": 1}}, "")) == ["optimizer.rate is no key of optimizer"]
    assert list(wrong(recipe, {"augment": {}}, "")) == ["augment is ['flip'], published []"]
    assert not list(wrong(recipe, {"augment": {"flip": {}}}, ""))
