/* SPDX-License-Identifier: Apache-2.0 */
/* .pdiparams without a program, as the parameters of a small network. */
#include "fuzz/import_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_architecture architecture;
    r2n_imported imported;
    res2net_report *report = res2net_report_create();
    char *copy = r2n_copy_bytes(data, size);
    if (report == NULL || copy == NULL ||
        r2n_architecture_find("cifar:planes=1,depths=1,width=64,scale=2", &architecture, NULL) !=
            RES2NET_OK)
        abort();
    (void)r2n_looks_like_pdiparams(copy, size);
    const res2net_status status =
        r2n_read_parameters_alone(copy, size, "fuzz", &architecture, &imported, report);
    fuzz_check_imported(status, &imported, report);
    r2n_free(copy);
    res2net_report_destroy(report);
    return 0;
}
