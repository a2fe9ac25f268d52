"""`snnlab convert` from the command line: a trained quantised ANN, its spiking network, and measuring it again."""

import json
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.evaluate import passes
from snnlab.evaluate.stored_run import load_run
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.runs.stored_config import load_stored
from snnlab.train import recipe
from tests.train.again import Again

SMALL = (
    "model.blocks=[1]",
    "model.width=6",
    "dataset.image_size=8",
    "trainer.epochs=2",
    "trainer.limit_train_batches=6",
    "trainer.limit_test_batches=6",
    "trainer.batch_size=64",
    "trainer.device=cpu",
    "trainer.progress=none",
    "trainer.plots=false",
)
EVERYWHERE = "neuron.equal=average"


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    cfg = load(
        ["+experiment=mtsnn_digits", *SMALL, "optimizer.lr_t=0.4", f"paths.runs={root}", f"paths.data={root}"]
    )
    assert recipe.run(cfg) == recipe.DONE
    return run_dir(cfg)


def converted(ann: Path, *overrides: str) -> tuple[Path, dict]:
    before = set(ann.parents[1].iterdir())
    assert main(["convert", f"run={ann}", f"paths.data={ann.parents[2]}", *overrides]) == 0
    (folder,) = set(ann.parents[1].iterdir()) - before
    return folder / "seed0", json.loads((folder / "seed0/result.json").read_text())


def test_a_trained_network_keeps_its_logits_with_averages_everywhere(ann: Path, capsys) -> None:
    folder, result = converted(ann, EVERYWHERE)
    found = result["conversion"]
    assert found["same_answer"] == 1
    assert found["acc"] == found["ann_acc"] == result["last"]["test/acc"]
    steps = found["time_steps"]
    assert len(steps) == 3
    assert found["mean_time_steps"] == sum(steps.values()) / 3 != 8
    assert f"mean T {found['mean_time_steps']:.2f}" in capsys.readouterr().out
    # Exactly, in double precision.
    cpu = torch.device("cpu")
    source = load_run(load_stored(ann), ann, "last", cpu)
    target = load_run(load_stored(folder), folder, "last", cpu)
    raw, _ = source.dataset.test_set().batch(range(100))
    x = source.pipeline.test(raw).double()
    with torch.no_grad():
        torch.testing.assert_close(target.model.double()(x), source.model.double()(x), rtol=1e-5, atol=1e-5)


def test_max_pools_from_the_command_line(tmp_path: Path) -> None:
    net = ("model=vgg_snn", "model.channels=[4,8]", "model.pool=max", *SMALL[2:])
    cfg = load(["+experiment=mtsnn_digits", *net, f"paths.runs={tmp_path}", f"paths.data={tmp_path}"])
    assert recipe.run(cfg) == recipe.DONE
    folder, result = converted(run_dir(cfg), EVERYWHERE)
    assert result["conversion"]["furthest_logit"] < 1e-4
    _, others = converted(run_dir(cfg), EVERYWHERE, "neuron.max_pool=spikes")
    assert others["conversion"]["furthest_logit"] > 1e-3
    assert main(["eval", f"run={folder}", f"paths.data={tmp_path}"]) == 0
    (file,) = folder.glob("eval-last-*.json")
    assert json.loads(file.read_text())["metrics"]["test/acc"] == result["last"]["test/acc"]


def test_eval_takes_a_converted_run_with_other_alignments(ann: Path, capsys) -> None:
    folder, result = converted(ann, "fold=false")
    assert main(["eval", f"run={folder}", f"paths.data={ann.parents[2]}"]) == 0
    (file,) = folder.glob("eval-last-*.json")
    assert json.loads(file.read_text())["metrics"]["test/acc"] == result["last"]["test/acc"]
    file.unlink()
    for setting in ("neuron.time_scale=2", "neuron.rising=upsample", "neuron.closed_form=true"):
        assert main(["eval", f"run={folder}", f"paths.data={ann.parents[2]}", setting]) == 0
    assert len(list(folder.glob("eval-last-*.json"))) == 3
    assert main(["eval", f"run={folder}", "neuron.rising=upsampl"]) == 2
    assert "Did you mean 'upsample'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no run is given"),
        (["run=nowhere"], "not a run directory"),
        (["run={ann}", "checkpoint=bset"], "Did you mean 'best'?"),
        (["run={ann}", "fold=yes"], "fold: expected true or false, got 'yes'"),
    ],
)
def test_what_is_asked_wrongly_is_said(ann: Path, given, message, capsys) -> None:
    assert main(["convert", *(one.format(ann=ann) for one in given)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "hint:" in error


def test_only_a_quantised_network_says_its_time_steps(ann: Path, capsys) -> None:
    cfg = load(
        [
            "+experiment=mtsnn_digits",
            *SMALL,
            "neuron=relu",
            "regulariser=none",
            "trainer.limit_train_batches=1",
            "trainer.limit_test_batches=1",
            f"paths.runs={ann.parents[2]}",
        ]
    )
    assert recipe.run(cfg) == recipe.DONE
    assert main(["convert", f"run={run_dir(cfg)}"]) == 2
    assert f"neuron=quant_relu init.run={run_dir(cfg)}" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["channels", "frames"])
def test_frames_as_channels_and_as_samples(tmp_path: Path, form: str) -> None:
    cfg = load(
        [
            "+experiment=mtsnn_digits",
            "dataset=digits_dvs",
            "num_steps=2",
            f"input={form}",
            *(one for one in SMALL if "image_size" not in one),
            "trainer.synthetic=true",
            f"paths.runs={tmp_path}",
        ]
    )
    assert recipe.run(cfg) == recipe.DONE
    folder, result = converted(run_dir(cfg), EVERYWHERE)
    assert result["conversion"]["same_answer"] == 1
    assert ("test/acc_step/t2" in result["last"]) == (form == "frames")
    weights = torch.load(folder / "checkpoints/last.pt", weights_only=True)["learner"]["model"]
    assert weights["stem.0.0.weight"].shape[1] == (4 if form == "channels" else 2)


def test_eval_compares_time_scales_and_alignments(ann: Path, capsys) -> None:
    folder, result = converted(ann, "neuron.closed_form=true")
    data = f"paths.data={ann.parents[2]}"
    assert main(["eval", f"run={folder}", data, "time_scale=[1,2]"]) == 0
    (file,) = folder.glob("eval-last-variants-*.json")
    first, second = json.loads(file.read_text())["rows"]
    file.unlink()
    assert first["acc"] == result["last"]["test/acc"]
    assert second["time_steps"] == 2 * first["time_steps"]
    assert (folder / "plots/time_scale.png").exists()
    assert (
        main(
            ["eval", f"run={folder}", data, "neuron.rising=[average,upsample]", "neuron.equal=[keep,average]"]
        )
        == 0
    )
    (file,) = folder.glob("eval-last-variants-*.json")
    assert len(json.loads(file.read_text())["rows"]) == 4
    capsys.readouterr()
    assert main(["eval", f"run={folder}", "neuron.rising=[average,upsampl]"]) == 2
    assert "Did you mean 'upsample'?" in capsys.readouterr().err
    assert main(["eval", f"run={folder}", "time_scale=[1,2]", "num_steps=1..2"]) == 2
    assert "do not go with several num_steps" in capsys.readouterr().err


def test_speed_is_compared_with_uniform_time_steps(ann: Path, capsys, monkeypatch) -> None:
    folder, result = converted(ann, "neuron.time_scale=2")
    data = f"paths.data={ann.parents[2]}"
    capture = Again()
    monkeypatch.setattr(passes, "capture_for", lambda trainer, device: capture)
    assert main(["eval", f"run={folder}", data, "speed=true", "trainer.eval_batch_size=8"]) == 0
    (file,) = folder.glob("speed-last-*.json")
    found = json.loads(file.read_text())
    assert found["cuda_graph"] == {"replays": capture.replayed, "eager": 0, "why": {}}
    assert (capture.recorded, capture.replayed) == (4, 4 * 8)
    forms = found["forms"]
    assert forms["uniform, largest T"]["time_steps"] == max(result["conversion"]["time_steps"].values())
    assert all(form["seconds"] > 0 and 0 <= form["alignment"] < 1 for form in forms.values())
    assert "mixed, spikes, closed" in capsys.readouterr().out
    assert main(["eval", f"run={ann}", "speed=true"]) == 2
    assert "snnlab convert run=DIR" in capsys.readouterr().err
    assert main(["eval", f"run={ann}", "speed=yes"]) == 2


def test_other_commands_take_a_converted_run_or_say_why_not(ann: Path, capsys) -> None:
    folder, _ = converted(ann, "neuron.time_scale=3")
    data = f"paths.data={ann.parents[2]}"
    assert main(["export", f"run={folder}", "format=safetensors"]) == 0
    assert main(["analyse", f"run={folder}", data, "what=energy"]) == 0
    assert main(["export", f"run={folder}", "format=nir"]) == 2
    assert "stem.2 runs for time steps of its own" in capsys.readouterr().err
    assert main(["eval", f"run={folder}", data, "early_exit.streaming=true"]) == 2
    assert "cannot run one step at a time" in capsys.readouterr().err
