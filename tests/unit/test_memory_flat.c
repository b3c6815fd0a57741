/* SPDX-License-Identifier: Apache-2.0 */
/* Memory stays flat over many sizes and many bad pictures; a session outlives a failed allocation
 * and gives its block back. RES2NET_SOAK=1 takes Res2Net50 for the sizes (./run soak). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "res2net/res2net.h"
#include "unit/sanitizers.h"

#define SMALL "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=10"
enum { LARGEST = 288, CLASSES = 1000, ALLOWED_GROWTH = 8 << 20 };

static float input[3 * LARGEST * LARGEST];
static float logits[CLASSES];

static int64_t resident_bytes(void)
{
    long long pages = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %lld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Sanitizers keep freed memory; they have leak checks of their own. */
static void check_growth(int64_t before, const char *what)
{
    const int64_t growth = resident_bytes() - before;
    printf("%s: %lld KiB grown\n", what, (long long)growth / 1024);
    if (!R2N_SANITIZED)
        assert_in_range(growth > 0 ? growth : 0, 0, ALLOWED_GROWTH);
}

static void memory_is_flat_over_many_sizes(void **state)
{
    (void)state;
    const int soak = getenv("RES2NET_SOAK") != NULL;
    const int count = R2N_SANITIZED && !soak ? 50 : 500;
    const int smallest = soak ? 64 : 32, span = soak ? 225 : 65; /* sides up to 288, up to 96 */
    res2net_model *model;
    res2net_session *session;
    assert_int_equal(res2net_model_create(soak ? "Res2Net50_26w_4s" : SMALL, RES2NET_FAMILY_PADDLE,
                                          1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_session_create(model, NULL, &session, NULL), RES2NET_OK);
    const int largest = smallest + span - 1;
    assert_int_equal(res2net_session_run(session, input, 1, largest, largest, logits, NULL),
                     RES2NET_OK);
    const int64_t block = res2net_session_memory_bytes(session);
    const int64_t before = resident_bytes();
    for (int i = 0; i < count; i++) { /* no pair of sides comes twice */
        const int height = smallest + i % span;
        const int width = smallest + (i * 7 + i / span) % span;
        assert_int_equal(res2net_session_run(session, input, 1, height, width, logits, NULL),
                         RES2NET_OK);
    }
    check_growth(before, "500 sizes");
    assert_int_equal(res2net_session_memory_bytes(session), block);
    res2net_session_trim(session);
    assert_int_equal(res2net_session_memory_bytes(session), 0);
    if (!R2N_SANITIZED)
        assert_true(resident_bytes() < before + ALLOWED_GROWTH - block / 2);
    assert_int_equal(res2net_session_run(session, input, 1, largest, largest, logits, NULL),
                     RES2NET_OK);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}

/* Sessions come and go, as in a server that opens one a request. */
static void memory_is_flat_over_many_sessions(void **state)
{
    (void)state;
    res2net_model *model;
    int64_t before = 0;
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_PADDLE, 1, &model, NULL),
                     RES2NET_OK);
    for (int i = 0; i < 300; i++) {
        res2net_session *session;
        assert_int_equal(res2net_session_create(model, NULL, &session, NULL), RES2NET_OK);
        assert_int_equal(res2net_session_run(session, input, 1, 32 + i % 40, 64, logits, NULL),
                         RES2NET_OK);
        res2net_session_destroy(session);
        if (i == 50)
            before = resident_bytes();
    }
    check_growth(before, "250 sessions");
    res2net_model_destroy(model);
}

/* ---- bad pictures ---- */

typedef struct picture {
    uint8_t *bytes;
    size_t size;
} picture;

static picture read_picture(const char *path)
{
    enum { MOST = 1 << 20 };
    picture p = {.bytes = malloc(MOST)};
    FILE *file = fopen(path, "rb");
    assert_non_null(p.bytes);
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    p.size = fread(p.bytes, 1, MOST, file);
    fclose(file);
    assert_true(p.size > 0 && p.size < MOST);
    return p;
}

/* Cuts, bits flipped and runs of other bytes, from a fixed seed. */
static size_t damage(const picture *p, uint32_t number, uint8_t *out)
{
    uint32_t random = number * 2654435761u + 12345u;
    size_t size = p->size;
    memcpy(out, p->bytes, size);
    if (number % 3 == 0)
        size = 1 + random % (p->size - 1);
    for (uint32_t i = 0; i < 1 + number % 7; i++) {
        random = random * 1664525u + 1013904223u;
        out[(random >> 8) % size] ^= (uint8_t)(1u << (random & 7));
    }
    if (number % 5 == 0)
        memset(out + size / 2, (int)(random >> 24), size - size / 2);
    return size;
}

static void memory_is_flat_over_many_bad_pictures(void **state)
{
    (void)state;
    static const char *const names[] = {"cmyk.jpg",
                                        "exif6.jpg",
                                        "many_scans.jpg",
                                        "restarts.jpg",
                                        "rgb444_progressive.jpg",
                                        "grey1_interlaced.png",
                                        "palette_transparent.png",
                                        "rgba16_interlaced.png"};
    enum { KINDS = sizeof names / sizeof *names, PICTURES = R2N_SANITIZED ? 500 : 10000 };
    picture kinds[KINDS];
    size_t most = 0;
    for (int i = 0; i < KINDS; i++) {
        char path[512];
        snprintf(path, sizeof path, R2N_SOURCE_DIR "/tests/fuzz/corpus/picture/%s", names[i]);
        kinds[i] = read_picture(path);
        most = kinds[i].size > most ? kinds[i].size : most;
    }
    uint8_t *bytes = malloc(most);
    res2net_model *model;
    res2net_session *session;
    res2net_report *report = res2net_report_create();
    const res2net_session_options options = {
        .preset = RES2NET_PRESET_PADDLE, .crop = 32, .resize_short = 32};
    res2net_score scores[3];
    int32_t count;
    int refused = 0;
    int64_t before = 0;
    assert_true(bytes != NULL && report != NULL);
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_PADDLE, 1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    for (int i = 0; i < PICTURES; i++) {
        const size_t size = damage(&kinds[i % KINDS], (uint32_t)i, bytes);
        const res2net_status status =
            res2net_session_classify(session, bytes, size, "bad", 3, scores, &count, report);
        refused += status != RES2NET_OK;
        assert_int_equal(count, status == RES2NET_OK ? 3 : 0);
        assert_true(status == RES2NET_OK || res2net_report_count(report) > 0);
        res2net_report_clear(report);
        if (i == PICTURES / 10)
            before = resident_bytes();
    }
    check_growth(before, "bad pictures");
    printf("%d of %d refused\n", refused, (int)PICTURES);
    assert_true(refused > PICTURES / 2);
    for (int i = 0; i < KINDS; i++)
        free(kinds[i].bytes);
    free(bytes);
    res2net_report_destroy(report);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}

/* ---- a larger block that cannot be had ---- */

static void a_session_outlives_a_failed_allocation(void **state)
{
    (void)state;
    float expected[10], again[10];
    res2net_model *model;
    res2net_session *session;
    int failed = 0;
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_PADDLE, 1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_session_create(model, NULL, &session, NULL), RES2NET_OK);
    assert_int_equal(res2net_session_run(session, input, 1, 40, 40, expected, NULL), RES2NET_OK);
    res2net_status status = RES2NET_OUT_OF_MEMORY;
    for (int i = 0; status == RES2NET_OUT_OF_MEMORY; i++) {
        assert_true(i < 100);
        res2net_session_trim(session);
        assert_int_equal(res2net_session_run(session, input, 1, 40, 40, again, NULL), RES2NET_OK);
        r2n_memory_fail_after(i);
        status = res2net_session_run(session, input, 2, 64, 64, logits, NULL);
        r2n_memory_fail_after(-1);
        failed += status == RES2NET_OUT_OF_MEMORY;
        assert_int_equal(res2net_session_run(session, input, 1, 40, 40, again, NULL), RES2NET_OK);
        assert_memory_equal(again, expected, sizeof expected);
    }
    assert_int_equal(status, RES2NET_OK);
    assert_true(failed >= 2); /* placement and block */
    /* Over every limit: refused, the session lives on. */
    assert_int_equal(res2net_session_run(session, input, 4096, 4096, 4096, logits, NULL),
                     RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(res2net_session_run(session, input, 1, 40, 40, again, NULL), RES2NET_OK);
    assert_memory_equal(again, expected, sizeof expected);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_flat_over_many_sizes),
        cmocka_unit_test(memory_is_flat_over_many_sessions),
        cmocka_unit_test(memory_is_flat_over_many_bad_pictures),
        cmocka_unit_test(a_session_outlives_a_failed_allocation),
    };
    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
