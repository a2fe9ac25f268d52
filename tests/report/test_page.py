"""The HTML page of runs: complete, well-formed, without a network, and what its charts say."""

import json
import re
from html.parser import HTMLParser

import pytest
import yaml

from snnlab.errors import ConfigError
from snnlab.report.heat_map import confusion_map
from snnlab.report.page import differing, labels_of, run_page
from snnlab.report.run_data import RunData, find_runs, unfinished
from snnlab.runs.load import load

BINS = {
    "count": [[0, 4], [2, 2]],
    "confidence": [[None, 0.9], [0.3, 0.8]],
    "accuracy": [[None, 0.5], [0.5, 1.0]],
}
VOID = {"meta", "img", "br", "link"}


class Tags(HTMLParser):
    """Fails on tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


@pytest.fixture
def run(tmp_path):
    """A finished run directory."""

    def make(*overrides, acc=0.75, whole=True, name=None):
        cfg = load(["+experiment=quickstart", "num_steps=2", *overrides])
        folder = tmp_path / (name or f"{cfg.loss.name}{cfg.seed}")
        folder.mkdir()
        last = {"test/acc": acc, "test/ece": 0.1, "test/nll": None, "test/firing_rate/a<b/t1": 0.1}
        for name in ("acc", "ece", "nll"):
            for step in (1, 2):
                last |= {f"test/{name}_{reading}/t{step}": step / 10 for reading in ("step", "cum")}
        last |= {"test/firing_rate/a<b/t2": 0.3}
        result = {
            "experiment": "quickstart", "variant": "v", "seed": cfg.seed, "num_train": 8, "num_test": 4, "split": "s",
            "synthetic": False, "selection": {"last": "after epoch 2"}, "epochs": 2, "num_params": 1234,
            "train_seconds": 1.0, "samples_per_second": 9.0, "code": "0.1.0", "last": last, "best": last,
        }  # fmt: skip
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "config.yaml").write_text(yaml.safe_dump(dict(cfg.raw), sort_keys=False))
        if whole:
            (folder / "overrides.txt").write_text("\n".join(cfg.overrides) + "\n")
            rows = [{"epoch": n, "split": "test", "test/acc": n / 4, "test/loss": 1 / n} for n in (1, 2)]
            (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            evaluation = {"classes": ["x", "y"], "reliability": {"cum": BINS}, "confusion": [[2, 0], [1, 1]]}
            (folder / "evaluation.json").write_text(json.dumps(evaluation))
            (folder / "plots").mkdir()
            (folder / "plots/frames.png").write_bytes(b"not really")
            env = {"gpu": None, "device": "cpu", "threads": 1, "cpu_count": 2, "platform": "p", "python": "3"}
            (folder / "env.json").write_text(json.dumps(env | {"packages": {"torch": "2"}}))
        return folder

    return make


def parsed(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags.seen


def test_the_page_of_a_run_has_everything_and_needs_no_network(run):
    page = run_page([RunData(run())])
    seen = parsed(page)
    for text in ("75.00 %", "Training", "Over time steps", "Reliability at each step", "Firing rates", "a&lt;b",
                 "Confusion matrix", "y taken for x: 1", "Configuration", "conf/experiment/quickstart.yaml:",
                 "command line", "Environment", "snnlab train +experiment=quickstart"):  # fmt: skip
        assert text in page, text
    assert "1,234" in page
    assert all(not tag.startswith(("script", "link", "style")) for tag, _ in seen[seen.index(("body", {})) :])
    for _, attributes in seen:
        for key in ("src", "href", "xlink:href"):
            assert (attributes.get(key) or "data:").startswith(("data:", "#"))
    assert "http" not in page


def test_pictures_take_their_colours_from_the_style_sheet_and_repeat(run):
    data = RunData(run())
    page = run_page([data])
    pictures = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert (
        pictures.count("<svg") == 2 + 3 + 2
    )  # accuracy and loss, three metrics over time, two reliabilities
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b[^_]*;", pictures)
    used = set(re.findall(r"var\((--\w+)\)", pictures))
    assert {"--a", "--b", "--muted", "--line"} <= used
    light, dark = page.split("prefers-color-scheme: dark")[:2]
    for name in used:
        assert f"{name}: #" in light
        assert f"{name}: #" in dark
    for text in (
        "test, epoch 2: 50.00",
        "cumulative mean, time step 2: 20.00",
        "4 samples, confidence 0.900",
    ):
        assert f"<title>{text}" in pictures
    assert run_page([data]) == page


def test_a_run_that_stored_little_has_a_page_too(run):
    page = run_page([RunData(run(whole=False))])
    parsed(page)
    assert "Reliability" not in page
    assert "Environment" not in page


def test_runs_beside_each_other(run):
    runs = [
        RunData(run("loss=sdt", acc=0.5)),
        RunData(run("loss=tmc", acc=0.9)),
        RunData(run("seed=1", "loss=tmc")),
    ]
    assert labels_of(runs) == ["sdt seed 0", "tmc seed 0", "tmc seed 1"]
    assert ("seed", ["0", "0", "1"]) in differing(runs)
    page = run_page(runs)
    parsed(page)
    assert "<b>90.00 %</b>" in page
    assert "Settings that differ" in page
    assert "3 runs compared" in page


def test_runs_that_differ_in_their_seed_share_colour_legend_and_mean(run):
    folders = [run("loss=tet", f"seed={seed}", acc=acc) for seed, acc in enumerate((0.5, 0.6, 0.7))]
    runs = [RunData(folder) for folder in [*folders, run("loss=sdt")]]
    page = run_page(runs)
    Tags().feed(page)
    assert "tet, 3 seeds</td>" in page
    assert "60.00 % \u00b1 10.00 %" in page
    assert "sdt, 1 seeds" not in page
    assert page.count('<i class="line s0"></i>tet test</span>') == 1
    assert "<title>tet seed 1 test, epoch 2: 50.00</title>" in page
    assert page.count('<i class="dot f0"></i>tet seed') == 6
    assert page.count('<i class="dot f1"></i>sdt seed') == 2
    # Where the seed is all that differs, each has its colour.
    alone = run_page(runs[:3])
    assert '<td class="word">3 seeds</td>' in alone
    assert '<i class="dot f2"></i>seed 2' in alone


def test_a_converted_run_was_not_trained(run):
    folder = run("loss=sdt")
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**result, "conversion": {"ann": "runs/ann/seed0"}}))
    page = run_page([RunData(folder)])
    assert "snnlab convert run=runs/ann/seed0" in page
    assert "snnlab train" not in page


def test_labels_name_what_only_some_runs_have(run):
    cf = run("neuron=cf", name="cf")
    runs = [RunData(cf), RunData(run("neuron=cf", "regulariser=pnb", name="pnb")), RunData(run())]
    assert labels_of(runs) == ["cf", "cf pnb", "lif"]


def test_labels_tell_runs_apart_that_differ_in_a_number_only(run):
    runs = [
        RunData(run("neuron.threshold=0.5", name="a")),
        RunData(run("neuron.threshold=2", name="b")),
        RunData(run("neuron.threshold=2", "seed=1", "trainer.threads=1", name="c")),
        RunData(run("loss=sdt", name="d")),
    ]
    assert labels_of(runs) == [
        "tmc threshold 0.5 seed 0", "tmc threshold 2 seed 0", "tmc threshold 2 seed 1", "sdt seed 0",
    ]  # fmt: skip


def test_runs_are_found_below_a_folder(run, tmp_path):
    run("loss=sdt")
    run("loss=tmc")
    assert [one.folder.name for one in find_runs(tmp_path)] == ["sdt0", "tmc0"]
    assert unfinished(tmp_path) == []
    (tmp_path / "half").mkdir()
    (tmp_path / "half/config.yaml").touch()
    assert unfinished(tmp_path) == [tmp_path / "half"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no finished run"):
        find_runs(tmp_path / "empty")
    with pytest.raises(ConfigError, match="no such directory"):
        find_runs(tmp_path / "none")


def test_confusion_is_coloured_by_the_share_of_the_row():
    cells = confusion_map([[3, 1], [0, 0]], ["a", "b"]).cells
    assert [cell.share for cell in cells[0]] == [0.75, 0.25]
    assert [cell.share for cell in cells[1]] == [0.0, 0.0]
