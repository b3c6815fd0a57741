/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/metadata.h"

#include <string.h>

#include "base/memory.h"
#include "formats/utf8.h"

const char *r2n_family_name(r2n_family family)
{
    return family == R2N_FAMILY_PADDLE  ? "paddle"
           : family == R2N_FAMILY_TORCH ? "torch"
                                        : "unknown";
}

static char **field_of(r2n_weights_metadata *metadata, const char *key)
{
    if (strcmp(key, R2N_KEY_ARCHITECTURE) == 0)
        return &metadata->architecture;
    if (strcmp(key, R2N_KEY_RECIPE) == 0)
        return &metadata->recipe_json;
    if (strcmp(key, R2N_KEY_LABELS) == 0)
        return &metadata->labels;
    if (strcmp(key, R2N_KEY_LICENCE) == 0)
        return &metadata->licence;
    if (strcmp(key, R2N_KEY_SOURCE) == 0)
        return &metadata->source;
    return NULL;
}

static res2net_status take_family(r2n_weights_metadata *metadata, const char *value, size_t bytes,
                                  const char *file, res2net_report *report)
{
    if (bytes == 6 && memcmp(value, "paddle", 6) == 0)
        metadata->family = R2N_FAMILY_PADDLE;
    else if (bytes == 5 && memcmp(value, "torch", 5) == 0)
        metadata->family = R2N_FAMILY_TORCH;
    else
        return r2n_fail(report, RES2NET_DAMAGED, file, -1,
                        "the file's family is neither \"paddle\" nor \"torch\"");
    return RES2NET_OK;
}

res2net_status r2n_metadata_take(r2n_weights_metadata *metadata, const char *key, const char *value,
                                 size_t bytes, const char *file, res2net_report *report)
{
    if (strcmp(key, R2N_KEY_FAMILY) == 0)
        return take_family(metadata, value, bytes, file, report);
    char **field = field_of(metadata, key);
    if (field == NULL)
        return RES2NET_OK;
    if (memchr(value, '\0', bytes) != NULL ||
        r2n_utf8_valid_bytes((const uint8_t *)value, bytes) != bytes)
        return r2n_fail(report, RES2NET_DAMAGED, file, -1, "\"%s\" is no plain text", key);
    char *copy = r2n_copy_bytes(value, bytes);
    if (copy == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory for \"%s\"", key);
    r2n_free(*field);
    *field = copy;
    return RES2NET_OK;
}
