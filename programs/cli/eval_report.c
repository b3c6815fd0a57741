/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_report.h"

#include <string.h>

#include "diagnostics.h"
#include "eval_files.h"
#include "exit_status.h"
#include "platform.h"

static void write_summary(FILE *out, const eval_result *result)
{
    eval_print_json(out, result->model, result->found);
}

/* summary.json last: where it is, the others are. */
static const struct {
    const char *name;
    void (*write)(FILE *out, const eval_result *result);
    int needs_matrix;
    int32_t classes; /* at most; 0: any number */
} files[] = {
    {"per_class.csv", eval_write_classes, 0, 0},
    {"confusion.csv", eval_write_confusion, 1, 0},
    {"confusion.svg", eval_draw_confusion, 1, EVAL_CHART_CLASSES},
    {"confused_pairs.csv", eval_write_pairs, 1, 0},
    {"calibration.svg", eval_draw_calibration, 0, 0},
    {"worst.html", eval_write_worst_page, 0, 0},
    {"summary.json", write_summary, 0, 0},
};

int eval_write_report(const char *folder, const res2net_model *model,
                      const res2net_evaluation *found)
{
    const eval_result result = {.model = model, .found = found, .folder = folder};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        atomic_file file;
        if ((files[i].needs_matrix && found->confusion == NULL) ||
            (files[i].classes > 0 && found->classes > files[i].classes)) {
            say("%d classes are too many for %s: it is left out", found->classes, files[i].name);
            continue;
        }
        int failure = atomic_file_open(&file, folder, files[i].name);
        if (failure == 0) {
            files[i].write(file.stream, &result);
            failure = atomic_file_close(&file);
        }
        if (failure != 0) {
            say("%s/%s: cannot be written: %s", folder, files[i].name, strerror(failure));
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}
