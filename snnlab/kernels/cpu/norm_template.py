"""The C++ text for a normalisation in front of a neuron; `$NAME$` is filled in by `source.py`."""

NORM = r"""
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
