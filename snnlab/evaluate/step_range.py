"""`snnlab eval num_steps=1..8`: the same weights with fewer or more time steps, one table row for each number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from snnlab.atomic import write_json
from snnlab.config.schema import RunConfig
from snnlab.evaluate.passes import Passes
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.machine.device import set_up
from snnlab.metric_names import BRIER
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog
from snnlab.runs.result_table import COLUMNS, result_table

NAMES = tuple(one.key for one in (*COLUMNS, BRIER))


def run(
    cfg: RunConfig, folder: Path, steps: Sequence[int], which: str = "last", weights: str = "model"
) -> int:
    """Measures the time-mean logits of a run's network for several numbers of time steps T.

    A still image is equal at every step, so one pass with the largest T also gives the results for smaller T. A
    recording is integrated into T frames for each T, which takes a pass of its own.

    Args:
        cfg: the run's configuration with overrides; its `num_steps` does not matter.
        folder: the run directory, where the table goes as JSON.
        steps: the numbers of time steps.
        which: `last` or `best`.
        weights: `model` or `average`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or a component cannot run
            that many steps.
    """
    device = set_up(cfg.trainer)
    passes = Passes(cfg.trainer, device)
    # Nothing is selected here, and the metric may be of a step that some of the rows have not.
    cfg = replace(cfg, trainer=replace(cfg.trainer, select="test/acc"))

    def load(t: int) -> StoredRun:
        return load_run(replace(cfg, num_steps=t), folder, which, device, weights)

    stored = load(max(steps))
    nested = stored.dataset.static and cfg.input == "frames"
    rows: dict[int, dict[str, float]] = {}
    if nested:
        metrics = passes.evaluate(stored).metrics
        rows = {t: {name: metrics[f"{name}_cum/t{t}"] for name in NAMES} for t in steps}
    else:
        for t in steps:
            metrics = passes.evaluate(stored if t == max(steps) else load(t)).metrics
            rows[t] = {name: metrics[name] for name in NAMES}
    how = (
        f"all in one pass of {max(steps)} steps"
        if nested
        else "each row a pass over recordings integrated anew"
    )
    log = RunLog(None)
    title = f"{stored.title}, trained with {stored.trained_steps} steps, run with t; {how}"
    log.write(result_table(_flat(rows), title=title))
    passes.say(log)
    path = folder / f"eval-{stored.label}-t{_name(steps)}-{config_hash(cfg.raw)}.json"
    write_json(
        path,
        {
            "num_steps": list(steps),
            "nested": nested,
            **stored.description(),
            **passes.description(),
            "rows": {str(t): row for t, row in rows.items()},
        },
    )
    log.write(f"Written to {path}")
    return 0


def _flat(rows: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    return {f"test/{name}_cum/t{t}": value for t, row in rows.items() for name, value in row.items()}


def _name(steps: Sequence[int]) -> str:
    """`1-8` for all numbers from 1 to 8, `1_2_4` for others."""
    whole = list(steps) == list(range(steps[0], steps[-1] + 1)) and len(steps) > 1
    return f"{steps[0]}-{steps[-1]}" if whole else "_".join(map(str, steps))
