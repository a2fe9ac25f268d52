"""Finished run directories."""

import json

import pytest
import yaml

from snnlab.runs.load import load

BINS = {
    "count": [[0, 4], [2, 2]],
    "confidence": [[None, 0.9], [0.3, 0.8]],
    "accuracy": [[None, 0.5], [0.5, 1.0]],
}


@pytest.fixture
def run(tmp_path):
    """A finished run directory."""

    def make(*overrides, acc=0.75, whole=True, name=None):
        cfg = load(["+experiment=quickstart", "num_steps=2", *overrides])
        folder = tmp_path / (name or f"{cfg.loss.name}{cfg.seed}")
        folder.mkdir()
        last = {"test/acc": acc, "test/ece": 0.1, "test/nll": None, "test/firing_rate/a<b/t1": 0.1}
        for name in ("acc", "ece", "nll"):
            for step in (1, 2):
                last |= {f"test/{name}_{reading}/t{step}": step / 10 for reading in ("step", "cum")}
        last |= {"test/firing_rate/a<b/t2": 0.3}
        result = {
            "experiment": "quickstart", "variant": "v", "seed": cfg.seed, "num_train": 8, "num_test": 4, "split": "s",
            "synthetic": False, "selection": {"last": "after epoch 2"}, "epochs": 2, "num_params": 1234,
            "train_seconds": 1.0, "samples_per_second": 9.0, "code": "0.1.0", "last": last, "best": last,
        }  # fmt: skip
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "config.yaml").write_text(yaml.safe_dump(dict(cfg.raw), sort_keys=False))
        if whole:
            (folder / "overrides.txt").write_text("\n".join(cfg.overrides) + "\n")
            rows = [{"epoch": n, "split": "test", "test/acc": n / 4, "test/loss": 1 / n} for n in (1, 2)]
            (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            evaluation = {"classes": ["x", "y"], "reliability": {"cum": BINS}, "confusion": [[2, 0], [1, 1]]}
            (folder / "evaluation.json").write_text(json.dumps(evaluation))
            (folder / "plots").mkdir()
            (folder / "plots/frames.png").write_bytes(b"not really")
            env = {"gpu": None, "device": "cpu", "threads": 1, "cpu_count": 2, "platform": "p", "python": "3"}
            (folder / "env.json").write_text(json.dumps(env | {"packages": {"torch": "2"}}))
        return folder

    return make
