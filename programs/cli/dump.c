/* SPDX-License-Identifier: Apache-2.0 */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "platform.h"

dump dump_begin(const char *path)
{
    return (dump){.path = path};
}

static void add_rows(dump *dump, const float *values, size_t rows)
{
    if (dump->count + rows > dump->room) {
        dump->room = 2 * (dump->count + rows);
        float *larger = platform_allocate(dump->room, dump->row * sizeof *larger);
        if (dump->count > 0)
            memcpy(larger, dump->values, dump->count * dump->row * sizeof *larger);
        free(dump->values);
        dump->values = larger;
    }
    memcpy(dump->values + dump->count * dump->row, values, rows * dump->row * sizeof *values);
    dump->count += rows;
}

void dump_add_logits(dump *dump, const float *logits, int32_t rows, int32_t classes)
{
    if (dump->path == NULL)
        return;
    dump->rank = 2;
    dump->shape[1] = classes;
    dump->row = (size_t)classes;
    add_rows(dump, logits, (size_t)rows);
}

int dump_add_picture(dump *dump, const float *picture, int32_t height, int32_t width)
{
    if (dump->path == NULL)
        return 1;
    if (dump->count > 0 && (dump->shape[2] != height || dump->shape[3] != width))
        return 0;
    dump->rank = 4;
    dump->shape[1] = 3;
    dump->shape[2] = height;
    dump->shape[3] = width;
    dump->row = 3 * (size_t)height * (size_t)width;
    add_rows(dump, picture, 1);
    return 1;
}

int dump_write(dump *dump)
{
    if (dump->path == NULL)
        return EXIT_DONE;
    if (dump->count == 0) {
        say("%s: not written: no input could be read", dump->path);
        return EXIT_FAILED;
    }
    dump->shape[0] = (int64_t)dump->count;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_npy_write(dump->path, dump->rank, dump->shape, dump->values, report);
    print_problems(report);
    res2net_report_destroy(report);
    return status == RES2NET_OK ? EXIT_DONE : EXIT_FAILED;
}

void dump_free(dump *dump)
{
    free(dump->values);
    dump->values = NULL;
}
