"""What other tools call our keys and choices, so that a name from there gets the name here as its hint."""

from types import MappingProxyType

KEYS = MappingProxyType(
    {
        "t": "num_steps",
        "timesteps": "num_steps",
        "time_steps": "num_steps",
        "frames_number": "num_steps",
        "split_by": "dataset.by",
        "learning_rate": "optimizer.lr",
        "wd": "optimizer.weight_decay",
        "betas": "optimizer.beta1",
        "max_epochs": "trainer.epochs",
        "t_max": "trainer.epochs",
        "bs": "trainer.batch_size",
        "amp": "trainer.precision",
        "use_amp": "trainer.precision",
        "mixed_precision": "trainer.precision",
        "fp16": "trainer.precision",
        "bf16": "trainer.precision",
        "dtype": "trainer.precision",
        "gpu": "trainer.device",
        "gpus": "trainer.device",
        "cuda": "trainer.device",
        "accelerator": "trainer.device",
        "workers": "trainer.num_workers",
        "gradient_clip_val": "trainer.clip_norm",
        "grad_clip": "trainer.clip_norm",
        "accumulate_grad_batches": "trainer.accumulate",
        "gradient_accumulation_steps": "trainer.accumulate",
        "limit_val_batches": "trainer.limit_test_batches",
        "resume": "trainer.on_existing",
        "data_dir": "paths.data",
        "data_path": "paths.data",
        "root": "paths.data",
        "output_dir": "paths.runs",
        "out_dir": "paths.runs",
        "save_dir": "paths.runs",
        "log_dir": "paths.runs",
        "arch": "model",
        "network": "model",
        "criterion": "loss",
        "opt": "optimizer",
        "lr_scheduler": "scheduler",
        "v_threshold": "neuron.threshold",
        "v_th": "neuron.threshold",
        "thresh": "neuron.threshold",
        "beta": "neuron.decay",
        "surrogate_function": "surrogate",
        "spike_grad": "surrogate",
    }
)
"""Keys elsewhere, in small letters, and the key here."""

CHOICES = MappingProxyType(
    {
        "loss": {"ce": "sdt", "cross_entropy": "sdt", "crossentropyloss": "sdt"},
        "neuron": {"leaky": "lif", "lifnode": "lif", "ifnode": "if", "parametriclifnode": "plif"},
        "norm": {"batchnorm2d": "bn", "batch_norm": "bn", "tdbn": "tdbn"},
        "scheduler": {
            "cosineannealinglr": "cosine",
            "steplr": "step",
            "multisteplr": "step",
            "none": "constant",
        },
        "surrogate": {"arctan": "atan", "fastsigmoid": "fast_sigmoid", "superspike": "fast_sigmoid"},
        "hydra/launcher": {"slurm": "submitit_slurm", "local": "process", "submitit": "submitit_local"},
    }
)
"""By group, choices elsewhere, in small letters, and the choice here."""


def other_key(name: str) -> str | None:
    """Our key for a key of another tool: `optimizer.lr` for `learning_rate`."""
    return KEYS.get(name.lower())


def other_choice(group: str, name: str) -> str | None:
    """Our choice for one of another tool, which may be a class with its module: `adam` for `torch.optim.Adam`."""
    last = name.rpartition(".")[2].lower()
    return CHOICES.get(group, {}).get(last)
