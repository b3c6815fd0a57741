/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas configurations from foreign text. */
#include "data/eval_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    res2net_evaluate_config config;
    if (r2n_eval_config_parse((const char *)data, size, "fuzz", &config, NULL) == RES2NET_OK)
        res2net_evaluate_config_free(&config);
    return 0;
}
