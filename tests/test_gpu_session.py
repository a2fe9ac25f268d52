"""`scripts/gpu_session.py`: what it does, keeps and leaves, and that no test that needs a GPU is forgotten."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_session", ROOT / "scripts" / "gpu_session.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_test_that_needs_a_gpu_is_in_it(script: ModuleType) -> None:
    marks = ("mark." + "gpu", "marks=pytest.mark." + "gpu")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if any(mark in path.read_text() for mark in marks)
    ]
    assert found
    asked = (*script.RECORDED, *script.OTHERS)
    assert [path for path in found if not path.startswith(asked)] == []
    assert all((ROOT / path).exists() for path in asked)


def test_what_is_done_is_kept_and_what_there_is_no_time_for_is_left(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    did: list[str] = []

    def doing(name: str, **found: Any) -> Callable[[float], dict[str, Any]]:
        def do(seconds: float) -> dict[str, Any]:
            did.append(name)
            return {"failed": [], **found}

        return do

    parts = [
        script.Part("tests", 1, doing("tests", tests=3)),
        script.Part("long", 1000, doing("long")),
        script.Part("bench", 1, doing("bench", rows=[{"neuron": "lif"}])),
        script.Part("cut", 1, doing("cut", ended=True)),
    ]
    assert script.run(parts, tmp_path, minutes=1) == script.UNFINISHED
    assert did == ["tests", "bench", "cut"]
    assert "the same line goes on" in capsys.readouterr().out
    assert script.run(parts[:3], tmp_path, minutes=30) == 0
    assert did == ["tests", "bench", "cut", "long"]
    session = json.loads((tmp_path / "session.json").read_text())
    assert (session["left"], set(session["parts"])) == (0, {"tests", "bench", "long"})
    assert {"card", "code", "date", "packages"} <= session.keys()
    assert json.loads((tmp_path / "bench.json").read_text())["rows"] == [{"neuron": "lif"}]
    bad = script.Part("bad", 1, doing("bad", failed=["FAILED one"]))
    assert script.run([*parts[:3], bad], tmp_path, minutes=1) == 1
    assert "failed: bad: ['FAILED one']" in capsys.readouterr().out


def test_the_most_wanted_parts_fit_into_one_call(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "collected", lambda paths: [f"{paths[0]}::{n}" for n in range(500)])
    parts = script.all_parts(Path("unused"), dry=False)
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)
    benchmark = [place for place, name in enumerate(names) if name.startswith("bench-")]
    assert benchmark == [4, 5, 6, 7, 8]
    least = sum(part.least for part in parts[: benchmark[-1] + 1])
    assert least <= 12 * 60
    assert {name.split("-")[0] for name in names[: benchmark[0]]} == {"kernels", "recorded"}


@pytest.mark.slow
def test_a_dry_call_finds_the_tests_and_measures(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(script, "measure_group", lambda cases: [{**case, "train": {}} for case in cases])
    assert script.main([str(tmp_path), "--dry"]) == 0
    session = json.loads((tmp_path / "dry" / "session.json").read_text())
    assert session["parts"]["recorded-1-of-1"]["tests"] > 800
    assert session["parts"]["kernels-1-of-1"]["tests"] > 200
    (row,) = json.loads((tmp_path / "dry" / "bench.json").read_text())["rows"]
    assert row["device"] == "cpu"


def test_without_a_gpu_it_says_so(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SystemExit):
        script.main([])
    assert "--dry" in capsys.readouterr().err
