"""`snnlab check` refuses, in the same words, what `snnlab train` refuses about augmentations before it reads data."""

import json
from pathlib import Path

import pytest

from snnlab.cli import main

REFUSED = {
    "a loss with one class for each sample": [
        "+experiment=spikformer_cifar10",
        "loss=tmc",
        "loss.label_smoothing=0",
    ],
    "a loss that says so by its keys": [
        "+experiment=quickstart",
        "augment=mixup",
        "loss=twd",
        "loss.ensemble=correct_steps",
    ],
    "pictures' operations on recordings": ["dataset=nmnist", "augment=autoaugment"],
    "pictures' operations on text": ["+experiment=cf_sst2", "augment=flip"],
    "another class in the mirror": ["+experiment=cf_dvsgesture", "augment=flip"],
}


@pytest.mark.parametrize("case", REFUSED)
def test_check_says_what_train_says(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [*REFUSED[case], f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'none'}"]
    assert main(["check", *line]) == 2
    checked = capsys.readouterr()
    assert main(["train", *line]) == 2
    trained = capsys.readouterr()
    assert checked.err == trained.err
    assert checked.err.startswith("error: augment")
    assert checked.err.count("hint: ") == 1
    assert checked.out == ""


def test_it_is_one_problem_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "+experiment=spikformer_cifar10", "loss=tmc", "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)
    assert problem["error"].startswith("augment.mixup: mixes samples and their classes, and loss 'tmc'")
