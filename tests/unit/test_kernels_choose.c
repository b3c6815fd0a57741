/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu_features.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"

enum { OPERATIONS = R2N_OPERATION_ELEMENTWISE + 1 };

static const r2n_gemm_arguments plain = {.images = 1, .rows = 1, .columns = 1, .channels = 1};

/* The levels between reference and NEON whose kernels this CPU runs, NEON's own on ARM. */
static int runs_here(const r2n_kernel *kernel)
{
    return (kernel->features & ~r2n_cpu_features()) == 0;
}

/* The last of an operation's and precision's kernels, or NULL where there are none. */
static const r2n_kernel *walk_list(r2n_operation operation, r2n_precision precision)
{
    const r2n_kernel *previous = NULL;
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        if (r2n_kernels[i].operation != operation || r2n_kernels[i].precision != precision)
            continue;
        if (previous != NULL)
            assert_true(previous->isa > r2n_kernels[i].isa);
        assert_non_null(strstr(r2n_kernels[i].name, r2n_isa_name(r2n_kernels[i].isa)));
        assert_non_null(strstr(r2n_kernels[i].name, r2n_precision_facts_of(precision)->name));
        previous = &r2n_kernels[i];
    }
    return previous;
}

static void list_is_best_first_and_ends_with_reference(void **state)
{
    (void)state;
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (int precision = 0; precision < R2N_PRECISION_COUNT; precision++) {
            const r2n_kernel *last = walk_list((r2n_operation)operation, (r2n_precision)precision);
            if (last == NULL) {
                assert_int_not_equal(precision, R2N_PRECISION_F32);
                continue;
            }
            assert_int_equal(last->isa, R2N_ISA_REFERENCE);
            assert_int_equal(last->features, 0);
        }
    assert_non_null(walk_list(R2N_OPERATION_GEMM, R2N_PRECISION_INT8));
    assert_non_null(walk_list(R2N_OPERATION_POOL, R2N_PRECISION_INT8));
}

static void ceiling_is_kept_and_the_best_below_it_chosen(void **state)
{
    (void)state;
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (int isa = 0; isa < R2N_ISA_COUNT; isa++) {
            const r2n_kernel *expected = NULL;
            for (size_t i = 0; i < r2n_kernel_count && expected == NULL; i++)
                if (r2n_kernels[i].operation == (r2n_operation)operation &&
                    r2n_kernels[i].precision == R2N_PRECISION_F32 &&
                    (int)r2n_kernels[i].isa <= isa && runs_here(&r2n_kernels[i]))
                    expected = &r2n_kernels[i];
            assert_ptr_equal(r2n_choose_kernel((r2n_operation)operation, R2N_PRECISION_F32,
                                               (r2n_isa)isa, &plain, NULL, 0),
                             expected);
        }
}

static void refusals_say_why(void **state)
{
    (void)state;
    char text[512];
    char expected[512] = "";
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (kernel->operation != R2N_OPERATION_GEMM || kernel->isa == R2N_ISA_REFERENCE ||
            kernel->precision != R2N_PRECISION_F32)
            continue;
        if (expected[0] != '\0')
            strcat(expected, "; ");
        strcat(strcat(expected, kernel->name), ": ");
        if (runs_here(kernel))
            strcat(expected, "the ceiling is reference");
        else
            strcat(strcat(expected, "this CPU lacks "), r2n_feature_name(kernel->features));
    }
    const r2n_kernel *kernel = r2n_choose_kernel(R2N_OPERATION_GEMM, R2N_PRECISION_F32,
                                                 R2N_ISA_REFERENCE, &plain, text, sizeof text);
    assert_string_equal(kernel->name, "gemm_f32_reference");
    assert_string_equal(text, expected);

    for (size_t size = 1; size < 40; size++) { /* cut, terminated, nothing behind it touched */
        memset(text, '#', sizeof text);
        r2n_choose_kernel(R2N_OPERATION_GEMM, R2N_PRECISION_F32, R2N_ISA_REFERENCE, &plain, text,
                          size);
        assert_true(strlen(text) < size);
        assert_memory_equal(text, expected, strlen(text));
        assert_int_equal(text[size], '#');
    }

    /* Nothing is refused where the best kernel of the list takes the arguments. */
    const r2n_kernel *best = &r2n_kernels[0];
    if (runs_here(best)) {
        assert_ptr_equal(r2n_choose_kernel(best->operation, best->precision, best->isa, &plain,
                                           text, sizeof text),
                         best);
        assert_string_equal(text, "");
    }
}

static void statistics_are_for_the_reference(void **state)
{
    (void)state;
    double sum = 0;
    char text[512];
    r2n_gemm_arguments training = plain;
    training.epilogue.sums = &sum;
    training.epilogue.statistics_rows = 1;
    for (int isa = 0; isa < R2N_ISA_COUNT; isa++) {
        const r2n_kernel *kernel = r2n_choose_kernel(R2N_OPERATION_GEMM, R2N_PRECISION_F32,
                                                     (r2n_isa)isa, &training, text, sizeof text);
        assert_int_equal(kernel->isa, R2N_ISA_REFERENCE);
        for (size_t i = 0; i < r2n_kernel_count; i++)
            if (r2n_kernels[i].operation == R2N_OPERATION_GEMM &&
                r2n_kernels[i].precision == R2N_PRECISION_F32 &&
                r2n_kernels[i].isa != R2N_ISA_REFERENCE && (int)r2n_kernels[i].isa <= isa &&
                runs_here(&r2n_kernels[i]))
                assert_non_null(strstr(text, ": no statistics"));
    }
}

static void isa_names_and_environment(void **state)
{
    (void)state;
    r2n_isa isa;
    for (int i = 0; i < R2N_ISA_COUNT; i++) {
        assert_int_equal(r2n_isa_parse(r2n_isa_name((r2n_isa)i), &isa), 1);
        assert_int_equal(isa, i);
    }
    isa = R2N_ISA_AVX512;
    assert_int_equal(r2n_isa_parse("AVX2", &isa), 0);
    assert_int_equal(r2n_isa_parse("", &isa), 0);
    assert_int_equal(isa, R2N_ISA_AVX512);
    assert_true(strlen(r2n_cpu_name()) > 0);
    assert_null(r2n_isa_missing(R2N_ISA_REFERENCE));

    const char *before = getenv("RES2NET_ISA");
    char *kept = before != NULL ? strdup(before) : NULL;
    unsetenv("RES2NET_ISA");
    const r2n_isa best = r2n_isa_default();
    assert_null(r2n_isa_missing(best));
    setenv("RES2NET_ISA", "reference", 1);
    assert_int_equal(r2n_isa_default(), R2N_ISA_REFERENCE);
    setenv("RES2NET_ISA", "avx2", 1);
    assert_int_equal(r2n_isa_default(), best < R2N_ISA_AVX2 ? best : R2N_ISA_AVX2);
    setenv("RES2NET_ISA", "neon", 1); /* may not raise the ceiling */
    assert_int_equal(r2n_isa_default(), best);
    setenv("RES2NET_ISA", "sse9", 1);
    assert_int_equal(r2n_isa_default(), best);
    unsetenv("RES2NET_ISA");
    if (kept != NULL)
        setenv("RES2NET_ISA", kept, 1);
    free(kept);
}

/* An option and the environment are held to one rule: a ceiling above the CPU is no fault. */
static void a_ceiling_gives_the_best_below_it(void **state)
{
    (void)state;
    r2n_isa isa = R2N_ISA_COUNT;
    assert_int_equal(r2n_isa_ceiling("sse9", &isa), R2N_ISA_UNKNOWN);
    assert_int_equal(r2n_isa_ceiling("", &isa), R2N_ISA_UNKNOWN);
    assert_int_equal(isa, R2N_ISA_COUNT);
    assert_int_equal(r2n_isa_ceiling("reference", &isa), R2N_ISA_CHOSEN);
    assert_int_equal(isa, R2N_ISA_REFERENCE);
#if defined(__x86_64__)
    for (int level = R2N_ISA_AVX2; level <= R2N_ISA_AMX; level++) {
        assert_int_equal(r2n_isa_ceiling(r2n_isa_name((r2n_isa)level), &isa), R2N_ISA_CHOSEN);
        assert_null(r2n_isa_missing(isa));
        for (int i = isa + 1; i <= level; i++)
            assert_non_null(r2n_isa_missing((r2n_isa)i));
    }
    isa = R2N_ISA_AVX2;
    assert_int_equal(r2n_isa_ceiling("neon", &isa), R2N_ISA_FOREIGN);
    assert_int_equal(isa, R2N_ISA_AVX2);
#elif defined(__aarch64__)
    assert_int_equal(r2n_isa_ceiling("amx", &isa), R2N_ISA_FOREIGN);
    assert_int_equal(r2n_isa_ceiling("neon", &isa), R2N_ISA_CHOSEN);
    assert_int_equal(isa, R2N_ISA_NEON);
#endif
}

static void missing_levels_and_features_agree(void **state)
{
    (void)state;
    const uint32_t features = r2n_cpu_features();
    assert_int_equal(r2n_isa_missing(R2N_ISA_AVX2) == NULL, (features & R2N_FEATURE_AVX2_FMA) != 0);
    assert_int_equal(r2n_isa_missing(R2N_ISA_AVX512) == NULL, (features & R2N_FEATURE_AVX512) != 0);
    assert_int_equal(r2n_isa_missing(R2N_ISA_NEON) == NULL, (features & R2N_FEATURE_NEON) != 0);
    assert_int_equal(r2n_isa_missing(R2N_ISA_AMX) == NULL, (features & R2N_FEATURE_AMX_INT8) != 0);
    for (int bit = 0; bit < 7; bit++)
        assert_string_not_equal(r2n_feature_name(1u << bit), "unknown");
    assert_string_equal(r2n_feature_name(1u << 30), "unknown");
}

static void precisions_say_what_they_need(void **state)
{
    (void)state;
    const uint32_t features = r2n_cpu_features();
    const int has_tiles = (features & R2N_FEATURE_AMX_BF16) != 0;
    const int has_bf16 = has_tiles || (features & R2N_FEATURE_AVX512_BF16) != 0;
    for (int isa = 0; isa < R2N_ISA_COUNT; isa++) {
        assert_null(r2n_precision_missing(R2N_PRECISION_F32, (r2n_isa)isa));
        assert_null(r2n_precision_missing(R2N_PRECISION_INT8, (r2n_isa)isa));
    }
    assert_null(r2n_precision_missing(R2N_PRECISION_BF16, R2N_ISA_REFERENCE));
    assert_null(r2n_precision_missing(R2N_PRECISION_BF16X3, R2N_ISA_REFERENCE));
    assert_string_equal(r2n_precision_missing(R2N_PRECISION_BF16, R2N_ISA_AVX2),
                        "AMX or AVX-512 BF16");
    assert_int_equal(r2n_precision_missing(R2N_PRECISION_BF16, R2N_ISA_AVX512) == NULL,
                     (features & R2N_FEATURE_AVX512_BF16) != 0);
    assert_int_equal(r2n_precision_missing(R2N_PRECISION_BF16, R2N_ISA_AMX) == NULL, has_bf16);
    assert_string_equal(r2n_precision_missing(R2N_PRECISION_BF16X3, R2N_ISA_AVX512), "AMX BF16");
    assert_int_equal(r2n_precision_missing(R2N_PRECISION_BF16X3, R2N_ISA_AMX) == NULL, has_tiles);
}

#if defined(__x86_64__)
static const r2n_kernel *find_kernel(r2n_operation operation, r2n_precision precision, r2n_isa isa)
{
    for (size_t i = 0; i < r2n_kernel_count; i++)
        if (r2n_kernels[i].operation == operation && r2n_kernels[i].precision == precision &&
            r2n_kernels[i].isa == isa)
            return &r2n_kernels[i];
    return NULL;
}

/* A CPU with tiles has all that these need: what has no kernel on tiles does not fall back to
 * reference/ there. */
static void tiles_train_in_bf16_beside_avx512(void **state)
{
    static const r2n_operation operations[] = {
        R2N_OPERATION_GEMM,          R2N_OPERATION_POOL,
        R2N_OPERATION_ELEMENTWISE,   R2N_OPERATION_STATISTICS,
        R2N_OPERATION_NORM_SUMS,     R2N_OPERATION_NORM_GRADIENT,
        R2N_OPERATION_POOL_GRADIENT, R2N_OPERATION_WEIGHTS_GRADIENT};
    (void)state;
    const uint32_t avx512 = R2N_FEATURE_AVX512 | R2N_FEATURE_AVX512_BF16;
    const uint32_t features = r2n_cpu_features();
    const int has_tiles = (features & R2N_FEATURE_AMX_BF16) != 0;
    if (has_tiles)
        assert_int_equal(features & avx512, avx512);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const r2n_kernel *tiles = find_kernel(operations[i], R2N_PRECISION_BF16, R2N_ISA_AMX);
        const r2n_kernel *vectors = find_kernel(operations[i], R2N_PRECISION_BF16, R2N_ISA_AVX512);
        assert_int_equal(tiles != NULL, operations[i] == R2N_OPERATION_GEMM ||
                                            operations[i] == R2N_OPERATION_WEIGHTS_GRADIENT);
        assert_non_null(vectors);
        assert_int_equal(vectors->features & ~avx512, 0);
        if ((features & avx512) == avx512)
            assert_ptr_equal(
                r2n_choose_kernel(operations[i], R2N_PRECISION_BF16, R2N_ISA_AMX, &plain, NULL, 0),
                tiles != NULL && has_tiles ? tiles : vectors);
    }
}
#endif

static void packing_has_sixteen_lanes_and_zeros_after_the_last(void **state)
{
    (void)state;
    enum { CHANNELS = 21, K_TOTAL = 5, K_FIRST = 2, K = 2, PITCH = 3 };
    float weights[CHANNELS * PITCH];
    float scale[CHANNELS];
    float packed[2 * 16 * K_TOTAL];
    assert_int_equal(r2n_packed_elements(CHANNELS, K_TOTAL), 2 * 16 * K_TOTAL);
    assert_int_equal(r2n_packed_elements(16, 7), 16 * 7);
    for (int i = 0; i < CHANNELS * PITCH; i++)
        weights[i] = (float)(i + 1);
    for (int i = 0; i < CHANNELS; i++)
        scale[i] = (float)(1 << (i % 4));
    for (int scaled = 0; scaled < 2; scaled++) {
        for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++)
            packed[i] = -1;
        r2n_pack_f32(packed, CHANNELS, K_TOTAL, K_FIRST, K, weights, PITCH, scaled ? scale : NULL);
        for (int n = 0; n < 32; n++)
            for (int k = 0; k < K_TOTAL; k++) {
                const float found = packed[(n / 16 * K_TOTAL + k) * 16 + n % 16];
                float expected = n < CHANNELS ? weights[n * PITCH + (k - K_FIRST + PITCH) % PITCH] *
                                                    (scaled ? scale[n] : 1)
                                              : 0;
                if (k < K_FIRST || k >= K_FIRST + K)
                    expected = -1; /* rows of another call */
                assert_true(found == expected);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_best_first_and_ends_with_reference),
        cmocka_unit_test(ceiling_is_kept_and_the_best_below_it_chosen),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(statistics_are_for_the_reference),
        cmocka_unit_test(isa_names_and_environment),
        cmocka_unit_test(a_ceiling_gives_the_best_below_it),
        cmocka_unit_test(missing_levels_and_features_agree),
        cmocka_unit_test(precisions_say_what_they_need),
#if defined(__x86_64__)
        cmocka_unit_test(tiles_train_in_bf16_beside_avx512),
#endif
        cmocka_unit_test(packing_has_sixteen_lanes_and_zeros_after_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
