"""The hash by which version 0.1.0 named run directories, so that its runs are still found. Frozen: never changed.

It covers every setting, also those at their default, except LEFT_OUT. So it uses the keys of that version only
(`keys_0_1_0.json`), and later keys do not change it. Of components added later it covers all keys.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from snnlab.config.origins import flatten

LEFT_OUT = (
    "experiment",
    "seed",
    "paths",
    "logger",
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
SEVERAL = ("augment", "regulariser")


def old_hash(raw: Mapping[str, Any]) -> str:
    """The eight hexadecimal digits of version 0.1.0 for a configuration."""
    kept = [
        (path, value)
        for path, value in flatten(_old_part(raw))
        if path not in LEFT_OUT and path.partition(".")[0] not in LEFT_OUT
    ]
    # Augmentations are applied in order, so theirs is kept; no other order matters.
    kept.sort(key=lambda item: "augment" if item[0].startswith("augment.") else item[0])
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:8]


def covers(raw: Mapping[str, Any], paths: Collection[str]) -> bool:
    """Whether version 0.1.0 had all of these settings of a configuration, given as flat keys."""
    return set(paths) <= {path for path, _ in flatten(_old_part(raw))}


def _old_part(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the keys that version 0.1.0 did not have."""
    known = _keys()
    found: dict[str, Any] = {}
    for group, value in raw.items():
        old = known.get("neuron" if group == "residual_neuron" else group)
        if old is None or not isinstance(value, Mapping):
            if old is not None or group in known[""]:
                found[group] = value
        elif group in SEVERAL:
            found[group] = {name: _limited(values, old.get(name)) for name, values in value.items()}
        elif isinstance(old, list):
            found[group] = _limited(value, old)
        else:
            found[group] = {"name": value["name"], **_limited(value, old.get(value["name"]))}
    return found


def _limited(values: Mapping[str, Any], keys: Iterable[str] | None) -> Mapping[str, Any]:
    return values if keys is None else {key: values[key] for key in keys if key in values}


@cache
def _keys() -> Mapping[str, Any]:
    """Of the top level (\"\") and of each section a list of keys; of each kind, a list for each component."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name("keys_0_1_0.json").read_text())
    return content
