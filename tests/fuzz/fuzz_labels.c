/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a label file: names that come back as they went in, or refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/text_lines.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(const char *names, int32_t count)
{
    int32_t lines = 1;
    for (const char *at = names; *at != '\0'; at++)
        lines += *at == '\n';
    require(lines == count);
    for (const char *at = names; at != NULL;) {
        const char *end = strchr(at, '\n');
        const size_t bytes = end == NULL ? strlen(at) : (size_t)(end - at);
        require(bytes > 0 && r2n_text_bad_byte(at, bytes) == bytes);
        at = end == NULL ? NULL : end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *names = NULL;
    int32_t count = 0;
    res2net_report *report = res2net_report_create();
    if (report == NULL)
        return 0;
    if (r2n_labels_parse(data, size, "fuzz", &names, &count, report) == RES2NET_OK)
        check(names, count);
    else
        require(names == NULL && count == 0 && res2net_report_count(report) > 0);
    r2n_free(names);
    res2net_report_destroy(report);
    return 0;
}
