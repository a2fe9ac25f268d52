"""The C++ source of a neuron's kernels: each element runs through all its time steps in registers.

Memory is [T, N]: N elements of a step in whatever order they lie; the channel of element n is n / inner % channels.
The current into the neuron is x, or with a normalisation (`affine`) x scale[t, c] + shift[t, c] (+ residual). The
steps are written out one after the other, and the compiler makes vectors over elements. Work is cut into CHUNKS parts,
whatever the number of threads, and each sums up for itself: sums have the same bits for any number of threads.
"""

from dataclasses import dataclass

import torch

from snnlab.kernels.cpu.over_time_source import SWEEP
from snnlab.kernels.cpu.program import Program

CHUNKS = 64

C_TYPES = {torch.float32: "float", torch.float64: "double", torch.bfloat16: "BF16"}

INPUT_TYPES = tuple(C_TYPES)
"""What inputs and spikes may be."""


@dataclass(frozen=True)
class Variant:
    """What a source is made for, beside the neuron's step.

    Attributes:
        num_steps: T.
        x_dtype: of inputs and spikes.
        dtype: of the arithmetic.
        measured: potentials go out, and their gradient comes in.
        affine: the current is a scaled and shifted input.
        residual: plus another one.
        stepped: scale and shift differ between steps.
    """

    num_steps: int
    x_dtype: torch.dtype
    dtype: torch.dtype
    measured: bool = False
    affine: bool = False
    residual: bool = False
    stepped: bool = False


def source_of(program: Program, variant: Variant) -> str:
    """A C++ file with `forward` and `backward`, and for a normalisation `moments` and `through_norm`."""
    steps = range(variant.num_steps)
    names = [*(["decay"] if program.learned_decay else []), *program.parameters]
    levels = ["level", "width"] if program.levelled else []
    loads = [
        f"const S {name}_{t} = parameters[{k}][{f'start + {t}' if name in program.stepped else 0}];"
        for k, name in enumerate(names)
        for t in steps
    ]
    loads += [
        f"const S {name}_{t} = job.levels[{k * len(steps) + t}];"
        for k, name in enumerate(levels)
        for t in steps
    ]
    grads = [program.results["gdecay"]] if program.learned_decay else []
    grads += [program.results[f"g{name}"] for name in program.parameters]
    sums = [f"r{k}_{t}" for t in steps for k in range(len(grads))]
    recompute, forward, backward = [], [], []
    for t in steps:
        scalars = "".join(f"const S {name} = {name}_{t}; " for name in (*names, *levels))
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
        scalars = "".join(f"const S {name} = {name}_{t}; " for name in (*names, *levels))
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
        "DECAY": "const S decay = job.parameters[0][0];" if program.learned_decay else "",
        "CHARGE": _lines([*program.charge, f"const S h = {program.results['h']};"], 4),
        "FIRE": _lines(
            [*program.fire, f"s[j] = ({program.results['s']}); after[j] = {program.results['w']};"], 5
        ),
        "CURRENT": "(S)x_t[j]"
        + " * scale[j] + shift[j]" * variant.affine
        + " + (S)residual_t[j]" * variant.residual,
    }
    text = _HEAD + (_NORM if variant.affine else "") + _KERNELS + (SWEEP if program.levelled else "")
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


BF16 = r"""
/* Without branches and copies, so that loops over it become vectors. */
struct BF16 {
    uint16_t bits;
    BF16 &operator=(float value) {
        const uint32_t u = __builtin_bit_cast(uint32_t, value);
        const uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
        const uint32_t is_nan = (u & 0x7fffffff) > 0x7f800000;
        bits = (uint16_t)(is_nan ? 0x7fc0 : rounded);
        return *this;
    }
    operator float() const { return __builtin_bit_cast(float, (uint32_t)bits << 16); }
};
"""

_HEAD = (
    r"""
#include <math.h>
#include <stdint.h>
#include <string.h>

/* glibc has these for whole vectors, right to 4 units in the last place, but shows them only to -ffast-math. */
#if defined __x86_64__ && defined __GLIBC__ && defined __GNUC__ && !defined __clang__
#define OF_VECTORS(name) \
    extern "C" __attribute__((simd("notinbranch"))) float name##f(float) noexcept; \
    extern "C" __attribute__((simd("notinbranch"))) double name(double) noexcept;
OF_VECTORS(exp) OF_VECTORS(log) OF_VECTORS(sin) OF_VECTORS(cos)
#if __GLIBC_PREREQ(2, 35)
OF_VECTORS(tanh) OF_VECTORS(erf) OF_VECTORS(atan)
#endif
#endif
"""
    + BF16
    + r"""
typedef $X$ X;
typedef $S$ S;
typedef int64_t I;

#define CHUNKS $CHUNKS$
#define NUM_SUMS $NUM_SUMS$
#define BLOCK 512

/* What a call is about; the same as `Job` in cpu.py. */
struct Job {
    I N, start, threads, inner, channels, v_step, x_step;
    const X *x, *residual;
    const S *scale, *shift, *v0;
    const S *const *parameters;
    const S *levels;
};

static inline I least(I a, I b) { return a < b ? a : b; }

/* the potential before the first step; v_step is 0 where it is one number */
static inline void begin(const Job &job, I n, I l, S *v) {
    if (job.v_step) memcpy(v, job.v0 + n, l * sizeof(S));
    else for (I j = 0; j < l; j++) v[j] = *job.v0;
}
"""
)

_NORM = r"""
/* values of the channels of elements n.. */
static void spread(const S *table, const Job &job, I n, I l, S *out) {
    for (I j = 0; j < l;) {
        const I c = (n + j) / job.inner % job.channels;
        const I run = least(l - j, job.inner == 1 ? job.channels - c : job.inner - (n + j) % job.inner);
        if (job.inner == 1) memcpy(out + j, table + c, run * sizeof(S));
        else for (I k = 0; k < run; k++) out[j + k] = table[c];
        j += run;
    }
}

/* adds the values of elements n.. to their channels */
static void gather(const S *values, const Job &job, I n, I l, double *table) {
    for (I j = 0; j < l;) {
        const I c = (n + j) / job.inner % job.channels;
        const I run = least(l - j, job.inner == 1 ? job.channels - c : job.inner - (n + j) % job.inner);
        if (job.inner == 1) for (I k = 0; k < run; k++) table[c + k] += values[j + k];
        else {
            S sum = 0;
            #pragma omp simd reduction(+:sum)
            for (I k = 0; k < run; k++) sum += values[j + k];
            table[c] += sum;
        }
        j += run;
    }
}

/* sums [CHUNKS][2][channels], zero before, of x - center and its square. */
extern "C" void moments(const Job &job, const S *center, double *sums) {
    const I N = job.N, C = job.channels, blocks = (N + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(job.threads) schedule(static)
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        double *own = sums + 2 * C * chunk;
        for (I b = $T$ * blocks * chunk / CHUNKS; b < $T$ * blocks * (chunk + 1) / CHUNKS; b++) {
            const I n = b % blocks * BLOCK, l = least(BLOCK, N - n);
            const X *x = job.x + b / blocks * N + n;
            S middle[BLOCK], square[BLOCK];
            spread(center, job, n, l, middle);
            for (I j = 0; j < l; j++) {
                middle[j] = (S)x[j] - middle[j];
                square[j] = middle[j] * middle[j];
            }
            gather(middle, job, n, l, own);
            gather(square, job, n, l, own + C);
        }
    }
}

/* out = g scale + a + b x, with a and b of the channel; out may be g. */
extern "C" void through_norm(const Job &job, const X *g_T, const S *a, const S *b, X *out_T) {
    const I N = job.N, C = job.channels, blocks = (N + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(job.threads) schedule(static)
    for (I k = 0; k < $T$ * blocks; k++) {
        const I t = k / blocks, n = k % blocks * BLOCK, l = least(BLOCK, N - n);
        const X *x = job.x + t * N + n, *g = g_T + t * N + n;
        X *out = out_T + t * N + n;
        S scale[BLOCK], add[BLOCK], slope[BLOCK];
        spread(job.scale + ($TABLES$ > 1 ? t * C : 0), job, n, l, scale);
        spread(a, job, n, l, add);
        spread(b, job, n, l, slope);
        #pragma omp simd
        for (I j = 0; j < l; j++) out[j] = ((S)g[j] * scale[j] + add[j] + slope[j] * (S)x[j]);
    }
}
"""

_KERNELS = r"""
extern "C" void forward(const Job &job, X *s_out, S *v_out, S *h_out) {
    const I N = job.N, x_step = job.x_step, start = job.start, blocks = (N + BLOCK - 1) / BLOCK;
    const S *const *const parameters = job.parameters;
    $LOADS$
    #pragma omp parallel for num_threads(job.threads) schedule(static)
    for (I b = 0; b < blocks; b++) {
        const I n = b * BLOCK, l = least(BLOCK, N - n);
        const X *__restrict x_T = job.x + n, *__restrict residual_T = job.residual + n;
        X *__restrict s_T = s_out + n;
        S *__restrict h_T = h_out + n;
        S first[BLOCK], ignored[BLOCK];
        S *__restrict v_end = v_out ? v_out + n : ignored;
        begin(job, n, l, first);
#if $AFFINE$
        S scale[$TABLES$ * BLOCK], shift[$TABLES$ * BLOCK];
        for (I t = 0; t < $TABLES$; t++) {
            spread(job.scale + t * job.channels, job, n, l, scale + t * BLOCK);
            spread(job.shift + t * job.channels, job, n, l, shift + t * BLOCK);
        }
#endif
        #pragma omp simd
        for (I j = 0; j < l; j++) {
            const S v_0 = first[j];
            $FORWARD$
            v_end[j] = v_$T$;
        }
    }
}

/* sums [CHUNKS][NUM_SUMS + 2 * TABLES * channels], zero before. */
extern "C" void backward(
    const Job &job, const X *gs_in, const S *gv_last, const S *gh_in, X *gx_out, S *gv_first, double *sums
) {
    const I N = job.N, x_step = job.x_step, start = job.start, blocks = (N + BLOCK - 1) / BLOCK;
    const I size = NUM_SUMS + ($AFFINE$ ? 2 * $TABLES$ * job.channels : 0);
    const S *const *const parameters = job.parameters;
    $LOADS$
    #pragma omp parallel for num_threads(job.threads) schedule(static)
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        double *own = sums + chunk * size;
        for (I b = blocks * chunk / CHUNKS; b < blocks * (chunk + 1) / CHUNKS; b++) {
            const I n = b * BLOCK, l = least(BLOCK, N - n);
            const X *__restrict x_T = job.x + n, *__restrict residual_T = job.residual + n;
            const X *__restrict gs_T = gs_in + n;
            const S *__restrict gh_T = gh_in + n;
            X *__restrict gx_T = gx_out + n;
            S first[BLOCK], grad[BLOCK];
            begin(job, n, l, first);
#if $AFFINE$
            S scale[$TABLES$ * BLOCK], shift[$TABLES$ * BLOCK], g0[$TABLES$ * BLOCK], g1[$TABLES$ * BLOCK];
            for (I t = 0; t < $TABLES$; t++) {
                spread(job.scale + t * job.channels, job, n, l, scale + t * BLOCK);
                spread(job.shift + t * job.channels, job, n, l, shift + t * BLOCK);
            }
#endif
            if (gv_last) memcpy(grad, gv_last + n, l * sizeof(S));
            else memset(grad, 0, l * sizeof(S));
            $ZERO$
            #pragma omp simd $REDUCTION$
            for (I j = 0; j < l; j++) {
                const S v_0 = first[j];
                $RECOMPUTE$
                S g = grad[j];
                $BACKWARD$
                grad[j] = g;
            }
            $STORE$
#if $AFFINE$
            for (I t = 0; t < $TABLES$; t++) {
                gather(g0 + t * BLOCK, job, n, l, own + NUM_SUMS + 2 * t * job.channels);
                gather(g1 + t * BLOCK, job, n, l, own + NUM_SUMS + (2 * t + 1) * job.channels);
            }
#endif
            if (gv_first) memcpy(gv_first + n, grad, l * sizeof(S));
        }
    }
}
"""
