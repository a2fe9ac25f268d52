"""`snnlab import`: the run of a graph, and what the commands on stored runs make of it."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.evaluate.stored_run import load_run
from snnlab.models import NIR
from snnlab.runs.results import RunResult, read_result, read_status
from snnlab.runs.stored_config import load_stored
from snnlab.runs.verify import verify
from tests.models.nir_graphs import small_graph

SMALL = (
    "dataset=digits_dvs",
    "num_steps=3",
    "trainer.limit_test_batches=1",
    "trainer.batch_size=32",
    "trainer.device=cpu",
    "trainer.progress=none",
    "trainer.plots=false",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a graph, from which it was imported, and its run."""
    root: Path = tmp_path_factory.mktemp("imported")
    shutil.copy(small_graph(2, 10, 16), root / "it's.nir")
    assert main(["import", str(root / "it's.nir"), *SMALL, "fires=at", *paths(root)]) == 0
    return root


def paths(root: Path) -> tuple[str, str]:
    return f"paths.runs={root / 'runs'}", f"paths.data={root / 'data'}"


@pytest.fixture(scope="module")
def run_dir(root: Path) -> Path:
    (found,) = (root / "runs" / "imported").glob("*/seed0")
    return found


def test_the_result_says_what_was_measured_and_nothing_that_was_not(root: Path, run_dir: Path) -> None:
    stored = read_result(run_dir)
    assert stored is not None
    result = RunResult.of(stored)
    assert result is not None
    assert (result.epochs, result.train_seconds, result.samples_per_second) == (0, None, None)
    assert result.num_test == 32
    assert result.imported is not None
    assert result.imported["file"] == str(root / "it's.nir")
    assert (result.imported["dt"], result.imported["fires"]) == (0.0001, "at")
    assert result.selection["last"] == "imported from it's.nir"
    assert read_status(run_dir)["status"] == "imported"


def test_its_files_are_whole_and_damage_is_seen(run_dir: Path, tmp_path: Path) -> None:
    assert verify(run_dir) == []
    copy = tmp_path / run_dir.parent.name / run_dir.name
    shutil.copytree(run_dir, copy)
    (copy / "graph.nir").write_bytes(b"other")
    assert [one.file for one in verify(copy)] == ["graph.nir"]
    (copy / "graph.nir").unlink()
    assert [one.file for one in verify(copy)] == ["graph.nir"]


def test_a_copy_of_the_run_needs_no_other_file(root: Path, run_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / run_dir.parent.name / run_dir.name
    shutil.copytree(run_dir, copy)
    cfg = load_stored(copy, paths(root))
    assert cfg.init.file == copy / "graph.nir"
    stored = load_run(cfg, copy, "best", torch.device("cpu"))
    assert isinstance(stored.model, NIR)
    result = read_result(run_dir)
    assert result is not None
    assert stored.evaluate().prefixed("test")["test/acc"] == result["last"]["test/acc"]


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (("eval", "run=RUN", "num_steps=4"), "after epoch 0"),
        (("verify", "RUN"), "whole"),
        (("runs", "--runs", "ROOT/runs"), "imported      -"),
        (("runs", "--runs", "ROOT/runs", "--state", "imported"), "from ROOT/it's.nir"),
        (("diff", "RUN", "RUN"), "no difference"),
        (("report", "RUN"), "report.html"),
        (("analyse", "run=RUN", "what=firing_rates"), "layers spikes"),
        (("export", "run=RUN", "out=ROOT/again.nir"), "Written to ROOT/again.nir"),
        (("export", "run=RUN", "format=safetensors", "out=ROOT/again.safetensors"), "Written to"),
    ],
)
def test_the_commands_on_stored_runs_take_it(
    command: tuple[str, ...], printed: str, root: Path, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [one.replace("RUN", str(run_dir)).replace("ROOT", str(root)) for one in command]
    more = paths(root) if "=" in given[-1] else ()
    assert main([*given, *more]) == 0
    assert printed.replace("ROOT", str(root)) in capsys.readouterr().out
    if command[0] == "report":
        page = (run_dir / "report.html").read_text()
        assert "it&#39;s.nir" in page
        assert "imported" in page


def test_a_conversion_is_refused_with_one_error(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", f"run={run_dir}"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "an imported network spikes already: eval, analyse, report and export take it as it is" in said


def test_the_numbers_of_its_neurons_cannot_be_set(
    root: Path, run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", f"run={run_dir}", "neuron.threshold=0.5", *paths(root)]) == 2
    assert "error: neuron.threshold: the neurons of model=nir have their own" in capsys.readouterr().err
    assert main(["eval", f"run={run_dir}", "neuron=plif", *paths(root)]) == 2
    assert "run as neuron=lif, not as PLIF" in capsys.readouterr().err


def test_without_a_measurement_there_is_no_result(root: Path, tmp_path: Path) -> None:
    given = ["import", str(root / "it's.nir"), *SMALL, f"paths.runs={tmp_path}", paths(root)[1]]
    assert main([*given, "--no-eval"]) == 0
    (run,) = tmp_path.glob("imported/*/seed0")
    assert read_result(run) is None
    assert read_status(run)["status"] == "imported"
    assert verify(run) == []
    # Measured later, in the same place.
    assert main(given) == 0
    assert read_result(run) is not None
    assert list(tmp_path.glob("imported/*/seed0")) == [run]


def test_training_goes_on_from_a_file_and_from_an_imported_run(root: Path, run_dir: Path) -> None:
    short = [
        *SMALL,
        "model=nir",
        "loss=tet",
        "logger=none",
        "trainer.epochs=1",
        "trainer.limit_train_batches=2",
    ]
    for init in (f"init.file='{root}/it\\'s.nir'", f"init.run={run_dir}"):
        assert main(["train", *short, init, *paths(root)]) == 0
    runs = sorted((root / "runs" / "custom").glob("*/seed0"))
    assert len(runs) == 2  # the weights may differ, so they are two runs
    for run in runs:
        assert (run / "graph.nir").read_bytes() == (run_dir / "graph.nir").read_bytes()
        assert verify(run) == []
        assert main(["eval", f"run={run}", paths(root)[1]]) == 0


@pytest.mark.parametrize(
    ("file", "more", "message"),
    [
        ("none.nir", (), "no such file"),
        ("damaged.nir", (), "is damaged, or no NIR graph"),
        ("it's.nir", ("dt=1",), "a time step of 1 s is longer than its tau"),
        ("it's.nir", ("dataset=digits",), "its input input is 2 x 16 x 16, and the data give 1 x 16 x 16"),
        ("it's.nir", ("neuron.decay=0.7",), "neuron.decay: the neurons of model=nir have their own"),
    ],
)
def test_what_cannot_be_imported_is_one_error_and_leaves_nothing(
    file: str,
    more: tuple[str, ...],
    message: str,
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (root / "damaged.nir").write_bytes((root / "it's.nir").read_bytes()[:2000])
    given = ["import", str(root / file), *SMALL, *more, f"paths.runs={tmp_path / 'r'}", paths(root)[1]]
    assert main(given) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert hint.startswith("hint: ")
    assert not (tmp_path / "r").exists()


def test_a_graph_for_another_network_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["train", *SMALL, f"init.file='{root}/it\\'s.nir'", "logger=none", *paths(root)]
    assert main(given) == 2
    assert "is a NIR graph, and model=vgg_snn has layers of its own" in capsys.readouterr().err


def test_json_says_where_it_is_from(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--runs", str(root / "runs"), "--json", "--state", "imported"]) == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert line["reason"] == f"from {root / chr(105)}t's.nir"
