"""The README and the docs are what scripts/make_docs_tables.py makes of results/ and conf/table."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/make_docs_tables.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_docs_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["README.md", "docs/tables.md", "docs/benchmarks.md"])
def test_documents_equal_results(script, name):
    assert script.made(name) == (ROOT / name).read_text(), "run: python scripts/make_docs_tables.py"


def test_single_numbers_of_the_readme():
    result = json.loads((ROOT / "results/nmnist.json").read_text())
    text = (ROOT / "README.md").read_text()
    assert f"{100 * result['last']['test/acc']:.2f} % test accuracy" in text
    assert f"{result['num_train']} recordings to train, {result['num_test']} to test" in text


def test_results_name_no_place_of_a_machine():
    for file in (ROOT / "results").glob("*.json"):
        text = file.read_text()
        assert "/tmp" not in text, file
        assert "/home" not in text, file
        # The board is that of some fifty runs under 23 kinds of conditions.
        assert len(text) < (400_000 if file.name == "board.json" else 100_000), file
