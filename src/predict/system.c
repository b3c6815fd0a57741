/* SPDX-License-Identifier: Apache-2.0 */
#include "res2net/system.h"

#include <math.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"
#include "kernels/cpu_features.h"
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

static res2net_status run_on(const res2net_model *model, const char *isa, const float *input,
                             float *logits, res2net_report *report)
{
    const res2net_session_options options = {.isa = isa, .preset = RES2NET_PRESET_TORCH};
    res2net_session *session;
    res2net_status status = res2net_session_create(model, &options, &session, report);
    if (status == RES2NET_OK)
        status = res2net_session_run(session, input, 1, SIDE, SIDE, logits, report);
    res2net_session_destroy(session);
    return status;
}

static res2net_status compare(const res2net_model *model, const float *input,
                              res2net_report *report)
{
    float expected[CLASSES];
    float logits[CLASSES];
    float largest = 0;
    const char *isa;
    const char *missing;
    res2net_status status = run_on(model, "reference", input, expected, report);
    for (int n = 0; status == RES2NET_OK && n < CLASSES; n++)
        largest = fmaxf(largest, fabsf(expected[n]));
    for (int i = 0; status == RES2NET_OK && res2net_system_isa(i, &isa, &missing); i++) {
        if (missing != NULL)
            continue;
        status = run_on(model, isa, input, logits, report);
        for (int n = 0; status == RES2NET_OK && n < CLASSES; n++)
            if (!(fabsf(logits[n] - expected[n]) <= 1e-4f * largest))
                status = r2n_fail(report, RES2NET_INTERNAL, NULL, -1,
                                  "self-test: logit %d is %g on %s and %g on reference", n,
                                  (double)logits[n], isa, (double)expected[n]);
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
    if (status == RES2NET_OK)
        status = compare(model, input, report);
    res2net_model_destroy(model);
    r2n_free(input);
    return status;
}
