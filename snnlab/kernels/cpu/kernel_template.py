"""The C++ text of every neuron: types, the forward pass, the backward pass; `$NAME$` is filled in by `source.py`."""

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

HEAD = (
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

/* What a call is about; the same as `Arguments` in arguments.py. */
struct Arguments {
    I N, start, threads, inner, channels, v_step, x_step;
    const X *x, *residual;
    const S *scale, *shift, *v0, *numbers;
    const S *const *parameters;
    const S *threshold_width;
};

static inline I least(I a, I b) { return a < b ? a : b; }

/* the potential before the first step; v_step is 0 where it is one number */
static inline void begin(const Arguments &args, I n, I l, S *v) {
    if (args.v_step) memcpy(v, args.v0 + n, l * sizeof(S));
    else for (I j = 0; j < l; j++) v[j] = *args.v0;
}
"""
)

KERNELS = r"""
extern "C" void forward(const Arguments &args, X *s_out, S *v_out, S *h_out) {
    const I N = args.N, x_step = args.x_step, start = args.start, blocks = (N + BLOCK - 1) / BLOCK;
    const S *const *const parameters = args.parameters;
    $LOADS$
    #pragma omp parallel for num_threads(args.threads) schedule(static)
    for (I b = 0; b < blocks; b++) {
        const I n = b * BLOCK, l = least(BLOCK, N - n);
        const X *__restrict x_T = args.x + n, *__restrict residual_T = args.residual + n;
        X *__restrict s_T = s_out + n;
        S *__restrict h_T = h_out + n;
        S first[BLOCK], ignored[BLOCK];
        S *__restrict v_end = v_out ? v_out + n : ignored;
        begin(args, n, l, first);
#if $AFFINE$
        S scale[$TABLES$ * BLOCK], shift[$TABLES$ * BLOCK];
        for (I t = 0; t < $TABLES$; t++) {
            spread(args.scale + t * args.channels, args, n, l, scale + t * BLOCK);
            spread(args.shift + t * args.channels, args, n, l, shift + t * BLOCK);
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
    const Arguments &args, const X *gs_in, const S *gv_last, const S *gh_in, X *gx_out, S *gv_first, double *sums
) {
    const I N = args.N, x_step = args.x_step, start = args.start, blocks = (N + BLOCK - 1) / BLOCK;
    const I size = NUM_SUMS + ($AFFINE$ ? 2 * $TABLES$ * args.channels : 0);
    const S *const *const parameters = args.parameters;
    $LOADS$
    #pragma omp parallel for num_threads(args.threads) schedule(static)
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        double *own = sums + chunk * size;
        for (I b = blocks * chunk / CHUNKS; b < blocks * (chunk + 1) / CHUNKS; b++) {
            const I n = b * BLOCK, l = least(BLOCK, N - n);
            const X *__restrict x_T = args.x + n, *__restrict residual_T = args.residual + n;
            const X *__restrict gs_T = gs_in + n;
            const S *__restrict gh_T = gh_in + n;
            X *__restrict gx_T = gx_out + n;
            S first[BLOCK], grad[BLOCK];
            begin(args, n, l, first);
#if $AFFINE$
            S scale[$TABLES$ * BLOCK], shift[$TABLES$ * BLOCK], g0[$TABLES$ * BLOCK], g1[$TABLES$ * BLOCK];
            for (I t = 0; t < $TABLES$; t++) {
                spread(args.scale + t * args.channels, args, n, l, scale + t * BLOCK);
                spread(args.shift + t * args.channels, args, n, l, shift + t * BLOCK);
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
                gather(g0 + t * BLOCK, args, n, l, own + NUM_SUMS + 2 * t * args.channels);
                gather(g1 + t * BLOCK, args, n, l, own + NUM_SUMS + (2 * t + 1) * args.channels);
            }
#endif
            if (gv_first) memcpy(gv_first + n, grad, l * sizeof(S));
        }
    }
}
"""
