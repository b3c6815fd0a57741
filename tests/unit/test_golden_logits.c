/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logits of the real Paddle, timm and torchvision (tests/golden/make_logits.py) against ours, on
 * every ISA that this CPU has, on one and two threads, alone and in a batch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "formats/npy.h"
#include "base/memory.h"
#include "res2net/res2net.h"

enum { MAXIMUM_LINE = 512, MAXIMUM_CASES = 64 };
static const double TOLERANCE = 1e-4; /* of the largest logit */

typedef struct golden_case {
    char file[128], architecture[128], family[16];
    unsigned seed;
    int batch, height, width, classes;
} golden_case;

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* tests/golden/formula.py: picture(). */
static float *formula_picture(size_t count, uint64_t seed)
{
    uint64_t hash = 14695981039346656037u;
    float *picture = r2n_allocate(count, sizeof(float));
    assert_non_null(picture);
    for (const char *c = "picture"; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    hash ^= seed * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < count; i++) {
        const uint64_t x = mix(hash + (i + 1) * 0x9E3779B97F4A7C15u);
        picture[i] = 2.0f * (2.0f * ((float)(x >> 40) / 16777216.0f) - 1.0f);
    }
    return picture;
}

static void run(const res2net_model *model, const char *isa, int threads, const float *input,
                int batch, const golden_case *c, float *logits)
{
    const res2net_session_options options = {
        .threads = threads, .isa = isa, .preset = RES2NET_PRESET_TORCH};
    res2net_session *session;
    res2net_report *report = res2net_report_create();
    if (res2net_session_create(model, &options, &session, report) != RES2NET_OK ||
        res2net_session_run(session, input, batch, c->height, c->width, logits, report) !=
            RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    res2net_session_destroy(session);
    res2net_report_destroy(report);
}

static double largest_difference(const float *a, const float *b, size_t count, double *largest)
{
    double difference = 0;
    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
        *largest = fmax(*largest, fabs((double)b[i]));
    }
    return difference;
}

static void check_isa(const res2net_model *model, const char *isa, const golden_case *c,
                      const float *input, const float *expected)
{
    const size_t count = (size_t)c->batch * (size_t)c->classes;
    const size_t floats = 3 * (size_t)c->height * (size_t)c->width;
    float *logits = r2n_allocate(count, sizeof(float));
    float *again = r2n_allocate(count, sizeof(float));
    double largest;
    assert_non_null(logits);
    assert_non_null(again);
    run(model, isa, 1, input, c->batch, c, logits);
    const double difference = largest_difference(logits, expected, count, &largest);
    if (!(difference <= TOLERANCE * largest))
        fail_msg("%s on %s: %g off, largest logit %g", c->file, isa, difference, largest);
    run(model, isa, 2, input, c->batch, c, again);
    assert_memory_equal(logits, again, count * sizeof(float));
    for (int i = 0; i < c->batch; i++)
        run(model, isa, 2, input + (size_t)i * floats, 1, c,
            again + (size_t)i * (size_t)c->classes);
    assert_memory_equal(logits, again, count * sizeof(float));
    r2n_free(logits);
    r2n_free(again);
}

static void check_case(const golden_case *c)
{
    char path[512];
    r2n_file_bytes file;
    r2n_npy npy;
    res2net_model *model;
    const char *isa;
    const char *missing;
    const res2net_family family =
        strcmp(c->family, "paddle") == 0 ? RES2NET_FAMILY_PADDLE : RES2NET_FAMILY_TORCH;
    const int small = strncmp(c->architecture, "cifar:", 6) == 0;
    snprintf(path, sizeof path, "%s/tests/golden/logits/%s", R2N_SOURCE_DIR, c->file);
    assert_int_equal(r2n_file_read(path, 1 << 24, &file, NULL), RES2NET_OK);
    assert_int_equal(r2n_npy_parse(file.data, file.size, path, &npy, NULL), RES2NET_OK);
    r2n_file_release(&file);
    assert_int_equal(npy.count, (int64_t)c->batch * c->classes);
    assert_int_equal(res2net_model_create(c->architecture, family, c->seed, &model, NULL),
                     RES2NET_OK);
    float *input =
        formula_picture((size_t)c->batch * 3 * (size_t)c->height * (size_t)c->width, c->seed);
    for (int i = 0; res2net_system_isa(i, &isa, &missing); i++) {
        if (missing != NULL || (strcmp(isa, "reference") == 0 && !small) || strcmp(isa, "amx") == 0)
            continue;
        check_isa(model, isa, c, input, npy.data);
    }
    r2n_free(input);
    r2n_free(npy.data);
    res2net_model_destroy(model);
}

static void logits_equal_the_originals(void **state)
{
    (void)state;
    char line[MAXIMUM_LINE];
    const char *isa;
    const char *missing;
    int cases = 0;
    FILE *index = fopen(R2N_SOURCE_DIR "/tests/golden/logits/index.txt", "r");
    assert_non_null(index);
    for (int i = 0; res2net_system_isa(i, &isa, &missing); i++)
        if (missing != NULL)
            printf("SKIPPED: %s, this CPU lacks %s\n", isa, missing);
    while (fgets(line, sizeof line, index) != NULL) {
        golden_case c;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (sscanf(line, "%127s %127s %15s %u %d %d %d %d", c.file, c.architecture, c.family,
                   &c.seed, &c.batch, &c.height, &c.width, &c.classes) != 8)
            fail_msg("bad line in index.txt: %s", line);
        check_case(&c);
        cases++;
    }
    fclose(index);
    printf("%d golden vectors\n", cases);
    assert_true(cases >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logits_equal_the_originals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
