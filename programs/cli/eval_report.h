/* SPDX-License-Identifier: Apache-2.0 */
/* What `eval` found, for people, as JSON, and as files. */
#ifndef CLI_EVAL_REPORT_H
#define CLI_EVAL_REPORT_H

#include <stdio.h>

#include "res2net/res2net.h"

void eval_print_text(FILE *out, const res2net_model *model, const res2net_evaluation *found);
void eval_print_json(FILE *out, const res2net_model *model, const res2net_evaluation *found);
/* Tables, pictures, the page of the worst pictures and summary.json, each whole or not at all.
 * EXIT_DONE, or EXIT_FAILED after saying why. The folder is there. */
int eval_write_report(const char *folder, const res2net_model *model,
                      const res2net_evaluation *found);

#endif
