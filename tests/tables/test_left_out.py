"""What footnotes and comments call left out is not in the experiments that they are about."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from snnlab.runs.load import load

CONF = Path(__file__).resolve().parents[2] / "conf"
LEFT_OUT = re.compile(
    r"\b(without|but for|the paper adds|is not here|are not here|is left out)\b", re.IGNORECASE
)
OPERATIONS = {
    "AutoAugment": "autoaugment",
    "RandAugment": "rand_augment",
    "Cutout": "cutout",
    "mirror image": "flip",
    "random erasing": "random_erasing",
    "mixup": "mixup",
    "rotation": "nda",
}


@cache
def operations(experiment: str) -> frozenset[str]:
    return frozenset(op.name for op in load([f"+experiment={experiment}"]).augment)


def contradictions(text: str, experiments: list[str]) -> list[str]:
    """The sentences that say that an operation is left out, though an experiment has it."""
    return [
        f"{experiment} has {OPERATIONS[word]}: {sentence}"
        for sentence in re.split(r"(?<=[.;:])\s+", text)
        if LEFT_OUT.search(sentence)
        for word in OPERATIONS
        if word.lower() in sentence.lower()
        for experiment in experiments
        if OPERATIONS[word] in operations(experiment)
    ]


TABLES = {}
for path in sorted((CONF / "table").glob("*.yaml")):
    notes = yaml.safe_load(path.read_text()).get("footnotes") or {}
    named = sorted(set(re.findall(r"\bexperiment: (\w+)", path.read_text())))
    own = [name for name in named if (CONF / f"experiment/{name}.yaml").is_file()]
    if notes and own and LEFT_OUT.search(" ".join(map(str, notes.values()))):
        TABLES[path.stem] = (" ".join(map(str, notes.values())), own)

RECIPES = {}
for path in sorted((CONF / "experiment").glob("*.yaml")):
    comment = " ".join(line[2:] for line in path.read_text().splitlines() if line.startswith("# "))
    if LEFT_OUT.search(comment):
        RECIPES[path.stem] = (comment, [path.stem])


@pytest.mark.parametrize("name", TABLES)
def test_a_footnote_leaves_out_what_its_experiments_leave_out(name):
    assert not contradictions(*TABLES[name])


@pytest.mark.parametrize("name", RECIPES)
def test_the_comment_of_an_experiment_leaves_out_what_it_leaves_out(name):
    assert not contradictions(*RECIPES[name])


@pytest.mark.parametrize(
    ("sentence", "experiment"),
    [
        ("Two in the code. Without AutoAugment, whose policy is not given.", "dsatgo_imagenet"),
        (
            "Trained with crop and mirror image; the paper adds Cutout and AutoAugment.",
            "mtsnn_imagenet_vgg16",
        ),
        ("Augmented as by LM-HT, but for its rotation by 45 degrees.", "mtsnn_dvsgesture"),
        ("As in LM-HT's code, without its mirror images, which are other gestures.", "mtsnn_dvsgesture"),
    ],
)
def test_a_sentence_that_a_recipe_contradicts_is_found(sentence, experiment):
    assert contradictions(sentence, [experiment])
    assert not contradictions(sentence, ["sdt_cifar10"] if "mirror" not in sentence else ["tmc_dvsgesture"])
