"""What `auto` chose in a run: told in the log and the result, stored in the configuration, the same numbers."""

from pathlib import Path

import pytest
import torch
import yaml

from snnlab import build
from snnlab.cli import main
from snnlab.runs.load import load
from snnlab.runs.results import read_metrics, read_result
from tests.train.test_limits import train

ONE_EPOCH = ("trainer.epochs=1", "trainer.device=cpu", "trainer.max_steps=3", "trainer.limit_test_batches=2")
LAYOUT = "trainer.channels_last=auto"


def test_the_log_and_the_result_say_it_and_the_configuration_holds_it(tmp_path: Path) -> None:
    folder = train(tmp_path, *ONE_EPOCH, LAYOUT)
    result = read_result(folder)
    assert result is not None
    assert result["chosen"] == {
        "trainer.channels_last": True,
        "trainer.num_workers": 0,
        "trainer.data_on_device": False,
        "trainer.eval_batch_size": 32,
    }
    said = "auto     channels_last=true, num_workers=0, data_on_device=false, eval_batch_size=32"
    assert said in (folder / "log.txt").read_text().splitlines()
    assert yaml.safe_load((folder / "config.yaml").read_text())["trainer"]["channels_last"] is True


def test_what_is_given_is_not_chosen(tmp_path: Path) -> None:
    given = ("trainer.num_workers=0", "trainer.data_on_device=false", "trainer.eval_batch_size=null")
    folder = train(tmp_path, *ONE_EPOCH, *given)
    result = read_result(folder)
    assert result is not None
    assert "chosen" not in result
    assert "auto  " not in (folder / "log.txt").read_text()


def test_a_run_made_in_one_layout_is_the_run_that_auto_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = train(tmp_path, *ONE_EPOCH, "trainer.channels_last=false")
    again = train(tmp_path, *ONE_EPOCH, LAYOUT)
    assert again == folder
    assert len(list(tmp_path.rglob("config.yaml"))) == 1


def test_an_interrupted_run_goes_on_in_its_layout(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", *ONE_EPOCH, "trainer.channels_last=false")
    folder = train(tmp_path / "parts", *ONE_EPOCH, "trainer.channels_last=false")
    for name in ("result.json", "checkpoints/last.pt", "checkpoints/best.pt", "metrics.jsonl"):
        (folder / name).unlink()
    assert train(tmp_path / "parts", *ONE_EPOCH, LAYOUT) == folder
    assert read_metrics(folder) == read_metrics(whole)
    result = read_result(folder)
    assert result is not None
    assert result["chosen"]["trainer.channels_last"] is False


def test_samples_on_the_device_give_the_same_run(tmp_path: Path) -> None:
    runs = [
        train(
            tmp_path / one,
            *ONE_EPOCH,
            "trainer.synthetic=false",
            f"trainer.data_on_device={one}",
            "+augment=roll",
        )
        for one in ("true", "false")
    ]
    assert read_metrics(runs[0]) == read_metrics(runs[1])
    assert runs[0].parent.name == runs[1].parent.name


def test_an_evaluation_of_a_stored_run_has_its_layout_and_its_numbers(tmp_path: Path) -> None:
    folder = train(tmp_path, "trainer.device=cpu", "trainer.epochs=1", LAYOUT)
    assert main(["eval", f"run={folder}"]) == 0
    (file,) = folder.glob("eval-*.json")
    found = yaml.safe_load(file.read_text())["metrics"]
    result = read_result(folder)
    assert result is not None
    for name in ("test/loss", "test/acc_step/t1", "test/ece_cum/t2"):
        key = name if name in found else name.removeprefix("test/")
        assert found[key] == result["last"][name]


@pytest.mark.parametrize("layout", ["true", "false", "auto"])
def test_whatever_builds_a_network_gives_it_its_layout(layout: str) -> None:
    cfg = load(
        [
            "model.channels=[4,8]",
            "dataset=digits_dvs",
            "trainer.device=cpu",
            f"trainer.channels_last={layout}",
        ]
    )
    model = build.build_model(cfg, build.build_dataset(cfg))
    weights = [weight for weight in model.parameters() if weight.dim() == 4]
    kept = [weight.is_contiguous(memory_format=torch.channels_last) for weight in weights]
    assert kept == [layout != "false"] * len(weights)
    assert weights
