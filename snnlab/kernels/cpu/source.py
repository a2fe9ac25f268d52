"""The C++ source of a neuron's kernels: each element runs through all its time steps in registers.

Memory is [T, N]: N elements of a step in memory order; the channel of element n is n / inner % channels. The input
current is x, or with a normalisation (`affine`) x scale[t, c] + shift[t, c] (+ residual). The loop over time steps is
unrolled, and the compiler vectorises over elements. The work is divided into CHUNKS parts whatever the number of
threads, each with partial sums of its own, so sums are bit-identical for any number of threads.
"""

from dataclasses import dataclass

import torch

from snnlab.kernels.cpu.kernel_template import HEAD, KERNELS
from snnlab.kernels.cpu.norm_template import NORM
from snnlab.kernels.cpu.program import Program
from snnlab.kernels.cpu.stepwise_template import STEPWISE

CHUNKS = 64

C_TYPES = {torch.float32: "float", torch.float64: "double", torch.bfloat16: "BF16"}

INPUT_TYPES = tuple(C_TYPES)
"""What inputs and spikes may be."""


@dataclass(frozen=True)
class Variant:
    """The properties of a source besides the neuron's time step.

    Attributes:
        num_steps: T.
        x_dtype: dtype of inputs and spikes.
        dtype: dtype of the arithmetic.
        measured: whether the forward pass outputs the potentials and the backward pass takes their gradient.
        affine: whether the current is the input scaled and shifted.
        residual: whether a residual is added to the current.
        stepped: whether scale and shift differ between steps.
    """

    num_steps: int
    x_dtype: torch.dtype
    dtype: torch.dtype
    measured: bool = False
    affine: bool = False
    residual: bool = False
    stepped: bool = False


def source_of(program: Program, variant: Variant) -> str:
    """Returns the C++ source with `forward` and `backward`, and for a normalisation `moments` and `through_norm`."""
    steps = range(variant.num_steps)
    names = [*(["decay"] if program.learned_decay else []), *program.parameters]
    thresholds = ["threshold", "width"] if program.adaptive else []
    constants = [f"const S n{k} = args.numbers[{k}];" for k, _ in enumerate(program.numbers)]
    loads = [
        *constants,
        *(
            f"const S {name}_{t} = parameters[{k}][{f'start + {t}' if name in program.stepped else 0}];"
            for k, name in enumerate(names)
            for t in steps
        ),
    ]
    loads += [
        f"const S {name}_{t} = args.threshold_width[{k * len(steps) + t}];"
        for k, name in enumerate(thresholds)
        for t in steps
    ]
    grads = [program.results["gdecay"]] if program.learned_decay else []
    grads += [program.results[f"g{name}"] for name in program.parameters]
    sums = [f"r{k}_{t}" for t in steps for k in range(len(grads))]
    recompute, forward, backward = [], [], []
    for t in steps:
        scalars = "".join(f"const S {name} = {name}_{t}; " for name in (*names, *thresholds))
        step = [
            f"const S x_{t} = {_current(variant, t)};",
            f"S h_{t}, v_{t + 1};",
            "{",
            f"    const S x = x_{t}, v = v_{t}; {scalars}",
            *(f"    {line}" for line in program.charge),
            f"    const S h = {program.results['h']};",
            *(f"    {line}" for line in program.fire),
            f"    h_{t} = h; v_{t + 1} = {program.results['w']};",
        ]
        recompute += [*step, "}"]
        forward += [*step, f"    s_T[{t} * N + j] = ({program.results['s']});"]
        forward += [f"    h_T[{t} * N + j] = h_{t};"] if variant.measured else []
        forward += ["}"]
    for t in reversed(steps):
        scalars = "".join(f"const S {name} = {name}_{t}; " for name in (*names, *thresholds))
        extra = f"gh_T[{t} * N + j]" if variant.measured else "0"
        table = f"{t if variant.stepped else 0} * BLOCK + j"
        backward += [
            "{",
            f"    const S h = h_{t}, x = x_{t}, v = v_{t}, gv = g, extra = {extra}; {scalars}",
            f"    const S gs = (S)gs_T[{t} * N + j];",
            *(f"    {line}" for line in program.backward),
            f"    gx_T[{t} * N + j] = ({program.results['gx']}); g = {program.results['gv']};",
            *(f"    r{k}_{t} += {grad};" for k, grad in enumerate(grads)),
        ]
        if variant.affine:
            assign = "=" if variant.stepped or t == variant.num_steps - 1 else "+="
            gx = program.results["gx"]
            backward += [f"    g0[{table}] {assign} {gx}; g1[{table}] {assign} {gx} * (S)x_T[{t} * N + j];"]
        backward += ["}"]
    values = {
        "X": C_TYPES[variant.x_dtype],
        "S": C_TYPES[variant.dtype],
        "T": variant.num_steps,
        "CHUNKS": CHUNKS,
        "NUM_SUMS": len(sums),
        "AFFINE": int(variant.affine),
        "RESIDUAL": int(variant.residual),
        "TABLES": variant.num_steps if variant.stepped else 1,
        "LOADS": _lines(loads, 1),
        "FORWARD": _lines(forward, 3),
        "RECOMPUTE": _lines(recompute, 4),
        "BACKWARD": _lines(backward, 4),
        "ZERO": f"S {', '.join(f'{name} = 0' for name in sums)};" if sums else "",
        "REDUCTION": f"reduction(+:{', '.join(sums)})" if sums else "",
        "STORE": _lines([f"own[{k}] += {name};" for k, name in enumerate(sums)], 3),
        "SCALARS": _lines(
            [*constants, *(["const S decay = args.parameters[0][0];"] if program.learned_decay else [])], 1
        ),
        "CHARGE": _lines([*program.charge, f"const S h = {program.results['h']};"], 4),
        "FIRE": _lines(
            [*program.fire, f"s[j] = ({program.results['s']}); after[j] = {program.results['w']};"], 5
        ),
        "CURRENT": "(S)x_t[j]"
        + " * scale[j] + shift[j]" * variant.affine
        + " + (S)residual_t[j]" * variant.residual,
    }
    text = HEAD + (NORM if variant.affine else "") + KERNELS + (STEPWISE if program.adaptive else "")
    for key, value in values.items():
        text = text.replace(f"${key}$", str(value))
    return _functions("" if variant.dtype == torch.float64 else "f") + text


def _current(variant: Variant, t: int) -> str:
    if not variant.affine:
        return f"(S)x_T[{t} * x_step + j]"
    x = f"(S)x_T[{t} * N + j]"
    table = f"{t if variant.stepped else 0} * BLOCK + j"
    return f"{x} * scale[{table}] + shift[{table}]" + (
        f" + (S)residual_T[{t} * N + j]" if variant.residual else ""
    )


def _lines(lines: list[str], depth: int) -> str:
    return ("\n" + "    " * depth).join(lines)


def _functions(suffix: str) -> str:
    names = ("exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "atan", "pow")
    functions = {"abs": "fabs", **{name: name for name in names}}
    return "".join(f"#define {name.upper()} {function}{suffix}\n" for name, function in functions.items())
