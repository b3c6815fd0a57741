/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas configurations from foreign text: lines that begin with "-o " before the YAML are
 * overrides. What is accepted has good values, and its transforms are a recipe. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/eval_config.h"
#include "image/image.h"

enum { MOST_OVERRIDES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(const res2net_evaluate_config *config)
{
    r2n_recipe recipe;
    require(config->file != NULL && strcmp(config->file, "fuzz") == 0);
    require(config->classes >= 0 && config->batch >= 0 && config->batch <= 1024);
    require(config->classes == 0 || config->class_place.line != 0);
    require(config->list == NULL || config->list[0] != '\0');
    require(config->delimiter == NULL || config->delimiter[0] != '\0');
    if (config->transforms != NULL)
        require(r2n_recipe_parse_json(config->transforms, strlen(config->transforms), "fuzz",
                                      &recipe, NULL) == RES2NET_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *overrides[MOST_OVERRIDES];
    size_t count = 0;
    const uint8_t *end;
    while (count < MOST_OVERRIDES && size > 3 && memcmp(data, "-o ", 3) == 0 &&
           (end = memchr(data, '\n', size)) != NULL) {
        overrides[count] = r2n_copy_bytes(data + 3, (size_t)(end - data) - 3);
        if (overrides[count] == NULL)
            break;
        count++;
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    res2net_evaluate_config config;
    res2net_report *report = res2net_report_create();
    const res2net_status status = r2n_eval_config_parse(
        (const char *)data, size, "fuzz", (const char *const *)overrides, count, &config, report);
    require((status == RES2NET_OK) == (res2net_report_count(report) == 0));
    if (status == RES2NET_OK)
        check(&config);
    res2net_evaluate_config_free(&config);
    res2net_report_destroy(report);
    while (count > 0)
        r2n_free(overrides[--count]);
    return 0;
}
