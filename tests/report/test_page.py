"""The HTML page of runs: complete, well-formed, without a network, and what its charts say."""

import json
import os
import re
from html.parser import HTMLParser

from snnlab.plots.figure import also_as
from snnlab.plots.firing_rates import plot_firing_rates
from snnlab.report.labels import differing, labels_of
from snnlab.report.page import TEMPLATES, run_page
from snnlab.report.run_data import RunData

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


def test_a_page_says_where_the_training_of_its_loss_settles(run):
    """The lines are those of the run's own settings; a loss without such points has neither line nor legend."""
    for overrides, expected in (
        (("loss=tmc",), ["0.382", "0.557"]),
        (("loss=tmc", "loss.variant=paper", "seed=1"), ["0.500", "1.000"]),
        (("loss=tet",), []),
    ):
        page = run_page([RunData(run(*overrides))])
        assert (
            re.findall(r"<title>confidence at which TMC&#x27;s training settles: ([\d.]+)", page) == expected
        )
        assert ("where TMC's training settles" in page) == bool(expected)


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


def test_the_page_says_whether_the_files_are_whole(run):
    folder = run()
    page = run_page([RunData(folder)])
    assert "status.json: it is not there" in page
    assert "Not whole:" in page
    (folder / "metrics.jsonl").write_text("{\n")
    assert "metrics.jsonl: line 1: it is no JSON" in run_page([RunData(folder)])


def test_the_page_of_a_whole_run(run, monkeypatch):
    monkeypatch.setattr("snnlab.report.run_data.verify", lambda folder, checkpoints: [])
    page = run_page([RunData(run())])
    assert "Whole: configuration, result, rows and records" in page
    assert "Not whole" not in page


def test_an_unfinished_run_is_labelled_and_no_part_of_means_and_bests(run):
    folders = [run("seed=0", acc=0.25), run("seed=1", acc=0.5), run("seed=2"), run("seed=3")]
    for folder in folders[2:]:
        (folder / "result.json").unlink()
    (folders[2] / "status.json").write_text('{"status": "failed", "epoch": 2, "epochs": 16}')
    (folders[3] / "metrics.jsonl").write_text('{"epoch": 3, "split": "test", "test/acc": 0.875}\n')
    runs = [RunData(folder) for folder in folders]
    assert [one.note for one in runs] == [
        "",
        "",
        "unfinished, failed, epoch 2/16",
        "unfinished, dead, epoch 3/16",
    ]
    page = run_page(runs)
    assert "(unfinished, failed, epoch 2/16)" in page
    assert "<b>50.00 %</b>" in page
    assert "37.50 % ± 17.68" in page
    assert "2 seeds" in page
    assert ">87.50 %<" in page
    alone = run_page(runs[3:])
    assert "<h1>quickstart, seed 3 (unfinished, dead, epoch 3/16)</h1>" in alone
    assert "after epoch 3" in alone


def test_letters_of_charts_are_as_large_as_those_of_a_page_on_any_screen(run):
    """A chart is never shown smaller than it is, so its letters keep their size; on a telephone it is larger."""
    page = run_page([RunData(run())])
    style = re.sub(r"@media[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", (TEMPLATES / "style.css").read_text())
    narrow = int(re.search(r"multiples\.narrow \{.*minmax\((\d+)px", style)[1])
    wide = int(re.search(r"multiples \{.*minmax\((\d+)px", style)[1])
    # The narrowest telephones have 320 pixels, 266 of them inside a section.
    assert 2 * narrow > 266 >= max(narrow, wide)
    assert len(re.findall("minmax", (TEMPLATES / "style.css").read_text())) == 2
    sizes = {"": wide, " small": narrow}
    charts = re.findall(
        r'<figure class="chart( small)?">.*?<svg viewBox="0 0 (\d+)\.?\d* .*?</svg>', page, re.DOTALL
    )
    assert {kind for kind, _ in charts} == set(sizes)
    assert all(int(width) <= sizes[kind] for kind, width in charts)
    letters = re.findall(r"font: ([\d.]+)px", "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL)))
    letters += re.findall(r"font-size: ([\d.]+)px", page)
    assert letters
    assert all(float(size) >= 10 for size in letters)


def test_a_stored_picture_is_shown_as_svg_with_its_values_where_there_is_one(run):
    folder = run()
    plot_firing_rates({"features.2": [0.25]}, folder / "analysis/rates.png")
    data = RunData(folder)
    (picture,) = data.analyses()
    page = run_page([data])
    assert picture.width == 480
    assert 'style="--width: 480px"><img src="data:image/png' in page
    also_as(("svg",))
    plot_firing_rates({"features.2": [0.25]}, folder / "analysis/rates.png")
    plot_firing_rates({"features.2": [0.25]}, folder / "analysis/twice.png")
    also_as(())
    page = run_page([RunData(folder)])
    parsed(page)
    assert page.count("<title>conv 1, t = 1: 0.2500</title>") == 2
    assert "http" not in page
    stored = "".join(re.findall(r'<figure class="picture".*?</figure>', page, re.DOTALL))
    names = re.findall(r'\bid="([^"]+)"', stored)
    assert len(names) == len(set(names))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', stored)) <= set(names)
    # A picture that was drawn again without SVG is shown, not the former one.
    os.utime(folder / "analysis/rates.svg", (0, 0))
    assert run_page([RunData(folder)]).count("<title>conv 1") == 1
