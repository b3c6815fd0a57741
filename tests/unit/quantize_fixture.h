/* SPDX-License-Identifier: Apache-2.0 */
/* A set of pictures as a CIFAR-10 binary, for the tests of quantize. */
#ifndef R2N_TESTS_QUANTIZE_FIXTURE_H
#define R2N_TESTS_QUANTIZE_FIXTURE_H

#include "unit/small_model.h"

enum { FIXTURE_PICTURES = 7, FIXTURE_RECORD = 3073 };

/* Smooth pictures and noise, with labels 0 to 9. */
static inline void fixture_pictures(const char *path)
{
    static uint8_t records[FIXTURE_PICTURES * FIXTURE_RECORD];
    uint32_t state = 7;
    for (size_t i = 0; i < sizeof records; i++) {
        const size_t picture = i / FIXTURE_RECORD, at = i % FIXTURE_RECORD;
        state = state * 1664525u + 1013904223u;
        if (at == 0)
            records[i] = (uint8_t)(picture * 3 % SMALL_CLASSES);
        else if (picture % 2 == 0)
            records[i] = (uint8_t)(at * (picture + 1) / 13 + (state >> 28));
        else
            records[i] = (uint8_t)(state >> 24);
    }
    small_file(path, records, sizeof records);
}

#endif
