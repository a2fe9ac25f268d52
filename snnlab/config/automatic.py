"""What `auto` stands for where it changes digits: settled when a configuration is checked, so without torch.

The other keys with `auto` do not change a result, and are settled where their question comes up.
"""

from pathlib import Path

from snnlab.config.schema import TrainerConfig
from snnlab.config.signature import class_value
from snnlab.system import gpu_there

LAYOUT = "trainer.channels_last"


def chosen_layout(trainer: TrainerConfig, model: Path) -> bool:
    """Whether `trainer.channels_last=auto` is true: in networks of 2-D convolutions, but not in float32 on CUDA.

    Args:
        trainer: the settings.
        model: file of the network's class, which says `convolutional = True` if it is one.
    """
    if not class_value(model, "convolutional"):
        return False
    on_gpu = trainer.device != "cpu" and (trainer.device != "auto" or gpu_there())
    return trainer.precision != "fp32" or not on_gpu
