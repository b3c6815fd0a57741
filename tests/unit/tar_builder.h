/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives built by hand, right or wrong. */
#ifndef R2N_TESTS_TAR_BUILDER_H
#define R2N_TESTS_TAR_BUILDER_H

#include <stdio.h>
#include <string.h>

#include "formats/json_writer.h"

/* The header's checksum, once its other fields are right. */
static inline void tar_seal(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

/* A header and its data; `kind` is the letter of the type. */
static inline void tar_put(r2n_text *tar, const char *prefix, const char *name, char kind,
                           const void *data, size_t size)
{
    static const uint8_t nothing[512];
    uint8_t header[512] = {0};
    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    snprintf((char *)header + 100, 8, "0000644");
    snprintf((char *)header + 124, 12, "%011o", (unsigned)size);
    snprintf((char *)header + 136, 12, "%011o", 0U);
    header[156] = (uint8_t)kind;
    memcpy(header + 257, "ustar\00000", 8);
    memcpy(header + 345, prefix, strlen(prefix));
    tar_seal(header);
    r2n_text_put_bytes(tar, header, sizeof header);
    r2n_text_put_bytes(tar, data, size);
    r2n_text_put_bytes(tar, nothing, (512 - size % 512) % 512);
}

static inline void tar_end(r2n_text *tar)
{
    static const uint8_t nothing[1024];
    r2n_text_put_bytes(tar, nothing, sizeof nothing);
}

#endif
