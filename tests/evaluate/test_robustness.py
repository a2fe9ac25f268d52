"""`snnlab eval robustness=[...]`: what is measured, that it repeats, and that an interrupted call goes on."""

import json

import pytest

from snnlab.cli import main
from snnlab.config.measurements import RobustnessConfig
from snnlab.errors import SnnlabError
from snnlab.evaluate import robustness
from snnlab.evaluate.corruption_names import CORRUPTIONS
from snnlab.evaluate.robustness import Condition, conditions

TINY = (
    "+experiment=quickstart", "model.channels=[4,8]", "trainer.max_steps=3", "trainer.epochs=1", "num_steps=2",
    "trainer.plots=false", "trainer.progress=none", "trainer.device=cpu", "trainer.limit_test_batches=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs on still images and on events."""
    found = {}
    for dataset in ("digits", "digits_dvs"):
        root = tmp_path_factory.mktemp(dataset)
        paths = (f"paths.runs={root}", f"paths.data={root}")
        assert main(["train", *TINY, f"dataset={dataset}", *paths]) == 0
        (found[dataset],) = root.glob("*/*/seed0")
    return found


def test_conditions_of_images_and_of_recordings():
    asked = RobustnessConfig()
    images, events = conditions(asked, True), conditions(asked, False)
    assert images[0] == events[0] == Condition("clean", 0.0)
    assert len(events) == 1 + 3 * 3
    assert len(images) == 1 + 3 * 3 + len(CORRUPTIONS) * 3
    assert len(set(images)) == len(images)
    few = RobustnessConfig(kinds=("fog", "uniform"), severities=(2,), levels=(0.3,))
    assert conditions(few, True) == [Condition("uniform", 0.3), Condition("fog", 2.0)]
    with pytest.raises(SnnlabError, match="fog is a corruption of still images"):
        conditions(few, False)


def rows_of(folder):
    (file,) = folder.glob("robustness-*.json")
    content = json.loads(file.read_text())
    file.unlink()
    return content["rows"]


def test_each_condition_is_measured_at_each_step(trained):
    asked = ("robustness=[clean,gaussian,contrast,jpeg_compression]", "robustness.severities=[1,5]")
    command = ["eval", f"run={trained['digits']}", *asked, "robustness.levels=[0.2]"]
    assert main(command) == 0
    rows = rows_of(trained["digits"])
    assert [(row["kind"], row["level"]) for row in rows] == [
        ("clean", 0.0), ("gaussian", 0.2), ("contrast", 1.0), ("contrast", 5.0),
        ("jpeg_compression", 1.0), ("jpeg_compression", 5.0),
    ]  # fmt: skip
    for row in rows:
        for key in ("acc", "nll", "brier", "ece", "adaece", "cece"):
            assert len(row[f"{key}_step"]) == len(row[f"{key}_cum"]) == 2
        assert row["samples"] == 64
    result = json.loads((trained["digits"] / "result.json").read_text())["last"]
    assert rows[0]["ece_cum"] == [result[f"test/ece_cum/t{t}"] for t in (1, 2)]
    assert len({tuple(row["nll_cum"]) for row in rows}) == len(rows)
    # Another size of batches sees the same corrupted samples.
    assert main([*command, "trainer.eval_batch_size=7"]) == 0
    for one, other in zip(rows, rows_of(trained["digits"]), strict=True):
        assert other["nll_cum"] == pytest.approx(one["nll_cum"], rel=1e-4)


def test_an_interrupted_call_goes_on(trained, monkeypatch):
    command = ["eval", f"run={trained['digits_dvs']}", "robustness=[all]", "robustness.levels=[0.1]"]
    done = []
    measured = robustness.measured

    def counting(stored, condition, *others):
        if len(done) == 2:
            done.append(None)
            raise KeyboardInterrupt
        done.append(condition)
        return measured(stored, condition, *others)

    monkeypatch.setattr(robustness, "measured", counting)
    assert main(command) == 75
    assert main(command) == 0
    assert [one.kind for one in done if one] == ["clean", "uniform", "salt_pepper", "gaussian"]
    assert main(command) == 0
    assert len(done) == 5
    rows = rows_of(trained["digits_dvs"])
    assert [row["kind"] for row in rows] == ["clean", "uniform", "salt_pepper", "gaussian"]


def test_it_is_measured_by_itself(trained, capsys):
    assert main(["eval", f"run={trained['digits']}", "robustness=[all]", "num_steps=[1,2]"]) == 2
    assert "robustness: measured by itself" in capsys.readouterr().err
    assert main(["eval", f"run={trained['digits_dvs']}", "robustness=[fog]"]) == 2
    assert "of recordings there are the noises" in capsys.readouterr().err
