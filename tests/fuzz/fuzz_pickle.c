/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles: every value that can be reached is looked at, a bounded number of times. */
#include "formats/pickle_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const r2n_pickle_global ALLOWED[] = {{"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, 1},
                                            {"torch", "FloatStorage", R2N_PICKLE_ROLE_MARKER, 2},
                                            {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, 3},
                                            {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, 4},
                                            {"builtins", "tuple", R2N_PICKLE_ROLE_TUPLE, 5},
                                            {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

static volatile uint8_t sink;

static void look(const r2n_pickle_value *value, int depth, int *steps)
{
    if (value == NULL || depth > 50 || --*steps < 0)
        return;
    sink ^= (uint8_t)r2n_pickle_kind_name(value->kind)[0];
    if (value->kind == R2N_PICKLE_TEXT || value->kind == R2N_PICKLE_BYTES)
        for (size_t i = 0; i < value->size; i++)
            sink ^= value->bytes[i];
    r2n_pickle_member(value, "state_dict");
    for (size_t i = 0; i < value->count; i++)
        look(value->items[i], depth + 1, steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_pickle *pickle;
    int steps = 10000;
    if (r2n_pickle_parse(data, size, "fuzz", 0, ALLOWED, &pickle, NULL) != RES2NET_OK)
        return 0;
    look(r2n_pickle_root(pickle), 0, &steps);
    r2n_pickle_destroy(pickle);
    return 0;
}
