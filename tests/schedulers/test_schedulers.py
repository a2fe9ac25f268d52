"""The schedules against PyTorch's and timm's, and their exact continuation."""

import json
import math

import pytest
import torch
from timm.scheduler import CosineLRScheduler
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR

from snnlab.runs.load import load
from snnlab.schedulers import Constant, Cosine, Step

EPOCHS, STEPS = 12, 5


def make_optimizer(lrs=(0.1, 0.02)):
    return torch.optim.SGD([{"params": nn.Linear(2, 2).parameters(), "lr": lr} for lr in lrs])


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def run(make, steps=EPOCHS * STEPS):
    """The rates that each optimiser step is taken with."""
    optimizer = make_optimizer()
    schedule = make(optimizer)
    taken = []
    for _ in range(steps):
        taken.append(rates(optimizer))
        schedule.step()
    return taken


def cosine(**options):
    return lambda optimizer: Cosine(optimizer, EPOCHS, STEPS, **options)


def run_theirs(make, calls, repeats):
    """The rates of a scheduler that is stepped `calls` times, each held for `repeats` optimiser steps."""
    optimizer = make_optimizer()
    theirs = make(optimizer)
    taken = []
    for call in range(calls):
        taken += [rates(optimizer)] * repeats
        optimizer.step()
        theirs.step(call + 1) if isinstance(theirs, CosineLRScheduler) else theirs.step()
    return taken


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a == pytest.approx(b, abs=1e-15)


@pytest.mark.parametrize("min_lr", [0.0, 0.003])
def test_cosine_per_epoch_is_cosine_annealing_stepped_once_per_epoch(min_lr):
    theirs = run_theirs(lambda o: CosineAnnealingLR(o, T_max=EPOCHS, eta_min=min_lr), EPOCHS, STEPS)
    assert_same(run(cosine(min_lr=min_lr)), theirs)
    assert_same(run(cosine(min_lr=min_lr, per="epoch")), theirs)


def test_cosine_per_step_is_cosine_annealing_stepped_at_every_step():
    theirs = run_theirs(lambda o: CosineAnnealingLR(o, T_max=EPOCHS * STEPS), EPOCHS * STEPS, 1)
    assert_same(run(cosine(per="step")), theirs)


@pytest.mark.parametrize("prefix", [True, False])
def test_warmup_and_cooldown_are_those_of_timm(prefix):
    options = {"min_lr": 1e-4, "warmup_epochs": 3, "warmup_start_lr": 1e-5, "cooldown_epochs": 2}
    length = EPOCHS - 2 - (3 if prefix else 0)
    theirs = run_theirs(
        lambda o: CosineLRScheduler(
            o, t_initial=length, lr_min=1e-4, warmup_t=3, warmup_lr_init=1e-5, warmup_prefix=prefix
        ),
        EPOCHS,
        STEPS,
    )
    assert_same(run(cosine(warmup_prefix=prefix, **options)), theirs)


def test_warmup_per_step_is_a_straight_line_that_ends_at_the_optimisers_rate():
    found = run(cosine(per="step", warmup_epochs=2, warmup_start_lr=0.0))
    assert_same(found[: 2 * STEPS + 1], [[0.1 * s / 10, 0.02 * s / 10] for s in range(11)])
    assert found[2 * STEPS + 1][0] < 0.1


def test_after_the_last_step_the_rate_is_the_smallest():
    for per in ("epoch", "step"):
        optimizer = make_optimizer()
        schedule = Cosine(optimizer, EPOCHS, STEPS, min_lr=0.001, per=per)
        for _ in range(EPOCHS * STEPS + 3):
            schedule.step()
        assert rates(optimizer) == [0.001, 0.001]


@pytest.mark.parametrize("per", ["epoch", "step"])
@pytest.mark.parametrize("before", [1, 7, 17])
def test_a_run_behind_another_has_the_end_of_the_whole_runs_rates(before, per):
    options = {"min_lr": 0.003, "warmup_epochs": 3, "warmup_start_lr": 0.0, "cooldown_epochs": 1, "per": per}
    whole = run(lambda optimizer: Cosine(optimizer, 20, STEPS, **options), 20 * STEPS)
    left = 20 - before
    end = run(lambda optimizer: Cosine(optimizer, left, STEPS, **options, epochs_before=before), left * STEPS)
    assert_same(end, whole[before * STEPS :])


def test_qkformer_is_fine_tuned_at_the_end_of_its_own_cosine():
    """Epochs 203 to 213 of TMC's script: the learning rates are those that its optimiser would have."""
    cfg = load(["+experiment=tmc_imagenet_qkformer"])
    peak, low = 6e-4 * 480 / 256, 1e-6
    assert cfg.optimizer.params["lr"] == pytest.approx(peak)
    schedule = Cosine(make_optimizer((peak,)), cfg.trainer.epochs, 1, **cfg.scheduler.params)
    found = [schedule.lr_at(epoch, peak) for epoch in range(11)]
    theirs = [low + (peak - low) * (1 + math.cos(math.pi * (e - 5) / 208)) / 2 for e in range(203, 214)]
    assert found == pytest.approx(theirs)
    assert found[0] == pytest.approx(7.4e-6, rel=0.01)


def test_a_run_shorter_than_its_warmup_only_warms_up():
    optimizer = make_optimizer((0.1,))
    schedule = Cosine(optimizer, 1, 4, warmup_epochs=20, warmup_start_lr=0.0, cooldown_epochs=10, per="step")
    for step in range(4):
        assert rates(optimizer) == [pytest.approx(0.1 * step / 80)]
        schedule.step()


def test_step_is_multi_step():
    theirs = run_theirs(lambda o: MultiStepLR(o, [3, 7, 8], gamma=0.3), EPOCHS, STEPS)
    assert_same(run(lambda o: Step(o, EPOCHS, STEPS, milestones=(3, 7, 8), gamma=0.3)), theirs)
    assert_same(run(lambda o: Step(o, EPOCHS, STEPS, milestones=[8, 3, 7], gamma=0.3)), theirs)


def test_constant_is_constant():
    assert run(lambda o: Constant(o, EPOCHS, STEPS)) == [[0.1, 0.02]] * (EPOCHS * STEPS)


MAKERS = {
    "cosine": cosine(warmup_epochs=2, min_lr=1e-3),
    "cosine per step": cosine(warmup_epochs=2, per="step"),
    "step": lambda o: Step(o, EPOCHS, STEPS, milestones=(3, 7)),
    "constant": lambda o: Constant(o, EPOCHS, STEPS),
}


@pytest.mark.parametrize("optimizer_first", [True, False])
@pytest.mark.parametrize("name", MAKERS)
def test_a_restored_schedule_continues_exactly(name, optimizer_first):
    """Whatever the order in which the optimiser and its schedule are made and restored."""
    expected = run(MAKERS[name])
    for stop in (0, 1, STEPS, 2 * STEPS + 3, EPOCHS * STEPS - 1):
        optimizer = make_optimizer()
        schedule = MAKERS[name](optimizer)
        for _ in range(stop):
            schedule.step()
        saved, saved_optimizer = json.loads(json.dumps(schedule.state_dict())), optimizer.state_dict()

        optimizer = make_optimizer()
        if optimizer_first:
            optimizer.load_state_dict(saved_optimizer)
        schedule = MAKERS[name](optimizer)
        schedule.load_state_dict(saved)
        if not optimizer_first:
            optimizer.load_state_dict(saved_optimizer)
        for step in range(stop, EPOCHS * STEPS):
            assert rates(optimizer) == expected[step]
            schedule.step()


def test_the_state_of_other_groups_is_refused():
    state = Constant(make_optimizer((0.1,)), EPOCHS, STEPS).state_dict()
    with pytest.raises(ValueError, match="1 parameter groups, the optimiser has 2"):
        Constant(make_optimizer(), EPOCHS, STEPS).load_state_dict(state)


@pytest.mark.parametrize("cls", [Constant, Cosine, Step])
def test_an_empty_run_is_refused(cls):
    with pytest.raises(ValueError, match="0 epochs"):
        cls(make_optimizer(), 0, STEPS)
    with pytest.raises(ValueError, match="0 steps"):
        cls(make_optimizer(), EPOCHS, 0)


def test_negative_milestones_are_refused():
    with pytest.raises(ValueError, match="milestones"):
        Step(make_optimizer(), EPOCHS, STEPS, milestones=(-1,))
