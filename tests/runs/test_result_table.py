"""The result table: every step is there, it fits any width, paths stay whole."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from snnlab.runs.result_table import result_table


def metrics(num_steps: int = 10) -> dict[str, float]:
    values = {"test/acc": 0.9, "test/loss": 0.1, "test/firing_rate/conv1/t1": 0.2}
    for step in range(1, num_steps + 1):
        for view, shift in (("step", 0.0), ("cum", 0.001)):
            values[f"test/acc_{view}/t{step}"] = 0.5 + step / 100 + shift
            for index, name in enumerate(("nll", "brier", "ece", "adaece", "cece"), start=1):
                values[f"test/{name}_{view}/t{step}"] = index / 10 + step / 1000 + shift
    return values


def printed(content, width: int = 80, terminal: bool = False, soft_wrap: bool = False) -> str:
    out = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system=None,
        soft_wrap=soft_wrap,
        highlight=False,
    )
    out.print(content)
    return out.file.getvalue()


def test_plain_text_without_a_terminal():
    lines = printed(result_table(metrics(), title="quickstart"), soft_wrap=True).splitlines()
    assert lines[0] == "quickstart"
    assert lines[1].split() == ["single", "step", "cumulative", "mean"]
    assert lines[2].split() == ["t", "acc", "%", "ECE", "AdaECE", "CECE", "NLL"] * 2
    assert len(lines) == 3 + 10
    assert lines[3].split() == [
        "1",
        "51.00",
        "0.3010",
        "0.4010",
        "0.5010",
        "0.1010",
        "1",
        "51.10",
        "0.3020",
        "0.4020",
        "0.5020",
        "0.1020",
    ]
    assert lines[-1].split()[:2] == ["10", "60.00"]
    assert all(ord(character) < 128 for line in lines for character in line)


@pytest.mark.parametrize("width", [20, 28, 37, 46, 80, 99, 104, 200])
def test_fits_any_terminal_and_shows_whole_numbers(width):
    lines = printed(result_table(metrics()), width, terminal=True).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    text = "\n".join(lines)
    assert "…" not in text
    assert "51.00" in text
    assert "60.10" in text
    assert ("NLL" in text) == (width >= 46)
    assert ("single step   " in lines[0] and "cumulative mean" in lines[0]) == (width >= 104)


def test_many_steps_are_in_order():
    text = printed(result_table(metrics(12)), soft_wrap=True)
    assert [line.split()[0] for line in text.splitlines()[2:]] == [str(step) for step in range(1, 13)]


def test_of_very_many_steps_it_shows_some_and_the_last():
    lines = printed(result_table(metrics(50)), soft_wrap=True).splitlines()
    assert "single step, 20 of 50 steps" in lines[0]
    assert [int(line.split()[0]) for line in lines[2:]] == [5 * k // 2 for k in range(1, 21)]


def test_a_missing_number_is_a_dash():
    values = metrics(2) | {"test/ece_step/t1": None}
    del values["test/nll_step/t2"]
    lines = printed(result_table(values), soft_wrap=True).splitlines()
    assert lines[2].split()[2] == "-"
    assert lines[3].split()[5] == "-"


def test_another_prefix():
    values = {key.replace("test/", "test_ema/"): value for key, value in metrics(1).items()}
    assert "51.00" in printed(result_table(values, prefix="test_ema"))
    assert "51.00" not in printed(result_table(values))


def test_without_per_step_metrics_only_the_paths_remain(tmp_path):
    assert (
        printed(result_table({"test/acc": 0.5}, run_dir=tmp_path), soft_wrap=True) == f"run    {tmp_path}\n"
    )


def test_paths_are_never_cut_and_relative_below_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_dir = tmp_path / "runs" / ("long-" * 12 + "name") / "seed0"
    plots = [run_dir / "plots" / name for name in ("a.png", "b.png")]
    for width in (30, 200):
        for terminal in (True, False):
            text = printed(
                result_table(metrics(2), run_dir=run_dir, plots=plots), width, terminal, soft_wrap=True
            )
            for path in (run_dir, *plots):
                assert str(path.relative_to(tmp_path)) in text
    assert str(Path("/elsewhere/x")) in printed(result_table({}, run_dir=Path("/elsewhere/x")))
