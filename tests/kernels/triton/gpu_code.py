"""Compiles kernels for an H200, which needs none, and prints for each its registers, stack bytes and memory moves.

    python tests/kernels/triton/gpu_code.py [name ...]

In a process of its own because Triton is either an interpreter or a compiler for the whole of it.
"""

import json
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from snnlab import registry
from snnlab.kernels.triton import back_over_time, channel_moments, over_time, pack_bits
from snnlab.kernels.triton.families import adaptive_threshold, circulate_firing, integrate_and_fire
from snnlab.kernels.triton.through_norm import back_through_norm
from snnlab.surrogates import TSG, Triangle

TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
STATIC = {
    "LEARNED_DECAY": False,
    "DECAY_INPUT": False,
    "PULLS": False,
    "ADAPTIVE": False,
    "SAME": True,
    "RANK": 1,
}
STATIC |= {"NORMED": False, "ADDED": False, "KEEP_H": False, "HAS_GRAD_H": False}
NORM = {"NORMED": True, "ADDED": True}
SUMS = {"SUMS": True}
LIF = {"FIRE": integrate_and_fire.fire, "ADJOINT": integrate_and_fire.adjoint, "OPTIONS": (0, 0, 0)}
CF = {"FIRE": circulate_firing.fire, "ADJOINT": circulate_firing.adjoint, "OPTIONS": (2, 2, 0, 0)}
DSATGO = {**LIF, "OPTIONS": (0, 0, 1), "ADAPTIVE": True, "LEARNED_DECAY": True}
PLIF = {**LIF, "LEARNED_DECAY": True, "DECAY_INPUT": True}


IO = (
    "x_ptr",
    "spikes_ptr",
    "grad_spikes_ptr",
    "grad_x_ptr",
    "residual_ptr",
    "y_ptr",
    "earlier_ptr",
    "grad_ptr",
    "out_ptr",
)


OF_BITS = {
    ("pack_bits", "out_ptr"): "*u8",
    ("pack_bits", "wrong_ptr"): "*i32",
    ("unpack_bits", "packed_ptr"): "*u8",
}


def surrogate(module):
    numbers = module.kernel_numbers()
    return {"SLOPE": module.kernel_gradient, "LEARN": module.kernel_learning, "UP": numbers, "DOWN": numbers}


def forward(dtype="bf16", **constants):
    block = 512 if dtype == "fp32" else 1024
    return over_time.forward, dtype, {**STATIC, **LIF, "KEEP_STATE": False, "BLOCK": block, **constants}


def backward(dtype="bf16", **constants):
    options = {"HAS_GRAD_STATE": False, "KEEP_GRAD_V": False, "SEGMENTED": False, "EVEN": True, "BLOCK": 512}
    options |= {"SUMS": False, "WRITES": back_over_time.GRAD_OF_CURRENT.value}
    return (
        back_over_time.backward,
        dtype,
        {**STATIC, **LIF, **surrogate(Triangle()), **options, "STEPS": 4, **constants},
    )


def charge(**constants):
    options = {"ADAPTIVE_THRESHOLD": True, "ADAPTIVE_WIDTH": True, "BY_DEVIATION": True}
    options |= {"FIRE": integrate_and_fire.fire, "OPTIONS": (0, 0, 1), "SAME": True, "KEEP_STATE": False}
    options |= {"FIRST": False, "SECOND": False, "LAST": False, "RANK": 1, "PARTS": 1024, "BLOCK": 1024}
    return adaptive_threshold.charge, "bf16", {**options, **constants}


KERNELS = {
    "forward": forward(),
    "forward fp32": forward("fp32"),
    "forward cf": forward(**CF),
    "forward dsatgo": forward(**DSATGO),
    "forward plif": forward(**PLIF),
    "backward": backward(),
    "backward 10": backward(STEPS=10),
    "backward 10 fp32": backward("fp32", STEPS=10),
    "backward 16": backward(STEPS=16),
    "backward 64": backward(STEPS=8, SEGMENTED=True),
    "backward 65": backward(STEPS=8, SEGMENTED=True, EVEN=False),
    "backward plif 10": backward(STEPS=10, **PLIF, **SUMS),
    "backward cf 10": backward(STEPS=10, **CF),
    "backward tsg 10": backward(STEPS=10, **surrogate(TSG()), **SUMS),
    "backward tsg 64": backward(STEPS=8, SEGMENTED=True, **surrogate(TSG()), **SUMS),
    "backward dsatgo 10": backward(STEPS=10, **DSATGO, **SUMS),
    "forward norm": forward(**NORM),
    "backward norm 4": backward(**NORM, **SUMS),
    "backward norm 10": backward(STEPS=10, **NORM, **SUMS),
    "sums of norm 4": backward(NORMED=True, WRITES=back_over_time.NOTHING.value, **SUMS),
    "sums of norm 10": backward(STEPS=10, NORMED=True, WRITES=back_over_time.NOTHING.value, **SUMS),
    "gradient of input 4": backward(NORMED=True, WRITES=back_over_time.GRAD_OF_INPUT.value),
    "gradient of input 10": backward(STEPS=10, NORMED=True, WRITES=back_over_time.GRAD_OF_INPUT.value),
    "column moments": (channel_moments.column_moments, "bf16", {"ALIKE": False, "ROWS": 8, "COLS": 128}),
    "column moments alike": (channel_moments.column_moments, "bf16", {"ALIKE": True, "ROWS": 8, "COLS": 128}),
    "norm table": (channel_moments.norm_table, "fp32", {"BLOCK": 1024}),
    "channel sums": (channel_moments.channel_sums, "fp32", {"OF_BATCH": True, "BLOCK": 2048}),
    "back through norm": (back_through_norm, "bf16", {"RANK": 1, "BLOCK": 1024}),
    "pack bits": (pack_bits.pack_bits, "bf16", {"BITS": 1, "BLOCK": 1024}),
    "unpack bits": (pack_bits.unpack_bits, "bf16", {"BITS": 1, "BLOCK": 1024}),
    "charge second": charge(SECOND=True),
    "charge": charge(),
} | {
    f"surrogate {name}": backward(STEPS=1, **surrogate(registry.load("surrogate", name)()))
    for name in registry.component_files("surrogate")
    if registry.load("surrogate", name).kernel_gradient is not None
}


def compiled(kernel, dtype, constants):
    """Registers, stack and instructions of a kernel for tensors without gaps, divisible by 16."""
    signature, attributes, known = {}, {}, {}
    for position, name in enumerate(kernel.arg_names):
        if name in constants or name in ("x_0", "g_0", "y_0"):
            signature[name] = "constexpr"
            known[(position,)] = constants.get(name, 1)
        elif name.endswith("_ptr"):
            io = name in IO
            signature[name] = OF_BITS.get((kernel.__name__, name), f"*{dtype if io else 'fp32'}")
            attributes[(position,)] = [["tt.divisibility", 16]]
        elif name in (
            "decay",
            "gain",
            "pull",
            "rest",
            "lower",
            "f_c",
            "threshold",
            "eps",
            "share",
            "low",
            "span",
            "per_one",
            "part",
        ):
            signature[name] = "fp32"
        else:
            signature[name] = "i32"
            if name in ("N", "x_t", "g_t", "y_t", "inner", "channels", "length", "size", "row", "n"):
                attributes[(position,)] = [["tt.divisibility", 16]]
    source = ASTSource(kernel, signature, known, attributes)
    code = triton.compile(
        source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 4, "enable_fp_fusion": False}
    )
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code.asm["cubin"])
        file.flush()
        usage = tool("cuobjdump", "-res-usage", file.name)
        assembly = tool("nvdisasm", "-c", file.name)
    registers, stack = map(int, re.search(r"REG:(\d+) STACK:(\d+)", usage).groups())
    moves = {}
    for move in re.findall(r"\b((?:LDG|STG|LDL|STL)\.[.\w]*)", assembly):
        moves[move] = moves.get(move, 0) + 1
    return {"registers": registers, "stack": stack, "moves": moves}


def tool(name, *arguments):
    return subprocess.run([TOOLS / name, *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or KERNELS:
        print(json.dumps({"kernel": name, **compiled(*KERNELS[name])}))  # noqa: T201
