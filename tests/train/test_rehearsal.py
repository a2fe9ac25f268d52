"""What `check` refuses before a run, `train` refuses in the same words; a made-up batch finds what does not fit."""

import fcntl
import subprocess
import sys

import pytest
import torch
from torch import nn

from snnlab import build
from snnlab.cli import main
from snnlab.errors import ConfigError
from snnlab.runs import checkpoint
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.train import rehearsal
from snnlab.train.rehearsal import rehearse

SMALL = ("+experiment=quickstart", "num_steps=2", "model.channels=[4,4]", "trainer.device=cpu")
MISSING = ("+experiment=tmc_nmnist", "trainer.device=cpu")


def said(capsys, *line):
    capsys.readouterr()
    assert main(list(line)) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (MISSING, "dataset nmnist: nothing at "),
        (("dataset=cifar10", "model=vgg_snn"), "dataset cifar10: nothing at "),
        (
            ("dataset=sst2", "trainer.synthetic=true"),
            "model 'vgg_snn' sees square images, but sst2 is 25 x 300",
        ),
        ((*SMALL, "dataset.image_size=3"), "model 'vgg_snn': image_size 3 does not fit"),
        (
            (*SMALL, "model=qkformer", "~model.channels", "dataset.image_size=7"),
            "model 'qkformer': image_size 7",
        ),
        ((*SMALL, "loss=twd"), "distill.teacher: the loss 'twd' learns from a teacher"),
        ((*SMALL, "init.run=nowhere"), "init.run: "),
        ((*SMALL, "trainer.cuda_graph=required"), "trainer.cuda_graph: required, but the device is the cpu"),
        ((*SMALL, "neuron=relu", "+regulariser.pnb={}"), "regulariser 'pnb': "),
    ],
)
def test_check_and_train_say_the_same(line, error, capsys, tmp_path):
    places = (f"paths.runs={tmp_path / 'runs'}", f"paths.data={tmp_path / 'data'}")
    checked = said(capsys, "check", *line, *places)
    assert checked.startswith(f"error: {error}")
    assert checked.splitlines()[-2:] == said(capsys, "train", *line, *places).splitlines()[-2:]
    assert not (tmp_path / "runs").exists()


def test_a_directory_in_use_is_said_before_anything_is_built(capsys, tmp_path, monkeypatch):
    line = (*SMALL, f"paths.runs={tmp_path}")
    assert main(["check", *line]) == 0
    folder = next(iter(capsys.readouterr().out.splitlines())).removeprefix("ok: ")
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_, **__: pytest.fail("built"))
    (tmp_path / folder).mkdir(parents=True)
    with (tmp_path / folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("process 7 on there")
        held.flush()
        for verb in ("check", "train"):
            assert f"error: {folder} is in use by process 7 on there" in said(capsys, verb, *line)


def test_where_no_file_names_the_directory_torch_is_not_imported_for_it(tmp_path):
    folder = run_dir(load([*SMALL, f"paths.runs={tmp_path}"]))
    folder.mkdir(parents=True)
    code = "import sys; from snnlab.cli import main; code = main(sys.argv[1:]); print(code, 'torch' in sys.modules)"
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", code, "train", *SMALL, f"paths.runs={tmp_path}"],
            capture_output=True,
            text=True,
        )
    assert f"error: {folder} is in use by " in done.stderr
    assert done.stdout == "2 False\n"


def test_no_random_number_is_drawn_and_no_weight_is_made(monkeypatch):
    cfg = load([*SMALL, "model=spikformer", "~model.channels", "augment=nda"])
    before = checkpoint.random_state()
    devices = set()

    def forward(module, args):
        devices.update(one.device.type for one in module.parameters())

    handle = nn.modules.module.register_module_forward_pre_hook(forward)
    try:
        rehearse(cfg, build.build_dataset(cfg))
    finally:
        handle.remove()
    after = checkpoint.random_state()
    assert before["python"] == after["python"]
    assert torch.equal(before["torch"], after["torch"])
    assert devices == {"meta"}


def test_a_component_that_needs_numbers_runs_for_real(monkeypatch):
    """A shape that fits nowhere is named with the input, whatever the device it was found on."""
    cfg = load(list(SMALL))
    build_model, devices = build.build_model, []

    class Reads(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, x):
            devices.append(x.device.type)
            assert x.sum().item() is not None
            return self.model(x)

    monkeypatch.setattr(build, "build_model", lambda *args: Reads(build_model(*args)))
    rehearse(cfg, build.build_dataset(cfg))
    assert devices == ["meta", "cpu"]
    monkeypatch.setattr(build, "build_model", lambda *args: nn.Linear(5, 10))
    with pytest.raises(
        ConfigError, match=r"'vgg_snn' cannot be trained on digits_dvs, 2 x 2 x 2 x 16 x 16 \(T x B"
    ):
        rehearse(cfg, build.build_dataset(cfg))


def test_a_sweep_tries_each_network_once_before_its_first_job(capsys, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(rehearsal, "rehearse", lambda cfg, dataset: tried.append((cfg.neuron.name, cfg.seed)))
    monkeypatch.setattr("snnlab.sweep.run.PointTask", lambda *_, **__: pytest.fail("a job was started"))
    with pytest.raises(pytest.fail.Exception, match="a job"):
        main(["train", "-m", *SMALL, "neuron=lif,plif", "seed=0,1", f"paths.runs={tmp_path}"])
    assert tried == [("lif", 0), ("plif", 0)]
    monkeypatch.undo()
    error = said(capsys, "train", "-m", *SMALL, "dataset.image_size=16,3", f"paths.runs={tmp_path}")
    assert error.startswith("error: model 'vgg_snn': image_size 3 does not fit")
    assert "(point 2 of 2: dataset.image_size=3)" in error
