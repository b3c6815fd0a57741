/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of the resizers on every ISA of this CPU: the bytes of reference/ at random
 * sizes, with rows that end at the end of a page and canaries behind what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/cpu_features.h"
#include "kernels/pixel_rows.h"

enum {
    CASES = 400,
    MOST_PIXELS = 300,
    MOST_OUTPUTS = 80,
    MOST_TAPS = 12,
    CANARY = 0xa5,
    SPARE = 64
};

static uint32_t state = 12345;

static int32_t draw(int32_t low, int32_t high)
{
    state = state * 1664525u + 1013904223u;
    return low + (int32_t)((state >> 8) % (uint32_t)(high - low + 1));
}

/* `bytes` of noise that end where memory ends. */
typedef struct guarded {
    uint8_t *map;
    size_t mapped;
} guarded;

static uint8_t *guard_noise(guarded *g, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inside = (bytes + page - 1) / page * page;
    g->mapped = inside + page;
    g->map = mmap(NULL, g->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g->map != MAP_FAILED);
    assert_int_equal(mprotect(g->map + inside, page, PROT_NONE), 0);
    uint8_t *start = g->map + inside - bytes;
    for (size_t i = 0; i < bytes; i++)
        start[i] = (uint8_t)(draw(0, 3) == 0 ? draw(0, 1) * 255 : draw(0, 255));
    return start;
}

static void release(guarded *g)
{
    munmap(g->map, g->mapped);
}

typedef void one_case(const r2n_pixel_kernels *kernels, uint8_t *out, uint8_t *expected);

/* Weights with a sum of one, negative ones among them; as with real ones, no sum leaves 32 bits. */
static void draw_weights(int32_t *weights, int32_t count)
{
    int32_t left = 1 << R2N_PIXEL_BITS;
    for (int32_t t = 0; t + 1 < count; t++) {
        weights[t] = draw(-(1 << 20) / count, (1 << 21) / count);
        left -= weights[t];
    }
    weights[count - 1] = left;
}

static void check_filter_row(const r2n_pixel_kernels *kernels, uint8_t *out, uint8_t *expected)
{
    guarded g;
    r2n_pixel_span spans[MOST_OUTPUTS];
    const int32_t pixels = draw(1, MOST_PIXELS), outputs = draw(1, MOST_OUTPUTS);
    const int32_t taps = draw(1, pixels < MOST_TAPS ? pixels : MOST_TAPS);
    const int32_t stride =
        (taps + R2N_PIXEL_MULTIPLE - 1) / R2N_PIXEL_MULTIPLE * R2N_PIXEL_MULTIPLE;
    int32_t *weights = calloc((size_t)(outputs * stride), sizeof *weights);
    assert_non_null(weights);
    for (int32_t i = 0; i < outputs; i++) {
        spans[i].count = draw(1, taps);
        spans[i].first = (int32_t)((int64_t)i * (pixels - taps) / outputs);
        if (i == outputs - 1)
            spans[i].first = pixels - spans[i].count;
        draw_weights(weights + i * stride, spans[i].count);
    }
    const r2n_pixel_filter filter = {outputs, stride, spans, weights};
    const uint8_t *row = guard_noise(&g, (size_t)pixels * 3);
    r2n_pixel_kernels_reference.filter_row(&filter, row, pixels, expected);
    kernels->filter_row(&filter, row, pixels, out);
    release(&g);
    free(weights);
}

static void check_filter_columns(const r2n_pixel_kernels *kernels, uint8_t *out, uint8_t *expected)
{
    guarded g[MOST_TAPS];
    const uint8_t *rows[MOST_TAPS];
    int32_t weights[MOST_TAPS];
    const int32_t count = draw(1, MOST_TAPS), bytes = draw(1, 3 * MOST_OUTPUTS);
    const size_t padded = ((size_t)bytes + R2N_PIXEL_BLOCK - 1) / R2N_PIXEL_BLOCK * R2N_PIXEL_BLOCK;
    for (int32_t t = 0; t < count; t++)
        rows[t] = guard_noise(&g[t], padded);
    draw_weights(weights, count);
    r2n_pixel_kernels_reference.filter_columns(rows, weights, count, (size_t)bytes, expected);
    kernels->filter_columns(rows, weights, count, (size_t)bytes, out);
    for (int32_t t = 0; t < count; t++)
        release(&g[t]);
}

static void check_interpolate_row(const r2n_pixel_kernels *kernels, uint8_t *out, uint8_t *expected)
{
    guarded g;
    r2n_pixel_pair pairs[MOST_OUTPUTS];
    const int32_t pixels = draw(1, MOST_PIXELS), outputs = draw(1, MOST_OUTPUTS);
    const int32_t last = pixels > 1 ? pixels - 2 : 0;
    for (int32_t i = 0; i < outputs; i++) {
        const int32_t share = draw(0, 2048);
        pairs[i].first = i == outputs - 1 ? last : (int32_t)((int64_t)i * last / outputs);
        pairs[i].share = (int16_t)share;
        pairs[i].next_share = (int16_t)(2048 - share);
    }
    const uint8_t *row = guard_noise(&g, (size_t)pixels * 3);
    r2n_pixel_kernels_reference.interpolate_row(pairs, outputs, row, pixels, (int16_t *)expected);
    kernels->interpolate_row(pairs, outputs, row, pixels, (int16_t *)out);
    release(&g);
}

static void check_mix_rows(const r2n_pixel_kernels *kernels, uint8_t *out, uint8_t *expected)
{
    guarded g[2];
    int16_t *rows[2];
    const int32_t count = draw(1, 3 * MOST_OUTPUTS), share = draw(0, 2048);
    for (int i = 0; i < 2; i++) {
        rows[i] = (int16_t *)guard_noise(&g[i], (size_t)count * 2);
        for (int32_t k = 0; k < count; k++)
            rows[i][k] = (int16_t)draw(0, 255 * 2048 / 16);
    }
    r2n_pixel_kernels_reference.mix_rows(rows[0], rows[1], (int16_t)share, (int16_t)(2048 - share),
                                         expected, (size_t)count);
    kernels->mix_rows(rows[0], rows[1], (int16_t)share, (int16_t)(2048 - share), out,
                      (size_t)count);
    for (int i = 0; i < 2; i++)
        release(&g[i]);
}

static void check_isa(const r2n_pixel_kernels *kernels)
{
    static one_case *const checks[] = {check_filter_row, check_filter_columns,
                                       check_interpolate_row, check_mix_rows};
    static int16_t out[3 * MOST_OUTPUTS + SPARE], expected[3 * MOST_OUTPUTS + SPARE];
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        for (int k = 0; k < CASES; k++) {
            memset(out, CANARY, sizeof out);
            memset(expected, CANARY, sizeof expected);
            checks[i](kernels, (uint8_t *)out, (uint8_t *)expected);
            assert_memory_equal(out, expected, sizeof out);
        }
}

static void every_isa_has_the_bytes_of_reference(void **unused)
{
    (void)unused;
    const r2n_pixel_kernels *last = &r2n_pixel_kernels_reference;
    for (r2n_isa isa = R2N_ISA_REFERENCE; isa < R2N_ISA_COUNT; isa++) {
        const r2n_pixel_kernels *kernels = r2n_pixel_kernels_for(isa);
        if (r2n_isa_missing(isa) != NULL)
            printf("SKIPPED: %s: this CPU lacks %s\n", r2n_isa_name(isa), r2n_isa_missing(isa));
        if (kernels == last)
            continue;
        printf("%s\n", r2n_isa_name(isa));
        check_isa(kernels);
        last = kernels;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_isa_has_the_bytes_of_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
