"""The C++ text of a step in which no element can fire until the whole layer is charged: DS-ATGO in training.

`fire_and_charge` fires step t - 1, whose threshold is known by then, and charges step t, in one pass over memory;
a forward pass is T + 1 calls. Between calls the potentials of one step are in memory. Each block of elements yields
its sum and its squared differences from its own mean, which are summed in a fixed order for each chunk.
"""

STEPWISE = r"""
/* moments [3]: count, mean and sum of squared differences of the charged potentials */
extern "C" void fire_and_charge(
    const Arguments &args, I t, const S *h_before, S *h_now, X *s_out, S *v_out, double *moments
) {
    const I N = args.N, blocks = (N + BLOCK - 1) / BLOCK;
    $SCALARS$
    double parts[CHUNKS][3] = {}; /* sums of h, of (h - mean of its block)^2, and of (sum of a block)^2 / its size */
    #pragma omp parallel for num_threads(args.threads) schedule(static)
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        double *own = parts[chunk];
        for (I b = blocks * chunk / CHUNKS; b < blocks * (chunk + 1) / CHUNKS; b++) {
            const I n = b * BLOCK, l = least(BLOCK, N - n);
            S after[BLOCK];
            if (t == 0) begin(args, n, l, after);
            else {
                const S threshold = args.threshold_width[t - 1], width = args.threshold_width[$T$ + t - 1];
                const S *h_t = h_before + n;
                X *s = s_out + (t - 1) * N + n;
                #pragma omp simd
                for (I j = 0; j < l; j++) {
                    const S h = h_t[j];
                    $FIRE$
                }
            }
            if (t == $T$) {
                if (v_out) memcpy(v_out + n, after, l * sizeof(S));
                continue;
            }
            const X *x_t = args.x + t * args.x_step + n, *residual_t = args.residual + t * N + n;
            S *h_t = h_now + n;
#if $AFFINE$
            S scale[BLOCK], shift[BLOCK];
            spread(args.scale + ($TABLES$ > 1 ? t * args.channels : 0), args, n, l, scale);
            spread(args.shift + ($TABLES$ > 1 ? t * args.channels : 0), args, n, l, shift);
#endif
            S sum = 0, squares = 0;
            #pragma omp simd reduction(+:sum)
            for (I j = 0; j < l; j++) {
                const S x = $CURRENT$, v = after[j];
                $CHARGE$
                h_t[j] = h;
                sum += h;
            }
            const S mean = sum / l;
            #pragma omp simd reduction(+:squares)
            for (I j = 0; j < l; j++) squares += (h_t[j] - mean) * (h_t[j] - mean);
            own[0] += sum;
            own[1] += squares;
            own[2] += (double)sum * sum / l;
        }
    }
    if (t == $T$) return;
    double sum = 0, squares = 0;
    for (I chunk = 0; chunk < CHUNKS; chunk++) {
        sum += parts[chunk][0];
        squares += parts[chunk][1] + parts[chunk][2];
    }
    squares -= sum * sum / N;
    moments[0] = N;
    moments[1] = sum / N;
    moments[2] = squares < 0 ? 0 : squares;
}
"""
