"""`snnlab board` on a tiny network: it trains, measures, writes its page, and goes on where it was cut."""

import json
import re

import pytest

from snnlab.board.lines import markdown
from snnlab.board.page import board_page
from snnlab.board.standing import Standing
from snnlab.board.stored_board import CONDITIONS, as_json, beside, read_board, refuse_other_conditions
from snnlab.cli import main
from snnlab.errors import ConfigError
from snnlab.evaluate import robustness
from snnlab.evaluate.corruption_names import CORRUPTIONS

TINY = (
    "losses=[sdt,tmc]", "neurons=[lif]", "seeds=[0]", "severities=[3]", "levels=[0.1]", "batches=1",
    "dataset=digits", "dataset.image_size=8", "model.channels=[4,8]", "num_steps=2", "trainer.epochs=1",
    "trainer.max_steps=2", "trainer.eval_every=1", "trainer.device=cpu", "trainer.plots=false",
    "trainer.progress=none", "hydra/launcher=basic",
)  # fmt: skip


def test_a_tiny_board_is_cut_goes_on_and_measures_nothing_twice(tmp_path, monkeypatch, capsys):
    page = tmp_path / "out" / "board.html"
    asked = ["board", *TINY, f"paths.runs={tmp_path}/runs", f"paths.data={tmp_path}"]
    command = [*asked, "--output", str(page)]
    seen = []
    measured = robustness.measured

    def counting(stored, condition, *rest):
        if len(seen) == 5:
            seen.append("stop")
            raise KeyboardInterrupt
        seen.append((stored.cfg.loss.name, condition))
        return measured(stored, condition, *rest)

    monkeypatch.setattr(robustness, "measured", counting)
    assert main([*command, "--run"]) == 75
    assert main([*command, "--run"]) == 0
    once = [one for one in seen if one != "stop"]
    assert len(once) == len(set(once)) == 2 * (1 + 3 + len(CORRUPTIONS))
    assert main([*command, "--run"]) == 0
    assert len(seen) == len(once) + 1
    text = page.read_text()
    assert "Not measured yet" not in text
    for part in (
        "sdt, lif (1)",
        "tmc, lif (1)",
        "jpeg compression",
        "noise: gaussian",
        "Over time steps: lif",
        "losses=[sdt,tmc]",
    ):
        assert part in text
    assert not re.search(r"<script|src=\"http|href=\"http", text)
    capsys.readouterr()
    assert main([*asked, "--plan"]) == 0
    assert "2 done" in capsys.readouterr().out
    # Other conditions are another measurement of the same runs.
    assert main([*command, "levels=[0.3]"]) == 0
    assert "Not measured yet: sdt, lif; tmc, lif" in page.read_text()


UNDER = {
    ("clean", 0.0): 0.8,
    ("uniform", 0.1): 0.6,
    ("uniform", 0.2): 0.4,
    ("fog", 1.0): 0.3,
    ("fog", 5.0): 0.1,
    ("contrast", 1.0): 0.6,
}


def rows():
    """What is stored of a run: every metric is 0 at the first step, and at the second as above."""
    keys = [
        f"{key}_{reading}"
        for key in ("acc", "nll", "brier", "ece", "adaece", "cece")
        for reading in ("cum", "step")
    ]
    return [
        {"kind": kind, "level": level, **{key: [0.0, value] for key in keys}}
        for (kind, level), value in UNDER.items()
    ]


def test_a_kind_counts_once_whatever_the_number_of_its_levels():
    one = Standing("sdt", "lif", [rows()], [0.995])
    assert one.last("acc", ("clean",)) == (0.8, None)
    assert one.last("acc", ("uniform",))[0] == pytest.approx(0.5)
    assert one.last("acc", ("fog", "contrast"))[0] == pytest.approx((0.2 + 0.6) / 2)
    assert one.over_time("acc", "cum", ("fog", "contrast")) == pytest.approx([0.0, 0.4])
    assert one.last("acc", ("motion_blur",)) == (None, None)
    other = json.loads(json.dumps(rows()).replace("0.8", "0.6"))
    both = Standing("sdt", "lif", [rows(), other], [0.995, 0.98])
    mean, deviation = both.last("acc", ("clean",))
    assert (mean, deviation) == (pytest.approx(0.7), pytest.approx(0.02**0.5))


def test_the_page_names_the_best_the_worst_training_and_what_is_missing():
    better = json.loads(json.dumps(rows()).replace("0.8", "0.9"))
    known = [Standing("sdt", "lif", [rows()], [0.995]), Standing("tmc", "lif", [better], [0.992])]
    page = board_page([*known, Standing("twd", "cf", [], [])], [("seeds", "0")])
    assert "Not measured yet: twd, cf." in page
    assert "<b>90.00</b>" in page
    # Of ECE the lower value is the better one.
    assert "<b>0.8000</b>" in page
    assert "<b>0.9000</b>" not in page
    for text in ("99.50", "99.20", "sdt, lif, fog: 20.00 %"):
        assert text in page
    assert "twd, cf (0)" not in page


def test_a_network_that_has_not_learned_its_training_data_is_none_of_the_best():
    better = json.loads(json.dumps(rows()).replace("0.8", "0.9"))
    known = [
        Standing("sdt", "lif", [rows()], [0.995]),
        Standing("tmc", "cf", [better, better], [0.995, 0.93]),
    ]
    page = board_page(known, [])
    assert "93.00 (below 99)" in page
    assert "99.50 (below" not in page
    assert "<b>80.00</b>" in page
    assert "<b>90.00" not in page


def test_a_board_without_measurements_has_a_page():
    page = board_page([Standing("sdt", "lif", [], [])], [])
    assert "Not measured yet: sdt, lif." in page
    assert "All pairs" not in page


def test_a_board_of_many_losses_and_kinds_has_a_narrow_column_for_each_kind():
    """Colours of lines begin again; names of kinds stand upright, so that all of them are seen at once."""
    page = board_page([Standing(f"loss{n}", "lif", [rows()], [0.9]) for n in range(12)], [])
    assert "loss11, clean" in page
    heads = re.findall(r'<th class="upright">([^<]+)</th>', page)
    assert heads == 2 * ["clean", "noise: uniform", "fog", "contrast"]


def test_a_stored_board_has_the_same_page_and_stands_beside_what_is_measured_later(tmp_path):
    facts = [(name, "x") for name in CONDITIONS] + [("threads", "1")]
    known = [Standing("sdt", "lif", [rows(), rows()], [0.995, 1.0]), Standing("tmc", "cf", [rows()], [0.93])]
    file = tmp_path / "board.json"
    file.write_text(json.dumps(as_json([*known, Standing("twd", "lif", [], [])], facts)))
    stored, stored_facts = read_board(file)
    assert stored_facts["threads"] == "1"
    assert board_page(stored, facts) == board_page(known, facts)
    assert markdown(stored) == markdown(known)
    better = json.loads(json.dumps(rows()).replace("0.8", "0.9"))
    here = [
        Standing("sdt", "lif", [better], [1.0]),
        Standing("mine", "lif", [], []),
        Standing("tmc", "cf", [], []),
    ]
    found = beside(here, [*stored, Standing("tet", "if", [rows()], [1.0])])
    assert [one.name for one in found] == ["sdt, lif", "mine, lif", "tmc, cf", "tet, if"]
    # What is measured here comes before what is stored.
    assert found[0].last("acc", ("clean",))[0] == 0.9
    assert found[2].last("acc", ("clean",))[0] == 0.8


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_board_measured_under_other_conditions_is_refused(tmp_path, name):
    stored = dict.fromkeys(CONDITIONS, "1, 3, 5")
    with pytest.raises(ConfigError, match=f"other {name}: 1, 3, 5, and here 3"):
        refuse_other_conditions(tmp_path, stored, list({**stored, name: "3"}.items()))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "\udcff", '{"facts": {}}', '{"facts": [], "pairs": []}', '{"facts": {}, "pairs": [{}]}',
     '{"facts": {}, "pairs": [{"loss": "sdt", "neuron": "lif", "train_acc": 1, "seeds": []}]}',
     '{"facts": {}, "pairs": [{"loss": "sdt", "neuron": "lif", "train_acc": [1], "seeds": [[{"kind": "clean"}]]}]}',
     '{"facts": {}, "pairs": [{"loss": "sdt", "neuron": "lif", "train_acc": [1], "seeds": [[1]]}]}'],
)  # fmt: skip
def test_what_is_no_board_as_json_is_refused(tmp_path, text):
    file = tmp_path / "board.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match="is no board as JSON"):
        read_board(file)


def test_the_forms_of_a_board(tmp_path, capsys):
    base = ["board", *TINY, f"paths.runs={tmp_path}/runs", f"paths.data={tmp_path}"]
    assert main([*base, "--output", str(tmp_path / "a.json"), "--run"]) == 0
    capsys.readouterr()
    other = ["board", "losses=[tet]", *TINY[1:], f"paths.runs={tmp_path}/none", f"paths.data={tmp_path}"]
    stored = ["--from", str(tmp_path / "a.json")]
    assert main([*other, *stored, "--output", str(tmp_path / "b.png")]) == 0
    out = capsys.readouterr().out
    assert "| sdt, lif (1)" in out
    assert "| tmc, lif (1)" in out
    assert (tmp_path / "b.png").stat().st_size > 10_000
    assert main([*other, *stored, "--output", str(tmp_path / "b.md")]) == 0
    assert (tmp_path / "b.md").read_text() in out
    assert main([*other, "--output", str(tmp_path / "c.png")]) == 2
    assert "board: no picture without numbers" in capsys.readouterr().err
    assert main([*other, *stored, "severities=[5]"]) == 2
    assert "other severities of corruptions: 3, and here 5" in capsys.readouterr().err
    assert main([*other, "--output", str(tmp_path / "c.htlml")]) == 2
    assert "Did you mean 'html'" in capsys.readouterr().err
    assert main([*other, "--plan", *stored]) == 2
    assert "--plan is printed, and --from is not used" in capsys.readouterr().err
