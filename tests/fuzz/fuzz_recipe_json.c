/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of an .r2n file: what is accepted is valid, and is written and read again to the
 * bit. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_recipe recipe, again;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        r2n_recipe_parse_json((const char *)data, size, "fuzz", &recipe, report);
    if ((status == RES2NET_OK) != (res2net_report_count(report) == 0))
        abort();
    if (status == RES2NET_OK) {
        char *json = r2n_recipe_to_json(&recipe);
        if (json == NULL || r2n_recipe_validate(&recipe, NULL, NULL) != RES2NET_OK ||
            r2n_recipe_parse_json(json, strlen(json), "fuzz", &again, NULL) != RES2NET_OK ||
            memcmp(&recipe, &again, sizeof recipe) != 0)
            abort();
        r2n_free(json);
    }
    res2net_report_destroy(report);
    return 0;
}
