"""A run of each paper's method that is killed in the middle of an epoch ends as the uninterrupted one, bit for bit."""

import pytest

from tests.train.test_recipe import FEW_STEPS, assert_same, rows, run_folder, state, train

METHODS = {
    "cf, tsg and pnb": ("+experiment=cf_digits_dvs", "num_steps=2", "model.channels=[4,4,4,4]"),
    "text": ("+experiment=cf_sst2", "num_steps=2"),
    "dsatgo": ("+experiment=dsatgo_digits_dvs", "num_steps=2", "model.channels=[4,4,4,4]"),
    "quantised ann": ("+experiment=mtsnn_digits", "model.blocks=[1]", "model.width=4"),
    "compiled": (
        "+experiment=quickstart",
        "num_steps=2",
        "model.channels=[4,4,4,4]",
        "trainer.backend=compiled",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_killed_in_the_middle_of_an_epoch_equals_uninterrupted(method, tmp_path):
    settings = (*METHODS[method], *FEW_STEPS)
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    done = train(straight, settings=settings)
    assert done.returncode == 0, done.stderr
    assert train(broken, settings=settings, signal_at=(9, 8)).returncode == -9
    assert len(rows(run_folder(broken))) == 2
    assert train(broken, settings=settings).returncode == 0
    assert_same(state(run_folder(broken)), state(run_folder(straight)))
    assert rows(run_folder(broken)) == rows(run_folder(straight))
