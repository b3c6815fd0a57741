/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of src/import check: a refusal has its reason; what was matched is a whole
 * network. */
#ifndef R2N_TESTS_FUZZ_IMPORT_GRAPH_H
#define R2N_TESTS_FUZZ_IMPORT_GRAPH_H

#include "fuzz/read_weights.h"
#include "import/readers.h"

static inline void fuzz_check_imported(res2net_status status, r2n_imported *imported,
                                       const res2net_report *report)
{
    size_t count = 0;
    if (status != RES2NET_OK) {
        if (imported->weights != NULL || res2net_report_count(report) == 0)
            abort();
        return;
    }
    r2n_tensor_spec *specs = r2n_architecture_tensors(&imported->architecture, &count);
    if (specs == NULL || imported->weights->count != count)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strcmp(specs[i].name, imported->weights->tensors[i].name) != 0)
            abort();
    fuzz_look(imported->weights);
    r2n_free(specs);
    r2n_imported_free(imported);
}

/* A program of Paddle's and its parameters: the input begins with the program's size. */
static inline void fuzz_read_program(const uint8_t *data, size_t size,
                                     res2net_status (*read)(const r2n_paddle_files *files,
                                                            r2n_foreign_graph *graph))
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    const uint32_t program = r2n_cursor_u32le(&cursor);
    if (cursor.failed || program > r2n_cursor_left(&cursor))
        return;
    /* Blocks of exactly their sizes, so that a step over an end is seen. */
    char *first = r2n_copy_bytes(data + 4, program);
    char *second = r2n_copy_bytes(data + 4 + program, size - 4 - program);
    res2net_report *report = res2net_report_create();
    if (first == NULL || second == NULL || report == NULL)
        abort();
    const r2n_paddle_files files = {first, program, second, size - 4 - program, "parameters", NULL};
    r2n_foreign_graph graph = r2n_foreign_graph_begin("fuzz", report);
    r2n_imported imported = {.weights = NULL};
    res2net_status status = read(&files, &graph);
    if (status == RES2NET_OK)
        status = r2n_match(&graph, &imported);
    fuzz_check_imported(status, &imported, report);
    r2n_foreign_graph_free(&graph);
    res2net_report_destroy(report);
    r2n_free(first);
    r2n_free(second);
}

#endif
