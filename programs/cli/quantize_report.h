/* SPDX-License-Identifier: Apache-2.0 */
/* What `quantize` tells of a calibration. */
#ifndef CLI_QUANTIZE_REPORT_H
#define CLI_QUANTIZE_REPORT_H

#include <stdio.h>

#include "res2net/res2net.h"

/* `evaluation` is NULL where no list was given for it. */
void quantize_print_text(FILE *out, const char *calibration_list, const res2net_quantization *found,
                         const char *evaluation_list, const res2net_comparison *evaluation);
void quantize_print_json(FILE *out, const char *calibration_list, const res2net_quantization *found,
                         const char *evaluation_list, const res2net_comparison *evaluation);

#endif
