"""What a neuron's equations and its surrogate tell the kernels about themselves."""

from typing import NamedTuple


class KernelForm(NamedTuple):
    """The equations of a neuron, as kernels take them.

    Attributes:
        family: name of a module with the functions `fire` and `adjoint`, such as
            `snnlab.kernels.integrate_and_fire`; it says what the options are.
        options: whole numbers, constants when a kernel is compiled.
        level: distance of the levels upwards, the threshold.
        lower: distance of the levels downwards, as a magnitude.
    """

    family: str
    options: tuple[int, ...]
    level: float
    lower: float
