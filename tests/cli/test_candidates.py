"""What the shells offer."""

import pytest

from snnlab.config.arguments import arguments_of
from snnlab.verbs._candidates import candidates
from snnlab.verbs._declarations import DECLARED


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("snnlab tr", ["train"]),
        ("snnlab train neu", ["neuron=", "neuron."]),
        ("snnlab train neuron=pl", ["neuron=plif"]),
        ("snnlab train +experiment=quick", ["+experiment=quickstart"]),
        ("snnlab train -m loss=tet,td", []),
        ("snnlab train loss=tet,tm", ["loss=tet,tmc"]),
        ("snnlab train neuron.thre", ["neuron.threshold="]),
        ("snnlab train neuron=if neuron.deca", []),
        ("snnlab train neuron.reset=", ["neuron.reset=hard", "neuron.reset=soft"]),
        ("snnlab train residual_neuron=c", ["residual_neuron=cf"]),
        ("snnlab train regu", ["regulariser=", "regulariser."]),
        ("snnlab train regulariser=p", ["regulariser=pnb"]),
        ("snnlab train regulariser=pnb regulariser.pnb.pe", ["regulariser.pnb.per="]),
        ("snnlab train regulariser.pnb.per=", ["regulariser.pnb.per=layer", "regulariser.pnb.per=step"]),
        ("snnlab train trainer.prec", ["trainer.precision="]),
        ("snnlab train trainer.precision=b", ["trainer.precision=bf16"]),
        ("snnlab train nonsense=[ neuron.reset=h", ["neuron.reset=hard"]),
        ("snnlab train 'a", []),
        ("snnlab train -m hydra/", ["hydra/launcher=", "hydra/sweeper="]),
        ("snnlab train -m hydra/launcher=r", ["hydra/launcher=ray"]),
        (
            "snnlab train -m hydra/launcher=sub",
            ["hydra/launcher=submitit_local", "hydra/launcher=submitit_slurm"],
        ),
        ("snnlab train -m hydra/sweeper=", ["hydra/sweeper=basic", "hydra/sweeper=optuna"]),
        ("snnlab train -m hydra.launcher.w", ["hydra.launcher.workers="]),
        ("snnlab train -m hydra/launcher=ray hydra.launcher.c", ["hydra.launcher.cpus="]),
        ("snnlab train -m hydra/launcher=joblib hydra.launcher.c", []),
        ("snnlab list exp", ["experiment"]),
        ("snnlab list neuron pl", ["plif"]),
        ("snnlab data ver", ["verify"]),
        ("snnlab runs --s", ["--sort", "--state"]),
        ("snnlab clean --y", ["--yes"]),
        ("snnlab log --f", ["--follow"]),
        ("snnlab data prepare digits_", ["digits_dvs"]),
        ("snnlab analyse run=x wh", ["what="]),
        ("snnlab analyse what=ts", ["what=tsne"]),
        ("snnlab analyse what=[tsne,mem", ["what=[tsne,membrane"]),
        ("snnlab analyse what=[mem", ["what=[membrane"]),
        ("snnlab analyse lands", ["landscape."]),
        ("snnlab analyse landscape.gr", ["landscape.grid="]),
        ("snnlab analyse energy.convention=ds", ["energy.convention=dsatgo"]),
        ("snnlab analyse trainer.prec", []),
        ("snnlab eval ch", ["checkpoint="]),
        ("snnlab eval weights=a", ["weights=average"]),
        ("snnlab eval early_exit.lo", ["early_exit.logits="]),
        ("snnlab eval noi", ["noise.", "noise="]),
        ("snnlab eval neuron.thre", ["neuron.threshold="]),
        ("snnlab eval trainer.epo", []),
        ("snnlab eval trainer.limit_", ["trainer.limit_test_batches=", "trainer.limit_draw="]),
        ("snnlab eval optim", []),
        ("snnlab analyse +exp", []),
        ("snnlab export init", []),
        ("snnlab export see", []),
        ("snnlab convert fold=", ["fold=true", "fold=false"]),
        ("snnlab export fo", ["format="]),
        ("snnlab bench device=cu", ["device=cuda"]),
        ("snnlab bench trainer.prec", []),
        ("snnlab board losses=[sdt,tm", ["losses=[sdt,tmc"]),
        ("snnlab table tmc_1 se", ["seeds=", "select=", "seed="]),
        ("snnlab table tmc_1 scale=sh", ["scale=short"]),
        ("snnlab completion z", ["zsh"]),
        ("snnlab doctor x", []),
    ],
)
def test_candidates(line, some):
    assert candidates(line) == some


def test_own_configs(here):
    (here / "my_conf/neuron").mkdir(parents=True)
    (here / "my_conf/neuron/foo_bar.yaml").touch()
    assert candidates("snnlab train --config-dir my_conf neuron=fo") == ["neuron=foo_bar"]
    assert candidates("snnlab train --config-dir=my_conf neuron=foo") == ["neuron=foo_bar"]


@pytest.mark.parametrize("verb", ["eval", "analyse", "convert", "export"])
def test_no_key_is_offered_that_a_command_on_a_stored_run_refuses(verb):
    kind = DECLARED[verb]
    run = kind.all_taken()
    for word in ("", "trainer.", "paths.", "init.", "optimizer.", "logger.", "plots."):
        for one in candidates(f"snnlab {verb} {word}"):
            if one.endswith("=") and (key := one[:-1]).partition(".")[0] not in (
                *arguments_of(kind),
                *kind.also,
            ):
                assert any(key == taken or key.startswith(f"{taken}.") for taken in run), one
