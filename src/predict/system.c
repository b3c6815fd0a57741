/* SPDX-License-Identifier: Apache-2.0 */
#include "res2net/system.h"

#include <math.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"
#include "kernels/cpu_features.h"
#include "kernels/precision.h"
#include "predict/session.h"

void res2net_system_describe(res2net_system *system)
{
    const r2n_processor_limits limits = r2n_os_processor_limits();
    *system = (res2net_system){.version = R2N_VERSION,
                               .cpu = r2n_cpu_name(),
                               .isa = r2n_isa_name(r2n_isa_default()),
                               .online = limits.online,
                               .affinity = limits.affinity,
                               .usable = limits.usable,
                               .quota = limits.quota,
                               .memory_limit_bytes = limits.memory_limit_bytes};
#if defined(R2N_HAVE_JPEG)
    system->has_jpeg = 1;
#endif
#if defined(R2N_HAVE_PNG)
    system->has_png = 1;
#endif
#if defined(R2N_HAVE_WEBP)
    system->has_webp = 1;
#endif
#if defined(R2N_HAVE_YAML)
    system->has_yaml = 1;
#endif
#if defined(R2N_HAVE_EMBEDDED_MODEL)
    system->has_embedded_model = 1;
#endif
}

int res2net_system_isa(int index, const char **name, const char **missing)
{
    if (index < 0 || index >= R2N_ISA_COUNT)
        return 0;
    *name = r2n_isa_name((r2n_isa)index);
    *missing = r2n_isa_missing((r2n_isa)index);
    return 1;
}

int res2net_system_precision(int index, const char **name, const char **missing)
{
    if (index < 0 || index >= R2N_PRECISION_COUNT)
        return 0;
    *name = r2n_precision_facts_of((r2n_precision)index)->name;
    *missing = r2n_precision_missing((r2n_precision)index, R2N_ISA_COUNT - 1);
    return 1;
}

uint64_t res2net_peak_memory_bytes(void)
{
    return r2n_os_peak_memory_bytes();
}

double res2net_seconds(void)
{
    return r2n_seconds();
}

/* ---- self-test ------------------------------------------------------------------------------- */

enum { SIDE = 33, CLASSES = 10, FLOATS = 3 * SIDE * SIDE };

/* What the self-test's runs share. */
typedef struct self_test {
    const res2net_model *model;
    const float *input;
    res2net_report *report;
} self_test;

static res2net_status run_on(const self_test *test, const char *isa, r2n_precision precision,
                             float *logits)
{
    const res2net_session_options options = {.isa = isa,
                                             .precision = r2n_precision_facts_of(precision)->name,
                                             .preset = RES2NET_PRESET_TORCH};
    res2net_session *session;
    res2net_status status = res2net_session_create(test->model, &options, &session, test->report);
    if (status == RES2NET_OK)
        status = res2net_session_run(session, test->input, 1, SIDE, SIDE, logits, test->report);
    res2net_session_destroy(session);
    return status;
}

static res2net_status compare(const self_test *test, r2n_precision precision)
{
    const float bound = precision == R2N_PRECISION_BF16 ? 1e-2f : 1e-4f;
    float expected[CLASSES];
    float logits[CLASSES];
    float largest = 0;
    res2net_status status = run_on(test, "reference", precision, expected);
    for (int n = 0; status == RES2NET_OK && n < CLASSES; n++)
        largest = fmaxf(largest, fabsf(expected[n]));
    for (int isa = R2N_ISA_REFERENCE + 1; status == RES2NET_OK && isa < R2N_ISA_COUNT; isa++) {
        if (r2n_isa_missing((r2n_isa)isa) != NULL ||
            r2n_precision_missing(precision, (r2n_isa)isa) != NULL)
            continue;
        const char *name = r2n_isa_name((r2n_isa)isa);
        status = run_on(test, name, precision, logits);
        for (int n = 0; status == RES2NET_OK && n < CLASSES; n++)
            if (!(fabsf(logits[n] - expected[n]) <= bound * largest))
                status = r2n_fail(test->report, RES2NET_INTERNAL, NULL, -1,
                                  "self-test: logit %d is %g on %s and %g on reference, in %s", n,
                                  (double)logits[n], name, (double)expected[n],
                                  r2n_precision_facts_of(precision)->name);
    }
    return status;
}

res2net_status res2net_self_test(res2net_report *report)
{
    res2net_model *model;
    float *input = r2n_allocate(FLOATS, sizeof(float));
    if (input == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the self-test");
    for (uint32_t i = 0; i < FLOATS; i++)
        input[i] = (float)(i * 2654435761u >> 16) / 16384.0f - 2.0f;
    res2net_status status =
        res2net_model_create("cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=10",
                             RES2NET_FAMILY_TORCH, 1, &model, report);
    const self_test test = {model, input, report};
    for (int i = 0; status == RES2NET_OK && i < R2N_PRECISION_COUNT; i++)
        if (i != R2N_PRECISION_INT8) /* which needs a calibrated model */
            status = compare(&test, (r2n_precision)i);
    res2net_model_destroy(model);
    r2n_free(input);
    return status;
}
