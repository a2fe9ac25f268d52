"""The command line of a cell at a scale: the paper's recipe, few images, fewer epochs, or a few steps."""

from collections.abc import Callable, Sequence

from snnlab.config.schema import RunConfig
from snnlab.tables.table_file import Run, Scale, ScaleChange, TableFile

# A tenth of the epochs where a table says nothing else.
SHORT = ScaleChange(epochs=0.1)
EMBEDDED = ("digits", "digits_dvs")
# The embedded data set that replaces a published one at the smoke scale, which only tests that everything runs.
STANDS_IN = {
    "cifar10": "digits",
    "cifar100": "digits",
    "imagenet": "digits",
    "imagenet200": "digits",
    "tiny_imagenet": "digits",
    "cifar10_dvs": "digits_dvs",
    "dvs_gesture": "digits_dvs",
    "ncaltech101": "digits_dvs",
    "nmnist": "digits_dvs",
    "sl_animals_dvs": "digits_dvs",
}
# Networks that do not accept images as small as the embedded ones.
LEAST_SIZE = {"vgg16_snn": 32}
# Samples of a published set may be shown larger, which would take minutes a step on a CPU, and the memory of a GPU.
MOST_SIZE = 48
# The sides of holes, by operation. One as large as the picture leaves nothing of it, and normalisation divides by zero.
HOLES = {"cutout": ("size",), "nda": ("cutout",)}
FEW_STEPS = (
    "trainer.epochs=1",
    "trainer.max_steps=2",
    "trainer.limit_test_batches=2",
    "trainer.batch_size=8",
    "trainer.eval_batch_size=null",
    "trainer.accumulate=1",
    "trainer.num_workers=0",
    "trainer.precision=fp32",
    "trainer.plots=false",
)
# The layout of the runs in results/, which were made before it was chosen by itself: their last digits depend on it.
AS_PUBLISHED = "trainer.channels_last=false"
EPOCH_KEYS = ("warmup_epochs", "cooldown_epochs", "epochs_before", "milestones")


def at_scale(
    config: Callable[[Sequence[str]], RunConfig],
    table: TableFile,
    run: Run,
    more: Sequence[str],
    scale: Scale,
    by_hand: Sequence[str],
) -> tuple[str, ...]:
    """The overrides of a cell, without its seed; `config` composes overrides into a checked configuration."""
    if scale == "full":
        return (f"+experiment={run.experiment}", *table.overrides, *run.overrides, *more, *by_hand)
    change = table.scales.get(scale) or (SHORT if scale == "short" else ScaleChange())
    own = change.experiments.get(run.experiment)
    # What a row is about comes after what a scale says, and is never undone by it.
    start = (
        [f"+experiment={run.experiment}"]
        if own is None
        else [f"+experiment={own.experiment}", *own.overrides]
    )
    if scale == "short":
        start = [*start, AS_PUBLISHED]
    lines = [*start, *change.overrides, *table.overrides, *run.overrides, *more]
    if scale == "smoke":
        lines += _smoke(config, lines)
    elif change.epochs is not None:
        lines += _shortened(config(lines), change.epochs)
    return (*lines, *by_hand)


def stand_in(cfg: RunConfig) -> str:
    """The embedded set for a config's data set; empty where none has its form, so that data is generated."""
    return cfg.dataset.name if cfg.dataset.name in EMBEDDED else STANDS_IN.get(cfg.dataset.name, "")


def _smoke(config: Callable[[Sequence[str]], RunConfig], lines: Sequence[str]) -> list[str]:
    cfg = config(lines)
    data = stand_in(cfg)
    if data == cfg.dataset.name:
        return list(FEW_STEPS)
    found = [f"dataset={data}" if data else "trainer.synthetic=true", *FEW_STEPS, *_scaled(cfg, 0.0)]
    holes = [(op, key) for op in cfg.augment for key in HOLES.get(op.name, ())]
    large = data and cfg.dataset.params["image_size"] > MOST_SIZE
    if not data or not (holes or large or cfg.model.name in LEAST_SIZE):
        return found
    # What the experiment sets holds for the stand-in, too: the size of its samples, and of the holes in them.
    shown = config([*lines, *found]).dataset.params["image_size"]
    size = min(max(shown, LEAST_SIZE.get(cfg.model.name, 0)), MOST_SIZE)
    found += [f"dataset.image_size={size}"] if size != shown else []
    return found + [
        f"augment.{op.name}.{key}={size // 2}" for op, key in holes if (op.params[key] or 0) >= size
    ]


def _shortened(cfg: RunConfig, factor: float) -> list[str]:
    return [f"trainer.epochs={max(1, round(factor * cfg.trainer.epochs))}", *_scaled(cfg, factor)]


def _scaled(cfg: RunConfig, factor: float) -> list[str]:
    """The schedule's own epochs, shortened with the run."""
    found = []
    for key in EPOCH_KEYS:
        value = cfg.scheduler.params.get(key)
        if isinstance(value, int) and value:
            found.append(f"scheduler.{key}={round(factor * value)}")
        elif isinstance(value, list | tuple) and value and factor:
            found.append(f"scheduler.{key}=[{','.join(str(max(1, round(factor * one))) for one in value)}]")
    return found
