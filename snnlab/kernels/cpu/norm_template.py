"""The C++ text for a normalisation in front of a neuron; `$NAME$` is filled in by `source.py`."""

NORM = r"""
/* values of the channels of elements n.. */
static void spread(const S *table, const Arguments &args, I n, I l, S *out) {
    for (I j = 0; j < l;) {
        const I c = (n + j) / args.inner % args.channels;
        const I run = least(l - j, args.inner == 1 ? args.channels - c : args.inner - (n + j) % args.inner);
        if (args.inner == 1) memcpy(out + j, table + c, run * sizeof(S));
        else for (I k = 0; k < run; k++) out[j + k] = table[c];
        j += run;
    }
}

/* adds the values of elements n.. to their channels */
static void gather(const S *values, const Arguments &args, I n, I l, double *table) {
    for (I j = 0; j < l;) {
        const I c = (n + j) / args.inner % args.channels;
        const I run = least(l - j, args.inner == 1 ? args.channels - c : args.inner - (n + j) % args.inner);
        if (args.inner == 1) for (I k = 0; k < run; k++) table[c + k] += values[j + k];
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
extern "C" void moments(const Arguments &args, const S *center, double *sums) {
    const I N = args.N, C = args.channels, blocks = (N + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(args.threads) schedule(static)
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        double *own = sums + 2 * C * chunk;
        for (I b = $T$ * blocks * chunk / CHUNKS; b < $T$ * blocks * (chunk + 1) / CHUNKS; b++) {
            const I n = b % blocks * BLOCK, l = least(BLOCK, N - n);
            const X *x = args.x + b / blocks * N + n;
            S middle[BLOCK], square[BLOCK];
            spread(center, args, n, l, middle);
            for (I j = 0; j < l; j++) {
                middle[j] = (S)x[j] - middle[j];
                square[j] = middle[j] * middle[j];
            }
            gather(middle, args, n, l, own);
            gather(square, args, n, l, own + C);
        }
    }
}

/* out = g scale + a + b x, with a and b of the channel; out may be g. */
extern "C" void through_norm(const Arguments &args, const X *g_T, const S *a, const S *b, X *out_T) {
    const I N = args.N, C = args.channels, blocks = (N + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(args.threads) schedule(static)
    for (I k = 0; k < $T$ * blocks; k++) {
        const I t = k / blocks, n = k % blocks * BLOCK, l = least(BLOCK, N - n);
        const X *x = args.x + t * N + n, *g = g_T + t * N + n;
        X *out = out_T + t * N + n;
        S scale[BLOCK], add[BLOCK], slope[BLOCK];
        spread(args.scale + ($TABLES$ > 1 ? t * C : 0), args, n, l, scale);
        spread(a, args, n, l, add);
        spread(b, args, n, l, slope);
        #pragma omp simd
        for (I j = 0; j < l; j++) out[j] = ((S)g[j] * scale[j] + add[j] + slope[j] * (S)x[j]);
    }
}
"""
