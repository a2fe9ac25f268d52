"""Names the run directory after what decides the result: `<runs>/<experiment>/<variant>-<hash>/seed<k>`."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.config.origins import flatten
from snnlab.config.schema import RunConfig

# Keys (or whole groups) that do not change the result, or that the path names already.
HASH_LEAVES_OUT = (
    "experiment",
    "seed",
    "paths",
    "logger",
    # Where a teacher or the first weights lie; what they are stands in distill.identity and init.identity.
    "init.run",
    "distill.teacher",
    "distill.weights",
    "distill.cache",
    "trainer.eval_batch_size",
    "trainer.num_workers",
    "trainer.device",
    "trainer.checkpoint_every",
    "trainer.progress",
    "trainer.plots",
    "trainer.on_existing",
    "trainer.threads",
    "trainer.allocator",
    "trainer.backend",
    "trainer.fuse",
    "trainer.pack_spikes",
    "trainer.detect_anomaly",
    "trainer.profile",
)


def decides(path: str) -> bool:
    """True for a key that the result depends on, but for the seed, which the path names."""
    return path not in HASH_LEAVES_OUT and path.partition(".")[0] not in HASH_LEAVES_OUT


def config_hash(raw: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that stand for all that decides the result."""
    kept = [(path, value) for path, value in flatten(raw) if decides(path)]
    # Augmentations are applied in order, so theirs is kept; no other order matters.
    kept.sort(key=lambda item: "augment" if item[0].startswith("augment.") else item[0])
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:8]


def variant(cfg: RunConfig) -> str:
    """What a person wants to see of a config in a folder's name."""
    neuron = (
        cfg.neuron.name if cfg.residual_neuron is None else f"{cfg.neuron.name}+{cfg.residual_neuron.name}"
    )
    loss = "+".join((cfg.loss.name, *(one.name for one in cfg.regulariser)))
    names = (cfg.dataset.name, cfg.model.name, neuron, loss, f"t{cfg.num_steps}")
    return "-".join(names)


def run_dir(cfg: RunConfig) -> Path:
    """The absolute directory of a run; the same config always has the same one."""
    return cfg.paths.runs / cfg.experiment / f"{variant(cfg)}-{config_hash(cfg.raw)}" / f"seed{cfg.seed}"
