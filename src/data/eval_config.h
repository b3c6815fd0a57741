/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation takes from a PaddleClas configuration. spec:
 * shared/spec/paddleclas.md 2.2, 2.3.
 */
#ifndef R2N_DATA_EVAL_CONFIG_H
#define R2N_DATA_EVAL_CONFIG_H

#include "base/report.h"
#include "res2net/evaluate.h"

/* The text of `res2net_evaluate_config_read`'s file. Arch.name is not looked up here. UNSUPPORTED
 * where this build lacks libyaml. */
res2net_status r2n_eval_config_parse(const char *text, size_t size, const char *name,
                                     const char *const *overrides, size_t count,
                                     res2net_evaluate_config *out, res2net_report *report);

#endif
