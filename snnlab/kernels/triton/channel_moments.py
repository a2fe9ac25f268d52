"""The kernels that compute mean and variance of each channel in one pass over memory, and what a norm needs of them.

A step without gaps is [outer, C, inner] in memory, with inner = 1 in channels-last. A row is C * inner neighbouring
numbers; there are T * outer rows. A program of `column_moments` owns COLS columns of a range of rows. Each lane keeps
count, mean and sum of squared differences of what it has read, updated by Welford's rule on y minus the first number
of its channel, so that a large mean costs no digits:

    d = y - origin,  e = d - mean,  mean += e / n,  squares += e (d - mean)

The lanes of a column (ALIKE: of the whole program, whose columns are of one channel) are combined, and one mean and
one sum of squares are stored for each. `norm_table`, a program for each channel, combines these in a fixed order. The
order of all additions depends on shapes only, so the same numbers give the same bits.
"""

import triton
import triton.language as tl


@triton.jit
def load_rows(y_ptr, row, last_row, outer, length, y_t, inside):
    """Loads the columns at y_ptr of these rows; 0 for a row that is not before the last."""
    at = (row // outer).to(tl.int64) * y_t + (row % outer).to(tl.int64) * length
    return tl.load(y_ptr + at[:, None], mask=(row < last_row)[:, None] & inside[None, :], other=0.0)


@triton.jit(do_not_specialize=["rows", "rows_each"])
def column_moments(
    y_ptr,
    parts_ptr,
    rows,
    rows_each,
    outer,
    length,
    inner,
    y_t,
    ALIKE: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
):
    """Stores means and squared differences [splits, 2, columns], where columns is `length`, or length / COLS if ALIKE.

    Means are relative to the first number of the channel. Row r of `length` numbers is at
    (r // outer) y_t + (r % outer) length.
    """
    block = tl.program_id(0)
    split = tl.program_id(1)
    column = block * COLS + tl.arange(0, COLS)
    inside = column < length
    lane = tl.arange(0, ROWS)
    first_row = split * rows_each
    last_row = tl.minimum(first_row + rows_each, rows)
    origin = tl.load(y_ptr + column // inner * inner, mask=inside, other=0.0).to(tl.float32)[None, :]
    y_ptr += column[None, :]
    y = load_rows(y_ptr, first_row + lane, last_row, outer, length, y_t, inside)
    mean = tl.where((first_row + lane < last_row)[:, None], y.to(tl.float32) - origin, 0.0)
    squares = tl.zeros([ROWS, COLS], tl.float32)
    n = 1.0
    y = load_rows(y_ptr, first_row + ROWS + lane, last_row, outer, length, y_t, inside)
    for start in range(first_row + ROWS, last_row, ROWS):
        # The next rows are on their way while these are added.
        after = load_rows(y_ptr, start + ROWS + lane, last_row, outer, length, y_t, inside)
        n += 1.0
        d = y.to(tl.float32) - origin
        e = tl.where((start + lane < last_row)[:, None], d - mean, 0.0)
        mean += e * (1 / n)
        squares += e * (d - mean)
        y = after
    count = tl.maximum((last_row - first_row - lane + ROWS - 1) // ROWS, 0).to(tl.float32)[:, None]
    if ALIKE:
        weight = count + tl.zeros([ROWS, COLS], tl.float32)
        centre = tl.sum(tl.sum(weight * mean, 0), 0) / tl.sum(tl.sum(weight, 0), 0)
        off = mean - centre
        spread = tl.sum(tl.sum(squares + weight * off * off, 0), 0)
        columns = length // COLS
        tl.store(parts_ptr + 2 * split * columns + block, centre)
        tl.store(parts_ptr + (2 * split + 1) * columns + block, spread)
    else:
        centre = tl.sum(count * mean, 0) / tl.sum(count, 0)
        off = mean - centre[None, :]
        spread = tl.sum(squares + count * off * off, 0)
        tl.store(parts_ptr + 2 * split * length + column, centre, mask=inside)
        tl.store(parts_ptr + (2 * split + 1) * length + column, spread, mask=inside)


@triton.jit(do_not_specialize=["parts", "rows", "rows_each", "each"])
def norm_table(
    y_ptr,
    parts_ptr,
    weight_ptr,
    bias_ptr,
    table_ptr,
    parts,
    rows,
    rows_each,
    each,
    step_of_channels,
    inner,
    channels,
    eps,
    BLOCK: tl.constexpr,
):
    """Stores mean, scale, bias, 1 / sqrt(var + eps) and variance of a channel into the table [5, C].

    The first number of the channel is y_ptr[channel * step_of_channels]. The channel has `parts` = splits * inner
    parts, of which each covers rows_each (the last split: fewer) times `each` numbers.
    """
    channel = tl.program_id(0)
    start = channel * inner
    length = channels * inner
    total = tl.zeros([BLOCK], tl.float32)
    for first in range(0, parts, BLOCK):
        part = first + tl.arange(0, BLOCK)
        split = part // inner
        count = (tl.minimum(rows - split * rows_each, rows_each) * each).to(tl.float32)
        at = 2 * split * length + start + part % inner
        mean = tl.load(parts_ptr + at, mask=part < parts, other=0.0)
        total += tl.where(part < parts, count * mean, 0.0)
    n = (rows * inner).to(tl.float32) * each
    mean = tl.sum(total, 0) / n
    squares = tl.zeros([BLOCK], tl.float32)
    for first in range(0, parts, BLOCK):
        part = first + tl.arange(0, BLOCK)
        split = part // inner
        count = (tl.minimum(rows - split * rows_each, rows_each) * each).to(tl.float32)
        at = 2 * split * length + start + part % inner
        off = tl.load(parts_ptr + at, mask=part < parts, other=0.0) - mean
        within = tl.load(parts_ptr + at + length, mask=part < parts, other=0.0)
        squares += tl.where(part < parts, within + count * off * off, 0.0)
    var = tl.sum(squares, 0) / n
    rate = 1 / tl.sqrt(var + eps)
    origin = tl.load(y_ptr + channel * step_of_channels).to(tl.float32)
    tl.store(table_ptr + channel, origin + mean)
    tl.store(table_ptr + channels + channel, tl.load(weight_ptr + channel).to(tl.float32) * rate)
    tl.store(table_ptr + 2 * channels + channel, tl.load(bias_ptr + channel).to(tl.float32))
    tl.store(table_ptr + 3 * channels + channel, rate)
    tl.store(table_ptr + 4 * channels + channel, var)


@triton.jit(do_not_specialize=["parts"])
def channel_sums(
    sums_ptr,
    rate_ptr,
    grad_weight_ptr,
    grad_bias_ptr,
    terms_ptr,
    parts,
    size,
    inner,
    channels,
    share,
    OF_BATCH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Adds the partial sums of a channel, which the backward kernel has stored: gradients of its weight and bias.

    Stores the terms [2, C] of the gradient before the norm; `share` is 1 over the numbers of a channel. The sums
    [2, size] are [2, rows, C, inner], of which a channel has `parts` = rows * inner.
    """
    channel = tl.program_id(0)
    sum_of_g = tl.zeros([BLOCK], tl.float32)
    sum_of_product = tl.zeros([BLOCK], tl.float32)
    for first in range(0, parts, BLOCK):
        part = first + tl.arange(0, BLOCK)
        at = (part // inner * channels + channel) * inner + part % inner
        sum_of_g += tl.load(sums_ptr + at, mask=part < parts, other=0.0)
        sum_of_product += tl.load(sums_ptr + size + at, mask=part < parts, other=0.0)
    g = tl.sum(sum_of_g, 0)
    product = tl.sum(sum_of_product, 0)
    rate = tl.load(rate_ptr + channel)
    tl.store(grad_weight_ptr + channel, (product * rate).to(grad_weight_ptr.dtype.element_ty))
    tl.store(grad_bias_ptr + channel, g.to(grad_bias_ptr.dtype.element_ty))
    if OF_BATCH:
        tl.store(terms_ptr + channel, g * share)
        tl.store(terms_ptr + channels + channel, product * rate * rate * share)
