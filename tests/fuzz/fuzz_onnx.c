/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX files, from the bytes to the matched network. */
#include "fuzz/import_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    res2net_report *report = res2net_report_create();
    r2n_imported imported = {.weights = NULL};
    if (report == NULL)
        abort();
    r2n_foreign_graph graph = r2n_foreign_graph_begin("fuzz", report);
    (void)r2n_looks_like_onnx(data, size);
    res2net_status status = r2n_read_onnx(data, size, NULL, &graph);
    if (status == RES2NET_OK)
        status = r2n_match(&graph, &imported);
    fuzz_check_imported(status, &imported, report);
    r2n_foreign_graph_free(&graph);
    res2net_report_destroy(report);
    return 0;
}
