"""Every experiment trains, is interrupted, saved, continued and evaluated, on generated data in its set's shape."""

import json
import os
import signal
from pathlib import Path

import pytest

from snnlab.build import build_dataset, build_model
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.train import recipe
from snnlab.train.learner import Learner

CONF = Path(__file__).resolve().parent.parent / "conf"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
# The same networks and data as their tmc_ twins; the small ones show that each loss runs.
BASELINES = [name for name in EXPERIMENTS if name.startswith(("tet_", "sdt_"))]
SLOW = {name for name in BASELINES if not name.endswith("_nmnist")}
# Who teaches whom; a teacher is trained in its student's test.
TEACHERS = {
    "twd_digits_dvs": "ann_digits_dvs",
    "twd_small_cifar10": "ann_small_cifar10",
    "twd_converged_cifar10": "ann_small_cifar10",
    "twd_cifar10": "ann_resnet34_cifar10",
    "twd_cifar100": "ann_resnet34_cifar100",
    "twd_dvscifar": "ann_resnet19_dvscifar",
    "twd_spikingformer_cifar100": "ann_resnet34_cifar100",
}
# Networks of timm; that of metaspikeformer_imagenet_t4, CAFormer-B36, is too large for a test.
TIMM_TEACHERS = {"twd_imagenet": "resnet34", "metaspikeformer_imagenet_t4": "resnet18"}
SLOW |= {"cf_sst2", "cf_sst5"}  # as cf_waimai, but for the words
SLOW |= {*TEACHERS, *TEACHERS.values(), "twd_imagenet"} - {"twd_small_cifar10", "ann_digits_dvs"}
# The small experiments of these papers always run.
SLOW |= {"cf_cifar10", "cf_cifar100", "cf_dvscifar", "cf_dvsgesture", "cf_spikformer_cifar10"}
SLOW |= {"cf_spikformer_dvscifar"}
SLOW |= {"dsatgo_cifar10", "dsatgo_cifar100", "dsatgo_dvscifar", "dsatgo_imagenet", "cf_imagenet200"}
SLOW |= {"cf_tiny_imagenet", "tmc_slanimals"}  # as others, but for the data
# Large networks for large images.
SLOW |= {"tmc_imagenet_qkformer", "tmc_imagenet_metaspikeformer", "metaspikeformer_imagenet"}
# The same layers as in other experiments; mtsnn_digits shows that they run.
SLOW |= {name for name in EXPERIMENTS if name.startswith("mtsnn_")} - {"mtsnn_digits", "mtsnn_dvsgesture"}
METASPIKEFORMER = ("tmc_imagenet_metaspikeformer", "metaspikeformer_imagenet", "metaspikeformer_imagenet_t4")
# A shallower network where the published one takes minutes.
SHALLOWER = {
    "spikformer_imagenet": ("model.depth=1",),
    "spikformer_cifar10": ("model.depth=1",),
    "cf_spikformer_cifar10": ("model.depth=1",),
    "mtsnn_dvsgesture": ("dataset.image_size=32",),
    "spikingformer_cifar100": ("model.depth=1",),
    **{
        f"{loss}_qqp": ("model.depth=1", "dataset.length=12", "dataset.dim=24", "model.heads=2")
        for loss in ("sdt", "tet", "tmc")
    },
    **dict.fromkeys(METASPIKEFORMER, ("model.dims=[16,32,64,80]", "model.depths=[1,1,1,1,1]")),
    **{
        f"{loss}_imagenet_qkformer": ("model.depths=[1,1,1]", "model.dim=96", "dataset.image_size=64")
        for loss in ("sdt", "tet", "tmc")
    },
}
SMALL = (
    "num_steps=2",
    "trainer.synthetic=true",
    "trainer.epochs=1",
    "trainer.limit_train_batches=2",
    "trainer.limit_test_batches=2",
    "trainer.batch_size=2",
    "trainer.accumulate=1",
    "trainer.device=cpu",
    "trainer.precision=fp32",
    "trainer.progress=none",
    "trainer.plots=false",
)


@pytest.mark.parametrize(
    "experiment", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in EXPERIMENTS]
)
def test_experiment_trains_saves_continues_and_is_measured(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = (*SMALL, *SHALLOWER.get(experiment, ()), f"paths.data={tmp_path / 'none'}")
    teacher = teacher_of(experiment, small, tmp_path / "teachers")
    cfg = load([f"+experiment={experiment}", *small, *teacher, f"paths.runs={tmp_path}"])
    steps = []
    original = Learner.step

    def step(self: Learner, batches: object, epoch: int, first_batch: int, count: int) -> object:
        steps.append((epoch, first_batch))
        if len(steps) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batches, epoch, first_batch, count)

    monkeypatch.setattr(Learner, "step", step)
    assert recipe.run(cfg) == recipe.PREEMPTED
    assert recipe.run(cfg) == recipe.DONE
    assert steps == [(0, 0), (0, 1)]
    (path,) = tmp_path.glob("*/*/seed0/result.json")
    result = json.loads(path.read_text())
    assert result["experiment"] == experiment
    assert result["last"][f"test/acc_cum/t{cfg.network_steps}"] == result["last"]["test/acc"]
    assert 0 <= result["last"]["test/ece"] <= 1
    assert "single step" in capsys.readouterr().out


def teacher_of(experiment: str, small: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The overrides that name an experiment's teacher, which is trained first."""
    if experiment in TIMM_TEACHERS:
        import timm
        from safetensors.torch import save_file

        folder.mkdir()
        name = TIMM_TEACHERS[experiment]
        save_file(timm.create_model(name).state_dict(), folder / "teacher.safetensors")
        return (
            f"distill.teacher={name}",
            "distill.pretrained=false",
            f"distill.weights={folder / 'teacher.safetensors'}",
        )
    if experiment not in TEACHERS:
        return ()
    cfg = load([f"+experiment={TEACHERS[experiment]}", *small, f"paths.runs={folder}"])
    assert recipe.run(cfg) == recipe.DONE
    return (f"distill.teacher={run_dir(cfg)}",)


def test_the_experiments_of_the_papers_are_there() -> None:
    expected = {"quickstart", "spikformer_cifar10", "spikformer_dvscifar", "spikformer_imagenet"}
    expected |= {f"mtsnn_cifar10_{model}" for model in ("resnet18", "vgg16", "resnet20")}
    expected |= {
        f"mtsnn_{name}" for name in ("imagenet_resnet34", "imagenet_vgg16", "dvscifar", "dvsgesture")
    }
    expected |= {"mtsnn_cifar100_resnet18", "mtsnn_digits"}
    expected |= {*TEACHERS, *TEACHERS.values(), "twd_imagenet"}
    for data in ("cifar10", "cifar100", "dvscifar"):
        expected |= {f"cf_{data}", f"dsatgo_{data}"}
    expected |= {"cf_dvsgesture", "cf_spikformer_cifar10", "cf_spikformer_dvscifar"}
    expected |= {"cf_digits_dvs", "dsatgo_digits_dvs"}
    expected |= {
        "spikingformer_cifar100",
        "dsatgo_imagenet",
        "cf_imagenet200",
        "cf_tiny_imagenet",
        "mtsnn_imagenet200_resnet18",
        "tmc_imagenet_metaspikeformer",
    }
    for loss in ("tmc", "tet", "sdt"):
        expected |= {
            f"{loss}_{data}"
            for data in (
                "dvscifar",
                "cifar10",
                "cifar100",
                "dvsgesture",
                "ncaltech101",
                "slanimals",
                "qqp",
                "nmnist",
                "imagenet_qkformer",
            )
        }
    assert expected <= set(EXPERIMENTS)


@pytest.mark.parametrize("experiment", BASELINES)
def test_a_baseline_differs_from_its_tmc_twin_in_the_loss_only(experiment: str) -> None:
    loss, data = experiment.split("_", 1)
    twin, baseline = load([f"+experiment=tmc_{data}"]), load([f"+experiment={experiment}"])
    assert baseline.loss.name == loss
    assert {key: value for key, value in baseline.raw.items() if key not in ("loss", "experiment")} == {
        key: value for key, value in twin.raw.items() if key not in ("loss", "experiment")
    }


@pytest.mark.parametrize("loss", ["tmc", "tet", "sdt"])
@pytest.mark.parametrize("data", ["cifar10", "cifar100", "dvscifar", "dvsgesture", "ncaltech101"])
def test_statistics_over_a_batch_are_over_20_samples_as_in_tmcs_four_processes(loss: str, data: str) -> None:
    trainer = load([f"+experiment={loss}_{data}"]).trainer
    assert (trainer.batch_size, trainer.accumulate) == (20, 4)


@pytest.mark.parametrize("experiment", ["tmc_dvscifar", "tet_dvscifar", "sdt_dvscifar", "dsatgo_dvscifar"])
def test_the_users_of_tets_loader_resize_frames_as_it_does(experiment: str) -> None:
    keys = load([f"+experiment={experiment}"]).dataset.params
    assert (keys["resize"], keys["values"], keys["tail"]) == ("pil_la", "binary", "drop")


def names(experiment: str, *overrides: str) -> list[str]:
    return [op.name for op in load([f"+experiment={experiment}", *overrides]).augment]


@pytest.mark.parametrize("experiment", ["cf_cifar10", "cf_cifar100", "cf_spikformer_cifar10"])
def test_cf_trains_on_still_images_as_tab_does(experiment: str) -> None:
    assert names(experiment) == ["crop", "flip"]
    expected = "exact" if experiment == "cf_cifar100" else "cifar100"
    assert load([f"+experiment={experiment}"]).dataset.params["normalize"] == expected


@pytest.mark.parametrize(("data", "size"), [("cifar10", 16), ("cifar100", 12)])
def test_lm_hts_augmentation_is_a_choice(data: str, size: int) -> None:
    cfg = load([f"+experiment=cf_{data}", f"augment=lmht_{data}"])
    assert [op.name for op in cfg.augment] == ["crop", "flip", "autoaugment", "cutout"]
    assert cfg.augment[-1].params == {"holes": 1, "size": size, "normalized": True}


@pytest.mark.parametrize("experiment", ["cf_sst2", "cf_sst5", "cf_waimai", "cf_spikformer_dvscifar"])
def test_cf_has_one_optimiser_for_all_data(experiment: str) -> None:
    cfg = load([f"+experiment={experiment}"])
    decay = 5e-4 if experiment == "cf_spikformer_dvscifar" else 1e-4
    assert cfg.optimizer.name == "sgd"
    chosen = {key: cfg.optimizer.params[key] for key in ("lr", "momentum", "weight_decay")}
    assert chosen == {"lr": 0.025, "momentum": 0.9, "weight_decay": decay}
    assert (cfg.trainer.epochs, cfg.trainer.batch_size, cfg.scheduler.name) == (400, 64, "cosine")


def test_spikformers_recipes_are_those_of_its_files() -> None:
    cifar, imagenet = load(["+experiment=spikformer_cifar10"]), load(["+experiment=spikformer_imagenet"])
    assert names("spikformer_cifar10") == ["flip", "rand_augment", "random_erasing", "mixup"]
    assert names("spikformer_imagenet") == ["rand_augment", "random_erasing", "mixup"]
    assert names("spikformer_dvscifar") == ["flip", "snn_augment_wide", "mixup"]
    assert cifar.dataset.params["normalize"] == "exact"
    seen = {
        key: imagenet.dataset.params[key] for key in ("image_size", "resize", "min_area", "interpolation")
    }
    assert seen == {"image_size": 224, "resize": 224, "min_area": 1.0, "interpolation": "bicubic"}
    assert imagenet.optimizer.params["weight_decay"] == 0.05
    assert imagenet.scheduler.params["warmup_start_lr"] == 1e-6
    mixups = [
        load([f"+experiment=spikformer_{name}"]).augment[-1].params
        for name in ("cifar10", "dvscifar", "imagenet")
    ]
    assert [(one["alpha"], one["cutmix"], one["p"], one["until_epoch"]) for one in mixups] == [
        (0.5, 0.0, 1.0, 200),
        (0.5, 0.0, 0.5, 75),
        (0.8, 1.0, 1.0, None),
    ]


def test_recipes_of_the_other_transformers_are_those_of_their_files() -> None:
    for experiment in ("spikingformer_cifar100", "twd_spikingformer_cifar100"):
        cfg = load([f"+experiment={experiment}"])
        flip, rand, erasing, mixup = (one.params for one in cfg.augment)
        assert names(experiment) == ["flip", "rand_augment", "random_erasing", "mixup"]
        assert flip["p"] == 0.5
        assert (rand["magnitude"], rand["spread"], rand["operations"], rand["choices"]) == (9, 0.4, 1, "timm")
        assert (erasing["p"], erasing["mode"]) == (0.25, "const")
        assert (mixup["alpha"], mixup["cutmix"], mixup["until_epoch"]) == (0.5, 0.0, 200)
        assert cfg.dataset.params["normalize"] == "cifar10"
    for experiment in [f"{loss}_imagenet_qkformer" for loss in ("sdt", "tet", "tmc")] + [
        "tmc_imagenet_metaspikeformer"
    ]:
        cfg = load([f"+experiment={experiment}"])
        rand, erasing = (one.params for one in cfg.augment)
        assert names(experiment) == ["rand_augment", "random_erasing"]
        assert (rand["magnitude"], rand["spread"], rand["operations"], rand["choices"]) == (9, 0.5, 2, "timm")
        assert (erasing["p"], erasing["mode"]) == (0.25, "pixel")
        assert (cfg.dataset.params["interpolation"], cfg.dataset.params["min_area"]) == ("bicubic", 0.08)
    (auto,) = load(["+experiment=dsatgo_imagenet"]).augment
    assert (auto.name, auto.params["policy"], auto.params["fill"]) == ("autoaugment", "imagenet", 128)


def test_cfs_spikformer_on_recordings_has_the_published_size() -> None:
    cfg = load(["+experiment=cf_spikformer_dvscifar", "trainer.synthetic=true"])
    counts = {"surrogate": 0, "network": 0}
    for name, parameter in build_model(cfg, build_dataset(cfg)).named_parameters():
        counts["surrogate" if "surrogate" in name else "network"] += parameter.numel()
    assert counts["network"] == 2_566_666
    assert round(sum(counts.values()) / 1e6, 2) == 2.57
