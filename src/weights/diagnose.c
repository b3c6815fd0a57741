/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/diagnose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void r2n_shape_text(int32_t rank, const int64_t *shape, char *text)
{
    size_t used = (size_t)snprintf(text, R2N_SHAPE_TEXT_BYTES, "[");
    for (int32_t i = 0; i < rank && used < R2N_SHAPE_TEXT_BYTES - 24; i++)
        used += (size_t)snprintf(text + used, R2N_SHAPE_TEXT_BYTES - used, "%s%" PRId64,
                                 i == 0 ? "" : ", ", shape[i]);
    snprintf(text + used, R2N_SHAPE_TEXT_BYTES - used, "]");
}

static const char *stem_words(r2n_stem stem)
{
    switch (stem) {
    case R2N_STEM_7X7:
        return "a v1 (7x7 stem, strided shortcut) file";
    case R2N_STEM_DEEP:
        return "a v1b (deep-stem, avg-pool shortcut) file, also called d or vd";
    case R2N_STEM_3X3:
        break;
    }
    return "a file for small pictures (3x3 stem)";
}

static void depth_words(const r2n_architecture *a, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < a->stages && i < R2N_MAXIMUM_STAGES && used + 16 < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%" PRId32, i == 0 ? "" : "-",
                                 a->depths[i]);
}

static res2net_status other_network(const r2n_architecture *wanted, const r2n_architecture *held,
                                    const char *file, res2net_report *report)
{
    char held_depths[64], wanted_depths[64];
    depth_words(held, held_depths, sizeof held_depths);
    depth_words(wanted, wanted_depths, sizeof wanted_depths);
    if (held->stem != wanted->stem)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "this looks like %s, but %s is made for %s: use --arch %s, or another file",
                        stem_words(held->stem), wanted->name, stem_words(wanted->stem), held->name);
    if (strcmp(held_depths, wanted_depths) != 0)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "this file has %s blocks a stage, but %s has %s: use --arch %s, or another "
                        "file",
                        held_depths, wanted->name, wanted_depths, held->name);
    if (held->scale != wanted->scale || held->base_width != wanted->base_width ||
        held->planes != wanted->planes)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "this file is %" PRId32 "w_%" PRId32 "s with %" PRId32
                        " planes, but %s is %" PRId32 "w_%" PRId32 "s with %" PRId32
                        ": use --arch %s, or another file",
                        held->base_width, held->scale, held->planes, wanted->name,
                        wanted->base_width, wanted->scale, wanted->planes, held->name);
    if (held->classes != wanted->classes)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "this file's classifier has %" PRId32 " classes, but %s asks for %" PRId32
                        ": give the number of the file, or none",
                        held->classes, wanted->name, wanted->classes);
    return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                    "this file is a %s, but not all its tensors are as they should be: it is not "
                    "complete, or was changed",
                    held->name);
}

res2net_status r2n_diagnose(const r2n_architecture *wanted, const r2n_tensor_shape *tensors,
                            size_t count, const char *file, res2net_report *report)
{
    r2n_architecture held;
    if (r2n_architecture_from_tensors(tensors, count, file, &held, NULL) == RES2NET_OK)
        return other_network(wanted, &held, file, report);
    r2n_fail(report, RES2NET_MISMATCH, file, -1,
             "the file does not fit %s, and its tensors make no complete Res2Net:", wanted->name);
    return r2n_architecture_from_tensors(tensors, count, file, &held, report);
}
