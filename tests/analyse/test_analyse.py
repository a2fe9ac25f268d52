"""`snnlab analyse` on small trained runs: pictures, numbers, and what does not fit a run."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.text import Text
from torch import nn

from snnlab.analyse.chosen_layers import chosen_layers
from snnlab.analyse.landscape import filter_normalised, moved
from snnlab.cli import main
from snnlab.evaluate.stored_run import load_run
from snnlab.neurons import LIF
from snnlab.runs.stored_config import load_stored
from tests.plots.test_plots import is_picture

SMALL = (
    "dataset=digits_dvs",
    "num_steps=3",
    "model.channels=[4,8]",
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.batch_size=16",
    "trainer.limit_train_batches=3",
    "trainer.limit_test_batches=3",
    "trainer.device=cpu",
    "trainer.plots=false",
    "trainer.backend=eager",
    "trainer.progress=none",
    "paths.data=nowhere",
)
QUICK = (
    "analyse.samples=24",
    "landscape.grid=3",
    "landscape.samples=16",
    "tsne.samples=24",
    "tsne.perplexity=5",
    "tsne.panels=2",
    "membrane.bins=16",
    "magnitudes.samples=6",
    "magnitudes.neurons=10",
)
Trained = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trains a run of its own for each set of overrides and returns its directory."""
    runs: dict[tuple[str, ...], Path] = {}

    def train(*overrides: str) -> Path:
        if overrides not in runs:
            folder = tmp_path_factory.mktemp("runs")
            assert main(["train", *SMALL, *overrides, f"paths.runs={folder}"]) == 0
            (runs[overrides],) = folder.glob("*/*/seed0")
        return runs[overrides]

    return train


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_every_analysis_of_a_spiking_run(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained("neuron=dsatgo", "surrogate=rectangle")
    weights = (folder / "checkpoints/last.pt").read_bytes()
    capsys.readouterr()
    assert main(["analyse", f"run={folder}", "what=all", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "left out" not in out
    found = {path.stem: rows(path) for path in (folder / "analysis").glob("*.csv")}
    assert set(found) == {
        "firing_rates",
        "gradient_support",
        "membrane",
        "thresholds",
        "landscape",
        "tsne",
        "energy",
        "encoding",
        "magnitudes",
        "rescaling",
    }
    assert all(is_picture(folder / f"analysis/{name}.png") for name in found)
    assert (folder / "checkpoints/last.pt").read_bytes() == weights
    layers = [row["layer"] for row in found["firing_rates"]]
    assert layers == ["conv 1", "conv 2", "all neurons"]
    for row in found["firing_rates"] + found["gradient_support"]:
        assert all(0 <= float(row[t]) <= 1 for t in ("t1", "t2", "t3"))
    assert {row["t"] for row in found["membrane"]} == {"1", "2", "3"}
    first = [row for row in found["membrane"] if row["layer"] == layers[0] and row["t"] == "1"]
    assert sum(float(row["share"]) for row in first) == pytest.approx(1)
    assert {row["quantity"] for row in found["thresholds"]} == {"decay", "threshold"}
    assert {row["epoch"] for row in found["thresholds"]} == {"1", "2"}
    assert len(found["landscape"]) == 9
    assert {row["t"] for row in found["tsne"]} == {"1", "3"}
    assert float(found["energy"][-1]["ann_mac"]) > 0
    assert [row["t"] for row in found["encoding"]] == ["1", "2", "3", "last"]
    assert all(-1 <= float(row["least"]) <= float(row["ssim"]) <= 1 for row in found["encoding"])
    assert len(found["rescaling"]) == 3 * 24
    assert len(found["magnitudes"]) == 6 * 10


def test_layers_are_called_alike_and_as_a_person_would(
    trained: Trained, capsys: pytest.CaptureFixture[str], drawn: list[Any]
) -> None:
    """In tables, pictures and the first columns of the numbers; the place is a column of its own."""
    folder = trained("neuron=dsatgo", "surrogate=rectangle")
    capsys.readouterr()
    assert main(["analyse", f"run={folder}", "what=all", *QUICK]) == 0
    shown = capsys.readouterr().out
    shown += "\n".join(text.get_text() for figure in drawn for text in figure.findobj(Text))
    assert "features." not in shown
    assert "conv 2" in shown
    called: dict[str, set[str]] = {}
    for file in (folder / "analysis").glob("*.csv"):
        for row in rows(file):
            if place := row.pop("place", None):
                called.setdefault(place, set()).add(row.get("layer") or row["name"])
            assert "features." not in " ".join(row.values())
    assert called["features.5"] == {"conv 2"}
    assert all(len(names) == 1 for names in called.values())


def test_decays_of_a_run_from_before_they_were_called_so(trained: Trained) -> None:
    folder = trained("neuron=plif")
    metrics = folder / "metrics.jsonl"
    first, second = metrics.read_text().split("test/decay/", 1)
    metrics.write_text(f"{first}test/leak/{second}")
    assert main(["analyse", f"run={folder}", "what=thresholds", *QUICK]) == 0
    found = rows(folder / "analysis/thresholds.csv")
    assert {row["quantity"] for row in found} == {"decay"}
    layers = {row["layer"] for row in found}
    assert {(row["layer"], row["epoch"]) for row in found} == {
        (one, epoch) for one in layers for epoch in "12"
    }


def test_levels_of_a_circulate_firing_run_add_up(trained: Trained) -> None:
    folder = trained("neuron=cf", "surrogate=tsg")
    assert main(["analyse", f"run={folder}", "what=[firing_rates,thresholds,gradient_support]", *QUICK]) == 0
    for row in rows(folder / "analysis/firing_rates.csv")[:-1]:
        levels = [float(row[f"level {k}"]) for k in range(-2, 3)]
        assert sum(levels) == pytest.approx(1)
        assert float(row["mean"]) == pytest.approx(1 - levels[2])
    assert {row["quantity"] for row in rows(folder / "analysis/thresholds.csv")} == {"alpha"}


def test_an_ann_has_activity_but_no_potentials(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained("neuron=relu")
    for what in ("membrane", "gradient_support", "magnitudes", "thresholds"):
        assert main(["analyse", f"run={folder}", f"what={what}", *QUICK]) == 2
        error = capsys.readouterr().err
        assert "error: " + what in error
        assert "hint: " in error
    assert main(["analyse", f"run={folder}", "what=all", *QUICK]) == 0
    assert capsys.readouterr().out.count("left out") == 4
    assert float(rows(folder / "analysis/energy.csv")[-1]["ac"]) > 0  # the camera's events


def test_magnitudes_are_those_of_the_equations(trained: Trained) -> None:
    folder = trained("neuron=lif")
    everything = ("magnitudes.neurons=100000", "magnitudes.samples=5", "magnitudes.limit=2")
    assert main(["analyse", f"run={folder}", "what=magnitudes", *QUICK, *everything]) == 0
    found = rows(folder / "analysis/magnitudes.csv")
    stored = load_run(load_stored(folder), folder, "last", torch.device("cpu"))
    layer = [module for module in stored.model.modules() if isinstance(module, LIF)][-1]
    currents: list[torch.Tensor] = []
    layer.register_forward_pre_hook(lambda module, args: currents.append(args[0]))
    samples = stored.dataset.test_set()
    raw, _ = samples.batch(torch.linspace(0, len(samples) - 1, 5).round().long().tolist())
    with torch.no_grad():
        stored.model(stored.pipeline.test(raw))
    v, total, (x_T,) = torch.zeros_like(currents[0][0]), 0.0, currents
    for x in x_T:
        h = 0.5 * v + x
        total, v = total + h.abs(), torch.where(h >= 1, 0.0, h)
    want = (total / len(x_T)).flatten(1).T.flatten()
    assert len(found) == len(want)
    assert [float(row["magnitude"]) for row in found] == pytest.approx(want.tolist(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("what", "key"), [("membrane", "only"), ("magnitudes", "layer")])
def test_layers_are_chosen_by_a_part_of_their_name(
    trained: Trained, capsys: pytest.CaptureFixture[str], what: str, key: str
) -> None:
    folder = trained("neuron=plif")
    assert main(["analyse", f"run={folder}", f"what={what}", f"{what}.{key}=no_such", *QUICK]) == 2
    said = capsys.readouterr().err
    assert f"error: {what}.{key}: no neuron layer has 'no_such' in its name" in said
    assert said.partition("choose among: ")[2].strip() == "conv 1, conv 2"
    for wanted in ("conv 2", "features.5"):
        assert main(["analyse", f"run={folder}", f"what={what}", f"{what}.{key}={wanted}", *QUICK]) == 0
        assert "conv 2" in capsys.readouterr().out
        if what == "membrane":
            assert {row["layer"] for row in rows(folder / "analysis/membrane.csv")} == {"conv 2"}


def test_a_layer_is_not_taken_for_one_whose_number_begins_alike() -> None:
    names = {"features.2": "conv 1", "features.20": "conv 12"}
    assert chosen_layers(names, names, "conv 1", "key") == ["features.2"]
    assert chosen_layers(names, names, "features.2", "key") == ["features.2"]
    assert chosen_layers(names, names, "conv", "key") == chosen_layers(names, names, "", "key") == [*names]


def test_a_run_that_cannot_be_loaded_is_an_error(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("neuron=relu")
    assert main(["analyse", f"run={folder}", "what=all", "model.channels=[5,8]", *QUICK]) == 2
    assert "left out" not in capsys.readouterr().out


def test_another_measurement_has_files_of_its_own(trained: Trained) -> None:
    folder = trained("neuron=relu")
    assert (
        main(["analyse", f"run={folder}", "what=firing_rates", "num_steps=2", "checkpoint=best", *QUICK]) == 0
    )
    (other,) = (folder / "analysis").glob("firing_rates-best-*.csv")
    assert "t3" not in rows(other)[0]


def test_too_few_samples_for_the_perplexity(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", f"run={trained('neuron=relu')}", "what=tsne", "tsne.samples=20"]) == 2
    assert "error: tsne.perplexity: 30 is too much for 20 samples" in capsys.readouterr().err


def test_directions_have_the_norm_of_each_filter_and_weights_come_back() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    before = [p.clone() for p in model.parameters()]
    direction = filter_normalised(model, torch.Generator().manual_seed(1))
    norms = [d.flatten(1).norm(dim=1) for d in direction[:1]]
    assert torch.allclose(norms[0], before[0].flatten(1).norm(dim=1))
    assert all(not d.any() for d in direction[1:])
    with torch.no_grad():
        for a, b in moved(model, [direction, direction], [(0.5, 0.25), (0.0, 0.0)]):
            assert torch.allclose(model[0].weight, before[0] + (a + b) * direction[0])
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
