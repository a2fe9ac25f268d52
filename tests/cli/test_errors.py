"""What the user sees of a mistake: one `error:` line and one `hint:` line, exit code 2, no traceback."""

import pytest

from snnlab.cli import main
from snnlab.registry import component_files

LIF = "keys of neuron 'lif': decay, "
TOP = "top-level keys: num_steps, input, seed, plugins, experiment, voters, dataset, "


def choices(kind):
    return f"choose one of: {', '.join(component_files(kind))}"


CASES = [
    ("train neuron.tua=3", "neuron.tua: unknown key. Did you mean 'tau'?", LIF),
    ("train +neuron.tua=3", "neuron.tua: unknown key. Did you mean 'tau'?", LIF),
    ("train ++neuron.zzz=3", "neuron.zzz: unknown key", LIF),
    ("train +nueron=lif", "nueron: unknown key. Did you mean 'neuron'?", TOP),
    (
        "train epochs=3",
        "epochs: unknown key. Did you mean 'trainer.epochs'?",
        "write trainer.epochs=<value>; " + TOP,
    ),
    (
        "train trainer.epoch=3",
        "trainer.epoch: unknown key. Did you mean 'epochs'?",
        "keys of trainer: epochs, ",
    ),
    ("train lr=0.1", "lr: unknown key. Did you mean 'optimizer.lr'?", "write optimizer.lr=<value>; "),
    ("train weight_decay=1", "weight_decay: unknown key. Did you mean 'optimizer.weight_decay'?", "write "),
    ("train trainer.lr=1", "trainer.lr: unknown key. Did you mean 'optimizer.lr'?", "keys of trainer: "),
    (
        "train threshold=1",
        "threshold: unknown key. Did you mean 'dataset.threshold' or 'neuron.threshold'?",
        "write ",
    ),
    ("train plugins=[nope_nope] lr=1", "lr: unknown key", "top-level keys: "),
    ("train workers=2", "workers: unknown key. Did you mean 'trainer.num_workers'?", "write "),
    ("train surrogate=tsg silly=2", "silly: unknown key", "top-level keys: "),
    (
        "train learning_rate=2",
        "learning_rate: unknown key. Did you mean 'optimizer.lr'?",
        "write optimizer.lr=<value>; top-level keys: ",
    ),
    (
        "train experiment.lr=1",
        "experiment.lr: unknown key",
        "what a choice of experiment sets is changed by its own name: lr=<value>",
    ),
    ("train paths.run=3", "paths.run: unknown key. Did you mean 'runs'?", "keys of paths: runs, data"),
    (
        "train trainer.epochs=ten",
        "trainer.epochs: expected an integer > 0, got 'ten'",
        "for example trainer.epochs=100",
    ),
    (
        "train trainer.epochs=1.5",
        "trainer.epochs: expected an integer > 0, got 1.5",
        "for example trainer.epochs=100",
    ),
    (
        "train trainer.compile=1",
        "trainer.compile: expected true or false, got 1",
        "for example trainer.compile=false",
    ),
    ("train seed=-1", "seed: -1 is out of range, expected an integer >= 0", "for example seed=0"),
    ("train seed=null", "seed: expected an integer >= 0, got null", "for example seed=0"),
    ("train seed=???", "seed: missing", "expected an integer >= 0; set it with seed=<value>"),
    (
        "train neuron.decay=1.5",
        "neuron.decay: 1.5 is out of range, expected a number >= 0 and < 1",
        "for example neuron.decay=0.5",
    ),
    (
        "train neuron.reset=sof",
        "neuron.reset: unknown choice 'sof'. Did you mean 'soft'?",
        "choose one of: hard, soft",
    ),
    (
        "train trainer.precision=fp8",
        "trainer.precision: unknown choice 'fp8'",
        "choose one of: fp32, bf16, fp16",
    ),
    ("train neuron=lfi", "neuron: unknown choice 'lfi'. Did you mean 'lif'?", choices("neuron")),
    (
        "train +experiment=quick",
        "experiment: unknown choice 'quick'. Did you mean 'quickstart'?",
        "snnlab list experiment names all ",
    ),
    (
        "train loss=sdt loss.variant=paper",
        "loss.variant: loss 'sdt' has no such key",
        "'variant' is a key of: tmc; ",
    ),
    ("train neuron=ramp", "neuron: unknown choice 'ramp'", f"{choices('neuron')}; --config-dir DIR brings"),
    ("train +augment.wobble.p=1", "augment.wobble: no augment", f"{choices('augment')}; plugins=[PACKAGE]"),
    ("train neuron=null", "neuron: nothing is chosen", "neuron=<name>, one of: "),
    ("train ~neuron", "neuron: nothing is chosen", "neuron=<name>, one of: "),
    ("train neuron.name=plif", "neuron.name: a component is chosen by its kind", "write neuron=plif"),
    (
        "train neuron={name:lif}",
        "neuron: expected a choice, got {name:lif}",
        "set a single key with neuron.<key>=",
    ),
    ("train neuron@x=lif", "neuron@x=lif: a group cannot be put elsewhere with '@'", "write group=choice"),
    ("train neuron._target_=os.system", "neuron._target_: unknown key", LIF),
    (
        "train +augment.flop.p=1",
        "augment.flop: no augment is called 'flop'. Did you mean 'flip'?",
        choices("augment"),
    ),
    (
        "train model=resnet18_snn residual_neuron=cff",
        "residual_neuron: no neuron is called 'cff'. Did you mean 'cf'?",
        choices("neuron"),
    ),
    (
        "train residual_neuron=cf",
        "residual_neuron: model 'vgg_snn' has no neuron behind a residual addition",
        "models that have: resnet18_snn, resnet19_snn, ",
    ),
    (
        "train model=resnet18_snn residual_neuron={name:cf,K_p:3}",
        "residual_neuron.K_p: unknown key. Did you mean 'K_P'?",
        "keys of neuron 'cf': K_P, K_N, theta_P, theta_N, threshold, decay, subtract, detach_reset",
    ),
    (
        "train +regulariser.pmb.weight=1",
        "regulariser.pmb: no regulariser is called 'pmb'. Did you mean 'pnb'?",
        choices("regulariser"),
    ),
    (
        "train regulariser=pnb regulariser.pnb.wieght=1",
        "regulariser.pnb.wieght: unknown key. Did you mean 'weight'?",
        "keys of regulariser 'pnb': weight, K, per, detach_weights, eps",
    ),
    ("train +augment.flip.q=1", "augment.flip.q: unknown key", "keys of augment 'flip': p"),
    (
        "train model.channels=3",
        "model.channels: expected a list [...] of: an integer",
        "for example model.channels=[",
    ),
    ("train seed=0,1", "seed=0,1: several values for one run", "add -m to sweep"),
    ("train seed=range(3)", "seed=0,1,2: several values for one run", "add -m to sweep"),
    ("train quickstart", "cannot read the override 'quickstart'", "Did you mean +experiment=quickstart?"),
    ("train x==[", "cannot read the override 'x==['", "quote a value with special characters"),
    ("train zzz", "cannot read the override 'zzz'", "write key=value or group=choice"),
    ("train num_steps=${foo}", "num_steps: Interpolation key 'foo' not found", "snnlab show"),
    (
        "train plugins=[nope_nope]",
        "plugins: no package named 'nope_nope' can be imported",
        "install it, or put",
    ),
    ("train plugins=nope", "plugins: expected a list [...] of: text, got 'nope'", "write plugins=[nope]"),
    (
        "train plugins=[nope_nope] neuron=my_neuron",
        "plugins: no package named 'nope_nope' can be imported",
        "install",
    ),
    (
        "train plugins=nope neuron=my_neuron",
        "plugins: expected a list [...] of: text, got 'nope'",
        "write plugins=",
    ),
    (
        "list --plugin nope_nope",
        "plugins: no package named 'nope_nope' can be imported",
        "install it, or put",
    ),
    (
        "train model.channels=(8,16)",
        "cannot read the override",
        "a list stands in brackets: 'model.channels=[8,16]'",
    ),
    (
        "train model.channels=[8;16]",
        "cannot read the override",
        "a list stands in brackets: 'model.channels=[8,16]'",
    ),
    (
        "train seed=1..3",
        "seed: expected an integer",
        "one run takes one value; several runs: train -m 'seed=range(1,4)'",
    ),
    (
        "train neuron.tau=2ms",
        "neuron.tau: expected a number >= 1 or null",
        "for example neuron.tau=2.0, or null",
    ),
    (
        "train trainer.max_steps=few",
        "trainer.max_steps: expected",
        "for example trainer.max_steps=16, or null",
    ),
    (
        "train dataset=event_folder dataset.columns=[t,x]",
        "dataset.columns: expected text or null",
        "for example dataset.columns=<text>, or null",
    ),
    ("train T=4", "T: unknown key. Did you mean 'num_steps'?", "top-level keys: "),
    (
        "train learning_rate=0.1",
        "learning_rate: unknown key. Did you mean 'optimizer.lr'?",
        "write optimizer.lr=",
    ),
    (
        "train trainer.gpus=1",
        "trainer.gpus: unknown key. Did you mean 'trainer.device'?",
        "keys of trainer: ",
    ),
    ("train num_classes=10", "num_classes: no setting: the data set says it", "snnlab data verify NAME"),
    (
        "train loss=CrossEntropyLoss",
        "loss: unknown choice 'CrossEntropyLoss'. Did you mean 'sdt'?",
        "choose one of: ",
    ),
    (
        "train optimizer=torch.optim.Adam",
        "optimizer: unknown choice 'torch.optim.Adam'. Did you mean 'adam'?",
        "",
    ),
    (
        "train scheduler=CosineAnnealingLR",
        "scheduler: unknown choice 'CosineAnnealingLR'. Did you mean 'cosine'?",
        "",
    ),
    (
        "train -m hydra/launcher=slurm seed=1,2",
        "hydra/launcher: unknown choice 'slurm'. Did you mean 'submitit_sl",
        "",
    ),
    ("train --config-dir /nope", "--config-dir: no such folder: /nope", "give a folder shaped like conf/"),
    (
        "train hydra.searchpath=[x]",
        "hydra.searchpath=[x]: this Hydra setting is snnlab's own",
        "use --config-dir",
    ),
    ("train hydra.nope=1", "hydra.nope=1: snnlab does not use this Hydra setting", "hydra.launcher.*"),
    ("train hydra.run.dir=x", "hydra.run.dir=x: snnlab does not use", "hydra.launcher.*"),
    ("check hydra.verbose=true", "hydra.verbose=true: snnlab does not use", "hydra.launcher.*"),
    (
        "train hydra.launcher.workers=2",
        "hydra.launcher.workers=2: has no effect on a single run",
        "snnlab train -m",
    ),
    (
        "train -m seed=0,1 hydra.launcher.worker=2",
        "hydra.launcher.worker: unknown key. Did you mean 'workers'?",
        "keys of hydra.launcher: workers, gpus",
    ),
    (
        "train -m seed=0,1 hydra.launcher.gpus=[0]",
        "hydra.launcher.gpus: [0], but PyTorch finds no GPU",
        "leave",
    ),
    ("list neuron plugins=[x]", "list: 'plugins=[x]' is an override", "snnlab list neuron --plugin x;"),
    ("list loss seed=1", "list: 'seed=1' is an override", "snnlab list loss;"),
    (
        "train hydra/job_logging=stdout hydra.job_logging.root.level={(): x}",
        "cannot read the override",
        "quote",
    ),
    (
        "train --nope",
        "unrecognized arguments: --nope",
        "settings are written without dashes, as key=<value>; snnlab train --help shows",
    ),
    (
        "train --lr=0.1",
        "unrecognized arguments: --lr=0.1",
        "settings are written without dashes, as optimizer.lr=<value>",
    ),
    (
        "train --batch-size 8",
        "unrecognized arguments: --batch-size",
        "settings are written without dashes, as trainer.batch_size=<value>",
    ),
    (
        "train --model=qkformer",
        "unrecognized arguments: --model",
        "settings are written without dashes, as model=<value>",
    ),
    (
        "check --learning-rate 1",
        "unrecognized arguments: --learning-rate",
        "settings are written without dashes, as optimizer.lr=<value>",
    ),
    (
        "train --trainer.epochs=3",
        "unrecognized arguments: --trainer.epochs",
        "settings are written without dashes, as trainer.epochs=<value>",
    ),
    (
        "train --trainer.nope=3",
        "unrecognized arguments: --trainer.nope",
        "settings are written without dashes, as key=<value>",
    ),
    (
        "analyse run=R what=membrane --output m.png",
        "unrecognized arguments: --output",
        "settings are written without dashes, as key=<value>",
    ),
    (
        "analyse run=R --what=membrane",
        "unrecognized arguments: --what",
        "settings are written without dashes, as what=<value>",
    ),
    (
        "eval R --early_exit",
        "unrecognized arguments: --early_exit",
        "settings are written without dashes, as early_exit=<value>",
    ),
    (
        "table tmc_1 --plan --output t.png",
        "table: --plan is printed, and --output is not used",
        "leave it out",
    ),
    ("table tmc_1 --plan --run", "table: --plan is printed, and --run is not used", "leave it out"),
    (
        "table tmc_1 --plan --layout paper",
        "table: --plan is printed, and --layout is not used",
        "leave it out",
    ),
    ("table tmc_1 --plan --format=md", "table: --plan is printed, and --format is not used", "leave it out"),
    ("table tmc_1 --plan --from x.json", "table: --plan is printed, and --from is not used", "leave it out"),
    ("train --hepl", "unrecognized arguments: --hepl. Did you mean '--help'?", "snnlab train --help shows"),
    ("doctor --nope", "unrecognized arguments: --nope", "snnlab doctor --help shows"),
    (
        "train neuron.v_init=1e999",
        "neuron.v_init: expected a number, got inf",
        "for example neuron.v_init=0.0",
    ),
    ("train -m seed=0,-1", "seed: -1 is out of range", "for example seed=0 (point 2 of 2: seed=-1)"),
    ("train -m loss=sdt,tte", "loss: unknown choice 'tte'. Did you mean 'tet'?", choices("loss")),
    ("train -m loss=glob(x*)", "loss=glob(x*): no choice fits", "there are: "),
    (
        "train -m seed=0,1 hydra.launcher.workers=0",
        "hydra.launcher.workers: 0 is out of range",
        "for example",
    ),
    (
        "train -m seed=0,1 hydra.launcher.on_error=stp",
        "hydra.launcher.on_error: unknown choice 'stp'. Did",
        "choose",
    ),
    (
        "train -m seed=0,1 hydra.launcher.workers=2 hydra.launcher.gpus=[0]",
        "hydra.launcher.gpus: [0] is too",
        "name a",
    ),
    (
        "train -m trainer.threads=1,2",
        "two points are the same run: trainer.threads=1 and trainer.threads=2",
        "leave",
    ),
    ("show neuron.tua=3", "neuron.tua: unknown key. Did you mean 'tau'?", LIF),
    ("check neuron.tua=3", "neuron.tua: unknown key. Did you mean 'tau'?", LIF),
    (
        "list neurno",
        "list: no group is called 'neurno'. Did you mean 'neuron'?",
        "groups: augment, dataset, ",
    ),
    ("list neuron x*", "list: no neuron is like 'x*'", "there are: "),
    ("eval", "eval: no run is given", "snnlab eval run=<run directory>"),
    (
        "eval run=/nope",
        "/nope is not a run directory: it has no config.yaml",
        "a run directory ends in seed<k>",
    ),
    ("eval run=x checkpoint=first", "checkpoint: unknown choice 'first'", "choose one of: last, best"),
    ("data", "data: no action given", "snnlab data list | prepare | verify | bench"),
    ("data lst", "data: unknown choice 'lst'. Did you mean 'list'?", "choose one of: list, prepare, "),
    ("eval a b", "two runs: a and b", "give one run directory"),
    ("eval /nope", "/nope is not a run directory: it has no config.yaml", "a run directory ends in seed<k>"),
    ("data prepare", "data prepare: which data set?", "snnlab data prepare <name>"),
    ("data prepare nope", "dataset: unknown choice 'nope'", choices("dataset")),
    ("diff /nope /nope", "/nope is not a run directory", "a run directory ends in seed<k>"),
    ("completion csh", "argument shell: invalid choice: 'csh'", "snnlab completion --help"),
    ("analyse firing_rates DIR", "firing_rates: a bare word is a run here", "write what=firing_rates"),
    ("analyse DIR energi", "energi: a bare word is a run here", "write what=energy"),
    ("board nope=1 neurons=[lif] losses=[tmc]", "nope: unknown key", "top-level keys"),
    ("board --plan --output b.html", "board: --plan is printed, and --output is not used", "leave it out"),
    ("board --plan --run", "board: --plan is printed, and --run is not used", "leave it out"),
    ("new ", "new: no folder is given", "snnlab new my_lab"),
    ("check init.run=", "init.run: expected a run directory, got ''", "for example init.run=<run directory>"),
    ("check loss=skd distill.teacher=", "distill.teacher: expected a run directory, got ''", "for example"),
    ("check seed=9223372036854775808", "seed: 9223372036854775808 is beyond the integers of 64 bits", "for"),
    ("check num_steps=1000000000000000000000", "num_steps: 1000000000000000000000 is beyond", "for example"),
    ("check trainer.threads=100000", "trainer.threads: 100000 is out of range", "for example"),
    ("check trainer.num_workers=100000", "trainer.num_workers: 100000 is out of range", "for example"),
    (
        "check +experiment=quickstart num_steps=1000000000000",
        "not enough memory: 2,048,000,000,000,000",
        "smaller num",
    ),
    (
        "train neuron=[lif,plif]",
        "neuron: expected one choice, got [lif,plif]",
        "one run each: -m neuron=lif,plif",
    ),
    ("train -m seed=range(3,0)", "seed=range(3,0): there is no value in it", "for example seed=range(0,3)"),
    (
        "train -m seed=choice()",
        "cannot read the override 'seed=choice()'",
        "values stand between the brackets: ",
    ),
    ("train -m seed=range(0,3", "cannot read the override", "a closing bracket ) is missing at the end"),
    ('train neuron.threshold="0.5', "cannot read the override", 'a closing quote " is missing at the end'),
    (
        "train n\u0435uron=lif",
        "cannot read the override",
        "keys are written in the letters a to z, and '\u0435' is CYR",
    ),
    ("trian", "unknown command 'trian'. Did you mean 'train'?", "commands: analyse, bench, board, check, "),
]


@pytest.mark.parametrize(("line", "error", "hint"), CASES, ids=[case[0] for case in CASES])
def test_error_and_hint(line, error, hint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(line.split(" ") if "{(" not in line else ["train", line]) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert lines[0].startswith(f"error: {error}")
    assert lines[1].startswith(f"hint: {hint}")
    assert not out
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_a_file_in_the_place_of_a_run(tmp_path, capsys):
    (tmp_path / "result.json").write_text("{}")
    assert main(["eval", str(tmp_path / "result.json")]) == 2
    assert "result.json is a file, and a run directory is expected" in capsys.readouterr().err


def test_blanks_around_an_equals_sign(capsys):
    assert main(["train", "neuron.threshold = 0.5"]) == 2
    assert "hint: no blanks around =: neuron.threshold=0.5" in capsys.readouterr().err
