"""Settings of `trainer` that changed their meaning: stored runs keep theirs, and no hash stands for two."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from snnlab.runs.earlier_words import in_hashed_words, in_todays_words
from snnlab.runs.identity import config_hash, hashes
from snnlab.runs.load import load
from snnlab.runs.stored_config import load_stored

NEW_KEYS = ("limit_train_batches", "limit_test_batches", "limit_draw")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def today(*more: str) -> dict[str, Any]:
    return dict(load(["+experiment=quickstart", *more]).raw)


def earlier(**trainer: Any) -> dict[str, Any]:
    """A configuration as it was stored when there was no `limit_draw`."""
    raw = copy.deepcopy(today())
    for key in NEW_KEYS:
        del raw["trainer"][key]
    raw["trainer"] |= trainer
    return raw


EARLIER = [
    ({}, ()),
    ({"overfit_batches": 2}, ("trainer.overfit_batches=2", "trainer.limit_draw=first")),
    (
        {"max_steps": 6},
        ("trainer.limit_train_batches=6", "trainer.limit_test_batches=6", "trainer.limit_draw=first"),
    ),
    (
        {"max_steps": 6, "accumulate": 2, "overfit_batches": 1},
        (
            "trainer.accumulate=2",
            "trainer.overfit_batches=1",
            "trainer.limit_train_batches=12",
            "trainer.limit_test_batches=6",
            "trainer.limit_draw=first",
        ),
    ),
]


@pytest.mark.parametrize(("stored", "words"), EARLIER, ids=str)
def test_a_stored_meaning_has_its_hash_in_the_words_of_today(
    stored: dict[str, Any], words: tuple[str, ...]
) -> None:
    raw = earlier(**stored)
    assert config_hash(today(*words)) == config_hash(raw)
    assert in_todays_words(raw)["trainer"] == today(*words)["trainer"]
    assert in_hashed_words(in_todays_words(raw)) == (raw if stored else in_todays_words(raw))
    assert len(hashes(load(["+experiment=quickstart", *words]))) == 2, "found under version 0.1.0's hash too"


@pytest.mark.parametrize(
    "words",
    [
        ("trainer.max_steps=6",),
        ("trainer.overfit_batches=2",),
        ("trainer.limit_train_batches=6",),
        ("trainer.limit_test_batches=6",),
        ("trainer.limit_train_batches=6", "trainer.limit_test_batches=6"),
        ("trainer.limit_train_batches=6", "trainer.limit_test_batches=6", "trainer.max_steps=6"),
        ("trainer.max_steps=6", "trainer.limit_draw=first"),
        ("trainer.limit_test_batches=6", "trainer.limit_draw=first"),
    ],
    ids=str,
)
def test_another_meaning_has_no_earlier_hash(words: tuple[str, ...]) -> None:
    found = {config_hash(earlier(**stored)) for stored, _ in EARLIER}
    assert config_hash(today(*words)) not in found
    assert len(hashes(load(["+experiment=quickstart", *words]))) == 1


def test_a_stored_run_is_measured_on_the_samples_that_it_was_measured_on(tmp_path: Path) -> None:
    raw = earlier(max_steps=3, batch_size=16, eval_batch_size=40)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(raw))
    trainer = load_stored(tmp_path).trainer
    assert (trainer.limit_train_batches, trainer.limit_draw, trainer.max_steps) == (3, "first", None)
    assert trainer.limit_test_batches == 8, "3 batches of 40, in batches of 16 rounded up"
    assert load_stored(tmp_path, ["trainer.max_steps=2"]).trainer.max_steps == 2, "as it means today"
