"""Where TMC's training settles, against SciPy's roots, gradient descent on the loss itself, and a trained network."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from snnlab.cli import main
from snnlab.losses import TMC
from snnlab.tmc_fixed_points import fixed_points, fixed_points_of, lambdas

PUBLISHED = {
    ("code", 4): ([0.382, 0.622, 0.791, 0.921], 0.721),
    ("code", 6): ([0.382, 0.598, 0.728, 0.829, 0.908, 0.965], 0.794),
    ("code", 10): ([0.382, 0.581, 0.685, 0.761, 0.822, 0.871, 0.912, 0.945, 0.970, 0.988], 0.861),
    ("paper", 4): ([0.417, 0.712, 0.895, 1.0], 1.0),
}


@pytest.mark.parametrize(("exponent", "num_steps"), PUBLISHED)
def test_the_numbers_of_the_docs(exponent, num_steps):
    found = fixed_points(num_steps, exponent)
    steps, last = PUBLISHED[exponent, num_steps]
    assert found.step == pytest.approx(steps, abs=5e-4)
    assert found.cumulative[-1] == pytest.approx(last, abs=5e-4)
    assert found.cumulative[0] == found.step[0]


def test_the_first_step_of_the_code_is_the_golden_ratio():
    """1 - p = p / (1 - p), whatever T."""
    for num_steps in (1, 2, 7, 50):
        assert fixed_points(num_steps, "code").step[0] == pytest.approx((3 - 5**0.5) / 2, abs=1e-12)


@pytest.mark.parametrize("exponent", ["paper", "code", "none"])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 5, 8, 16])
def test_roots_of_the_equation(exponent, num_steps):
    """In probabilities, by SciPy's method, with the cumulative odds as the geometric mean of the steps'."""
    found = fixed_points(num_steps, exponent)
    odds: list[float] = []
    for t, power in enumerate(lambdas(num_steps, exponent), start=1):

        def equation(p, t=t, power=power):
            mean = np.exp(np.mean(np.log([*odds, p / (1 - p)])))
            return 1 - p - power / t * mean**power

        if power == 0:
            assert found.step[t - 1] == found.cumulative[t - 1] == 1.0
            continue
        p = brentq(equation, 1e-12, 1 - 1e-12, xtol=1e-14)
        odds.append(p / (1 - p))
        q = np.exp(np.mean(np.log(odds)))
        assert found.step[t - 1] == pytest.approx(p, abs=1e-9)
        assert found.cumulative[t - 1] == pytest.approx(q / (1 + q), abs=1e-9)


@pytest.mark.parametrize("exponent", ["paper", "code", "none"])
def test_exponents_are_those_of_the_loss(exponent):
    for num_steps in (1, 4, 10):
        loss = TMC(exponent=exponent)
        assert lambdas(num_steps, exponent) == pytest.approx(
            loss._lambdas(torch.ones(num_steps).double()).tolist()
        )


def settle(loss, num_steps, classes=3, steps=800, rate=1.0):
    """Gradient descent on a linear layer for each step over one-hot inputs, two a class: a separable problem."""
    torch.manual_seed(0)
    target = torch.arange(classes).repeat(2)
    weight = (0.3 * torch.randn(num_steps, len(target), classes, dtype=torch.float64)).requires_grad_()
    for _ in range(steps):
        # The loss is a mean over steps and samples; times their number, the size of a step does not depend on them.
        (gradient,) = torch.autograd.grad(loss(weight, target) * num_steps * len(target), weight)
        with torch.no_grad():
            weight -= rate * gradient
    index = target.expand(num_steps, -1)[..., None]
    with torch.no_grad():
        cumulative = weight.cumsum(0) / torch.arange(1, num_steps + 1)[:, None, None]
        return [z.softmax(2).gather(2, index).squeeze(2) for z in (weight, cumulative)]


@pytest.mark.parametrize(
    ("theta", "exponent", "smoothing"),
    [(*two, 0.0) for two in itertools.product(["sample", "batch"], ["code", "none"])]
    + [("batch", "code", 0.2)],
)
def test_gradient_descent_on_the_loss_ends_there(theta, exponent, smoothing):
    classes, num_steps = 3, 3
    loss = TMC(theta=theta, exponent=exponent, label_smoothing=smoothing)
    p_TB, q_TB = settle(loss, num_steps, classes)
    found = fixed_points(num_steps, exponent, smoothing=smoothing * (classes - 1) / classes)
    for measured_TB, expected in ((p_TB, found.step), (q_TB, found.cumulative)):
        assert measured_TB.mean(1).tolist() == pytest.approx(expected, abs=1e-3)
        assert (measured_TB - measured_TB.mean(1, keepdim=True)).abs().max() < 2e-2


def test_the_last_step_of_the_paper_has_no_such_point():
    p_TB, _ = settle(TMC(variant="paper"), 3)
    found = fixed_points(3, "paper")
    assert p_TB.mean(1)[:2].tolist() == pytest.approx(found.step[:2], abs=1e-3)
    assert found.step[2] == 1.0
    assert p_TB.mean(1)[2] > 0.99


@pytest.mark.parametrize("exponent", ["paper", "code", "none"])
def test_the_probability_itself_as_the_penalty_holds_nothing_back(exponent):
    """Why the ablation TMC* is as sure of itself as TET."""
    found = fixed_points(4, exponent, "beta")
    assert found.step == found.cumulative == [1.0] * 4
    p_TB, _ = settle(TMC(exponent=exponent, base="beta"), 4)
    assert p_TB.min() > 0.95


def test_a_network_that_fits_its_data_ends_there(tmp_path):
    """A spiking network with shared weights for all steps, on forty real digits, measured by its own evaluation."""
    arguments = ("dataset.image_size=8", "model.channels=[8,8]", "num_steps=3", "optimizer.lr=0.02")
    few = ("trainer.overfit_batches=4", "trainer.batch_size=10", "trainer.epochs=40", "trainer.eval_every=40")
    quiet = (
        "trainer.device=cpu",
        "trainer.progress=none",
        f"paths.runs={tmp_path}",
        f"paths.data={tmp_path}",
    )
    assert main(["train", "+experiment=quickstart", *arguments, *few, *quiet]) == 0
    (folder,) = tmp_path.glob("*/*/seed0")
    assert json.loads((folder / "result.json").read_text())["last"]["test/acc"] == 1.0
    bins = json.loads((folder / "evaluation.json").read_text())["reliability"]
    found = fixed_points(3)
    for reading, expected in (("step", found.step), ("cum", found.cumulative)):
        count, confidence = bins[reading]["count"], bins[reading]["confidence"]
        measured = [
            sum(n * p for n, p in zip(*one, strict=True) if n) / sum(one[0])
            for one in zip(count, confidence, strict=True)
        ]
        assert measured == pytest.approx(expected, abs=0.04)
    assert (folder / "plots/reliability.png").exists()


def test_of_a_run():
    assert fixed_points_of("sdt", {}, 4, 10) is None
    assert fixed_points_of("tmc", {}, 4, 10) == fixed_points(4)
    assert fixed_points_of("tmc", {"variant": "paper", "exponent": None}, 4, 10) == fixed_points(4, "paper")
    assert fixed_points_of("tmc", {"variant": "paper", "exponent": "none"}, 4, 10) == fixed_points(4, "none")
    smooth = fixed_points_of("tmc", {"label_smoothing": 0.2, "base": "beta"}, 4, 10)
    assert smooth == fixed_points(4, "code", "beta", 0.2 * 9 / 10)


@pytest.mark.parametrize("wrong", [{"num_steps": 0}, {"num_steps": 2, "smoothing": 1.0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 step"):
        fixed_points(**wrong)


def test_the_table_of_the_docs_is_what_is_solved():
    text = (Path(__file__).parents[1] / "docs/papers/tmc.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (code|paper|no lambda)[^|]*\| (\d+) \| ([\d. ]+) \| ([\d.]+) \|$", text, re.MULTILINE
    )
    assert len(rows) == 7
    for variant, num_steps, steps, last in rows:
        found = fixed_points(int(num_steps), "none" if variant == "no lambda" else variant)
        assert [float(one) for one in steps.split()] == pytest.approx(found.step, abs=5.1e-4)
        assert float(last) == pytest.approx(found.cumulative[-1], abs=5.1e-4)
