/* SPDX-License-Identifier: Apache-2.0 */
/* Weights from a formula; tests/golden/formula.py gives the same bits. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "weights/reader.h"

/* In [0, 1): the top 24 bits. */
static float uniform(uint64_t hash, int64_t index)
{
    return (float)(r2n_splitmix(hash + ((uint64_t)index + 1) * R2N_SPLITMIX_STEP) >> 40) * 0x1p-24f;
}

static int has_component(const char *name, const char *component)
{
    const size_t length = strlen(component);
    for (const char *at = name; at != NULL;) {
        if (strncmp(at, component, length) == 0 && (at[length] == '.' || at[length] == '\0'))
            return 1;
        const char *dot = strchr(at, '.');
        at = dot == NULL ? NULL : dot + 1;
    }
    return 0;
}

/* value = (offset + scale * x) * factor, x being u in [0, 1) or s = 2u - 1 in [-1, 1). */
typedef struct law {
    float offset, scale, factor;
    int is_signed;
} law;

static law law_of(const r2n_tensor_spec *spec)
{
    law result = {.scale = 1.0f, .factor = 1.0f, .is_signed = 1};
    if (spec->rank == 4) {
        const double fan_in = (double)(spec->shape[1] * spec->shape[2] * spec->shape[3]);
        result.scale = (float)sqrt(6.0 / fan_in);
    } else if (r2n_name_ends_with(spec->name, strlen(spec->name), ".running_var")) {
        result = (law){.offset = 0.5f, .scale = 1.0f, .factor = 1.0f, .is_signed = 0};
    } else if (r2n_name_ends_with(spec->name, strlen(spec->name), ".running_mean")) {
        result.scale = 0.2f;
    } else if (strcmp(spec->name, "fc.weight") == 0) {
        result.scale = (float)(1.0 / sqrt((double)spec->shape[1]));
    } else if (r2n_name_ends_with(spec->name, strlen(spec->name), ".bias")) {
        result.scale = 0.1f;
    } else {
        const float factor = has_component(spec->name, "bn3") ? 0.25f : 1.0f;
        result = (law){.offset = 0.75f, .scale = 0.5f, .factor = factor, .is_signed = 0};
    }
    return result;
}

static void fill(const r2n_tensor_spec *spec, uint64_t seed, int64_t count, float *data)
{
    const uint64_t hash =
        r2n_hash_bytes(R2N_HASH_START, spec->name, strlen(spec->name)) ^ seed * R2N_SPLITMIX_STEP;
    const law l = law_of(spec);
    for (int64_t i = 0; i < count; i++) {
        const float u = uniform(hash, i);
        const float x = l.is_signed ? 2.0f * u - 1.0f : u;
        data[i] = (l.offset + l.scale * x) * l.factor;
    }
}

res2net_status r2n_weights_formula(const r2n_architecture *architecture, uint64_t seed,
                                   r2n_tensor_set **out, res2net_report *report)
{
    size_t count = 0;
    *out = NULL;
    r2n_tensor_spec *specs = r2n_architecture_tensors(architecture, &count);
    r2n_tensor_set *set = r2n_tensor_set_create();
    int complete = specs != NULL && set != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        float *data = r2n_tensor_set_add(set, specs[i].name, specs[i].rank, specs[i].shape);
        complete = data != NULL;
        if (complete)
            fill(&specs[i], seed, set->tensors[i].count, data);
    }
    r2n_free(specs);
    if (!complete) {
        r2n_tensor_set_destroy(set);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the weights of %s",
                        architecture->name);
    }
    *out = set;
    return RES2NET_OK;
}
