"""Every promise in docs/reliability.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
PROMISES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.partition("\n## Promises")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_there_are_promises() -> None:
    assert len(PROMISES) > 30
    assert len({promise for promise, _ in PROMISES}) == len(PROMISES)


@pytest.mark.parametrize(("promise", "held"), PROMISES, ids=[promise for promise, _ in PROMISES])
def test_a_promise_is_held_by_tests_that_exist(promise: str, held: str) -> None:
    found = TEST.findall(held)
    assert found, promise
    assert not TEST.sub("", held).strip(" ,"), "a test id that is not one"
    for file, name in found:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(" if name else r"^def test_", text, re.MULTILINE), f"{file}::{name}"


def test_every_file_with_faults_is_named() -> None:
    for file in (ROOT / "tests/faults").glob("test_*.py"):
        assert f"tests/faults/{file.name}" in TEXT
