/* SPDX-License-Identifier: Apache-2.0 */
/* How far a run has come, as PaddleClas and we pickle it. */
#include <stdlib.h>

#include "train/checkpoint_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_run_state run;
    r2n_save_marks marks;
    res2net_report *report = res2net_report_create();
    if (report == NULL)
        abort();
    if (r2n_states_read_memory(data, size, "fuzz", &run, &marks, report) == RES2NET_OK) {
        if (run.epoch < 0 || run.steps < 0 || run.iteration < 0 ||
            run.has_ours != marks.files[R2N_SAVE_WEIGHTS].there)
            abort();
    } else if (res2net_report_count(report) == 0) {
        abort(); /* a refusal says why */
    }
    res2net_report_destroy(report);
    return 0;
}
