/* SPDX-License-Identifier: Apache-2.0 */
/* What an optimiser remembers, as Paddle pickles it. */
#include "fuzz/read_weights.h"
#include "weights/pdopt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_tensor_set *set;
    r2n_saved_schedule schedule;
    res2net_report *report = res2net_report_create();
    if (report == NULL)
        abort();
    if (r2n_pdopt_read_memory(data, size, "fuzz", &set, &schedule, report) == RES2NET_OK) {
        fuzz_look(set);
        if (schedule.last_epoch < 0)
            abort();
        r2n_tensor_set_destroy(set);
    } else if (res2net_report_count(report) == 0) {
        abort(); /* a refusal says why */
    }
    res2net_report_destroy(report);
    return 0;
}
