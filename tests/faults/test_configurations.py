"""Random configurations: `check` and `train` accept the same ones, refuse in the same words, and give no traceback.

`pytest -m faults tests/faults/test_configurations.py` draws 40, or as many as SNNLAB_FAULTS says.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnlab.cli import main
from snnlab.config.signature import Key, read_component
from snnlab.registry import SEVERAL, component_files

MANY = int(os.environ.get("SNNLAB_FAULTS", "40"))
DRAWN = (
    "dataset",
    "neuron",
    "surrogate",
    "norm",
    "loss",
    "optimizer",
    "scheduler",
    "model",
    "regulariser",
    "augment",
)
ODD = ("0", "-1", "1e30", "nan", "inf", "null", "true", "text", "[]", "[1,2]", "{a:1}", "''")
TINY = [
    "+experiment=quickstart",
    "debug=smoke",
    "trainer.device=cpu",
    "trainer.plots=false",
    "trainer.progress=none",
]
KEYS = {
    "num_steps": ("1", "2", "3"),
    "trainer.precision": ("fp32", "bf16", "fp16"),
    "trainer.ema": ("null", "0.9", "1.5"),
    "trainer.clip_norm": ("null", "1.0", "0"),
    "trainer.accumulate": ("1", "2", "0"),
    "trainer.batch_size": ("2", "8", "0"),
    "trainer.eval_batch_size": ("1", "4"),
    "trainer.deterministic": ("true", "false"),
    "trainer.synthetic": ("true", "true", "false"),
    "trainer.cuda_graph": ("auto", "required"),
    "trainer.device": ("cpu", "cuda"),
    "trainer.pack_spikes": ("true",),
    "dataset.image_size": ("1", "3", "7", "8", "24", "32", "33"),
    "model.channels": ("[4]", "[3,5]", "[4,8,16,1]", "[1,1]", "[0,4]"),
    "input": ("frames", "mean", "channels"),
    "voters": ("null", "1", "3"),
    "residual_neuron": ("null", "cf", "relu"),
    "init.run": ("nowhere",),
    "distill.teacher": ("nowhere",),
    "seed": ("0", "7", "-1"),
}
EXIT_CODES = (0, 1, 2)
"""As documented; 1 is a run that failed with a word, such as a loss that is not finite."""


def _values(key: Key) -> st.SearchStrategy[Any]:
    """Values of a key: around its default, and odd ones."""
    default = key.default
    near: list[Any] = [default]
    if isinstance(default, bool):
        near += [not default]
    elif isinstance(default, int | float):
        near += [default * 2, default / 2, default + 1, type(default)(1), 0.5]
    return st.one_of(st.sampled_from([*near, *near, *near]), st.sampled_from(ODD))


@st.composite
def configurations(draw: st.DrawFn) -> list[str]:
    """Overrides of the smoke test of the quickstart: up to four components, a few of their keys, a few others."""
    overrides = []
    for kind in draw(st.lists(st.sampled_from(DRAWN), unique=True, max_size=4)):
        files = component_files(kind)
        name = draw(st.sampled_from(sorted(files)))
        overrides.append(f"{kind}={name}")
        keys = read_component(files[name][1]).keys
        prefix = f"{kind}.{name}" if kind in SEVERAL else kind
        for key in draw(st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=2)) if keys else []:
            value = _text(draw(_values(keys[key])))
            overrides.append(f"{prefix}.{key}={value}")
    for key in draw(st.lists(st.sampled_from(sorted(KEYS)), unique=True, max_size=3)):
        overrides.append(f"{key}={draw(st.sampled_from(KEYS[key]))}")
    return overrides


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"[{','.join(map(_text, value))}]" if isinstance(value, list | tuple) else str(value)


def _try(tmp_path: Path, capsys: pytest.CaptureFixture[str], examples: int, *, derandomize: bool) -> None:
    trained = []

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def agree(overrides: list[str]) -> None:
        words = [*TINY, *overrides, f"paths.runs={tmp_path / 'runs'}", f"paths.data={tmp_path / 'data'}"]
        capsys.readouterr()
        checked = main(["check", *words])
        said = capsys.readouterr().err
        code = main(["train", *words])
        printed = capsys.readouterr().err
        assert code in EXIT_CODES
        if code:
            assert "error: " in printed
        if checked:
            assert (checked, code) == (2, 2), f"{said}\n{printed}"
            assert _error(printed) == _error(said), "train says what check has said"
        assert code != 2 or checked == 2, f"check had nothing against\n{printed}"
        trained.append(code)

    agree()
    sys.stdout.write(
        f"{len(trained)} configurations, {trained.count(0)} trained, {trained.count(2)} refused\n"
    )
    assert 0 in trained, "some were trained"


def _error(printed: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith("error: "))


def test_some_random_configurations(tmp_path, capsys):
    _try(tmp_path, capsys, 3, derandomize=True)


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_many_random_configurations(tmp_path, capsys):
    _try(tmp_path, capsys, MANY, derandomize=False)
