"""Teachers: what they see, where they come from, and what is said when they do not fit."""

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from snnlab import build
from snnlab.cli import main
from snnlab.data.inputs import InputPipeline
from snnlab.errors import ConfigError
from snnlab.losses import SDT, SKD
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.train.teacher import Normalization, Teacher, teacher_for

CPU = torch.device("cpu")
SMALL = (
    "model.channels=[4,8]",
    "trainer.synthetic=true",
    "trainer.epochs=1",
    "trainer.batch_size=16",
    "trainer.limit_train_batches=3",
    "trainer.limit_test_batches=3",
    "trainer.device=cpu",
    "trainer.plots=false",
    "trainer.progress=none",
    "num_steps=3",
)


class Sum(nn.Module):
    """Logits [T, B, 2]: sum of the pixels, and 1 in training mode; remembers what it saw."""

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        self.seen = x_TBCHW
        total_TB = x_TBCHW.sum((2, 3, 4))
        return torch.stack([total_TB, torch.full_like(total_TB, float(self.training))], 2)


def teacher(sees: str, steps: int = 1, affine: tuple[Tensor, Tensor] | None = None) -> Teacher:
    return Teacher(Sum().train(), sees, steps, affine, CPU, "fp32")  # type: ignore[arg-type]


def frames() -> Tensor:
    return torch.rand(3, 5, 2, 4, 4, generator=torch.Generator().manual_seed(0))


def test_it_sees_the_mean_each_frame_or_an_image_at_its_own_steps() -> None:
    x = frames().requires_grad_()
    for sees, steps, expected in (
        ("mean", 1, x.mean(0, keepdim=True)),
        ("frames", 1, x),
        ("image", 4, x[:1].expand(4, -1, -1, -1, -1)),
    ):
        made = teacher(sees, steps)
        logits = made(x)
        assert torch.equal(made.network.seen, expected)
        torch.testing.assert_close(logits[:, 0], expected.sum((2, 3, 4)).mean(0))
        assert not logits.requires_grad
        assert logits[:, 1].eq(0).all(), "evaluation mode"


def test_the_input_gets_the_normalisation_that_the_teacher_knows() -> None:
    student, own = Normalization((0.5, 0.1), (2.0, 0.5)), Normalization((0.2, 0.3), (0.25, 3.0))
    pixels = frames()
    column = lambda values: torch.tensor(values).view(-1, 1, 1)  # noqa: E731
    x = (pixels - column(student.mean)) / column(student.std)
    made = teacher("frames", affine=student.affine_to(own, 2))
    made(x)
    torch.testing.assert_close(made.network.seen, (pixels - column(own.mean)) / column(own.std))
    assert student.affine_to(student, 2) is None
    assert Normalization(None, None).affine_to(Normalization((0.0,) * 3, (1.0,) * 3), 3) is None


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained ReLU network on mean frames."""
    folder = tmp_path_factory.mktemp("teacher")
    command = ["train", "+experiment=ann_digits_dvs", *SMALL, f"paths.runs={folder}"]
    assert main(command) == 0
    (run,) = folder.glob("*/*/seed0")
    last = json.loads((run / "result.json").read_text())["last"]
    assert "test/acc_cum/t1" in last
    assert "test/acc_cum/t2" not in last
    return run


def student(*overrides: str, experiment: str = "twd_digits_dvs") -> list[str]:
    return [f"+experiment={experiment}", *SMALL, *overrides]


def made_for(*overrides: str, small: tuple[str, ...] = SMALL) -> Teacher | None:
    cfg = load([*small, *overrides])
    data = build.build_dataset(cfg)
    return teacher_for(cfg, SKD(), data, data.identity(), CPU)


@pytest.mark.parametrize("which", ["last", "best"])
def test_a_run_teaches_what_its_network_says_to_the_mean_frame(ann: Path, which: str) -> None:
    cfg = load(student(f"distill.teacher={ann}", f"distill.checkpoint={which}"))
    data = build.build_dataset(cfg)
    before = torch.get_rng_state()
    made = teacher_for(cfg, build.build_loss(cfg), data, data.identity(), CPU)
    assert torch.equal(torch.get_rng_state(), before), "the student starts as it would without a teacher"
    assert made is not None
    own = load(["+experiment=ann_digits_dvs", *SMALL])
    network = build.build_model(own, data).eval()
    content = torch.load(ann / f"checkpoints/{which}.pt", weights_only=True)
    network.load_state_dict(content["learner"]["model"] if which == "last" else content["model"])
    raw, _ = data.train_set().batch(range(6))
    x = InputPipeline(data, [], 3, CPU, 0).test(raw)
    with torch.no_grad():
        torch.testing.assert_close(made(x), network(x.mean(0, keepdim=True))[0])
    state = {name: value.clone() for name, value in made.network.state_dict().items()}
    made(x)
    assert all(torch.equal(value, state[name]) for name, value in made.network.state_dict().items())


def test_a_distilled_run_depends_on_its_teachers_weights_and_outlives_it(
    ann: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = shutil.copytree(ann, tmp_path / "teacher/seed0")
    command = student(f"distill.teacher={moved}", f"paths.runs={tmp_path / 'runs'}")
    folder = run_dir(load(command))
    for same in (ann, ann.parent, ann.parent.parent):
        assert folder == run_dir(load([*command[:-2], f"distill.teacher={same}", command[-1]]))
    assert main(["train", *command]) == 0
    assert f"teacher  {moved} (run " in capsys.readouterr().out
    row = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    assert {"train/loss/ce", "train/loss/kl", "train/loss/sd"} <= row.keys()
    assert row["train/loss/kl"] > 0
    shutil.rmtree(moved)
    assert main(["eval", f"run={folder}"]) == 0
    retrained = shutil.copytree(ann, moved)
    with (retrained / "checkpoints/last.pt").open("ab") as file:
        file.write(b"0")
    assert run_dir(load(command)) != folder


def test_a_second_head_learns_the_teachers_classes(tmp_path: Path) -> None:
    common = (*SMALL, "dataset=digits", "dataset.image_size=32")
    assert main(["train", *common, "neuron=relu", "loss=sdt", f"paths.runs={tmp_path / 'ann'}"]) == 0
    (ann,) = tmp_path.glob("ann/*/*/seed0")
    network = (
        "model=meta_spikeformer",
        "model.dims=[8,8,16,16]",
        "model.depths=[1,0,0,1,0]",
        "model.heads=2",
    )
    command = [
        *(one for one in common if not one.startswith("model.")),
        *network,
        "model.distillation_head=true",
        "loss=hard_distillation",
        f"distill.teacher={ann}",
        f"paths.runs={tmp_path}",
    ]
    assert main(["train", *command]) == 0
    row = json.loads((run_dir(load(command)) / "metrics.jsonl").read_text().splitlines()[0])
    assert row["train/loss/ce"] > 0
    assert row["train/loss/hard"] > 0


@pytest.mark.parametrize("dataset", ["digits", "digits_dvs"])
def test_kept_logits_train_as_fresh_ones_do(dataset: str, tmp_path: Path) -> None:
    common = (*SMALL, f"dataset={dataset}", "trainer.epochs=2", "loss=twd")
    assert main(["train", *common, "neuron=relu", "loss=sdt", f"paths.runs={tmp_path / 'ann'}"]) == 0
    (ann,) = tmp_path.glob("ann/*/*/seed0")
    content = []
    for cache in ("true", "false"):
        command = [
            *common,
            f"distill.teacher={ann}",
            f"distill.cache={cache}",
            f"paths.runs={tmp_path / cache}",
        ]
        assert main(["train", *command]) == 0
        (folder,) = (tmp_path / cache).glob("*/*/seed0")
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        content.append((folder.parent.name, rows[-1]["test/nll"], [row.get("train/loss/kl") for row in rows]))
    (cached_name, cached_nll, cached_kl), (name, nll, kl) = content
    assert cached_name == name, "the same result, so the same directory"
    assert kl[0] > 0
    assert cached_kl[::2] == pytest.approx(kl[::2], rel=1e-5)
    assert cached_nll == pytest.approx(nll, rel=1e-5)


def test_augmented_input_has_no_logits_to_keep(ann: Path) -> None:
    with pytest.raises(ConfigError, match=r"distill\.cache: the augmentation \(crop, flip\)") as caught:
        load(student(f"distill.teacher={ann}", "distill.cache=true", "augment=crop_flip"))
    assert "augment=none" in caught.value.hint
    load(student(f"distill.teacher={ann}", "distill.cache=true", "augment=crop_flip", "debug=overfit"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("num_steps=4",), "frames 3 but 4"),
        (("dataset.image_size=8",), "image size 16 but 8"),
        (("dataset=digits",), "channels 2 but 1; kind of data events but images"),
        (("dataset=dvs_gesture",), "classes 10 but 11"),
    ],
)
def test_a_run_on_other_data_is_refused(ann: Path, overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match="does not fit the student's data") as caught:
        made_for(f"distill.teacher={ann}", *overrides)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("distill.teacher=resnet18",), "'resnet18' is no directory, and as a timm model needs one source"),
        (("distill.teacher=resnet18", "distill.weights=/no/file.pt"), "distill.weights: no such file"),
        (("distill.teacher=./runs/none",), "none is not a run directory: it has no config.yaml"),
        (("distill.teacher=resnet81", "distill.pretrained=true"), "neither a run directory nor a timm model"),
        ((), "the loss 'skd' learns from a teacher, and none is given"),
    ],
)
def test_a_teacher_that_is_not_there(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made_for("loss=skd", *overrides)
    assert message in caught.value.message
    assert caught.value.hint


def test_published_weights_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match="the published weights of resnet34 cannot be had: ") as caught:
        made_for("loss=skd", "distill.teacher=resnet34", "distill.pretrained=true")
    assert "distill.weights" in caught.value.hint


def test_a_loss_without_a_teacher_builds_none() -> None:
    cfg = load([*SMALL, "distill.teacher=resnet18", "distill.pretrained=true"])
    data = build.build_dataset(cfg)
    assert teacher_for(cfg, SDT(), data, data.identity(), CPU) is None
    assert teacher_for(cfg, SKD(alpha=0), data, data.identity(), CPU) is None


def test_a_timm_model_with_local_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=10).eval()
    file = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), file)
    small = ("dataset=cifar10", "trainer.synthetic=true", "num_steps=2", "distill.teacher=test_resnet")
    made = made_for(f"distill.weights={file}", small=small)
    assert made is not None
    data = build.build_dataset(load(small[:3]))
    raw, _ = data.train_set().batch(range(3))
    x = InputPipeline(data, [], 2, CPU, 0).test(raw)
    mean, std = (torch.tensor(network.pretrained_cfg[key]).view(-1, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        torch.testing.assert_close(made(x), network((raw / 255 - mean) / std), rtol=1e-4, atol=1e-4)
    with pytest.raises(ConfigError, match=r"weights\.safetensors does not fit the teacher: size mismatch"):
        made_for(f"distill.weights={file}", "dataset=cifar100", small=small)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    same = made_for(f"distill.weights={tmp_path / 'weights.pt'}", small=small)
    assert same is not None
    torch.testing.assert_close(same(x), made(x))
