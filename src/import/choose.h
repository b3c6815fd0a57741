/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a folder's or an archive's files are the model. */
#ifndef R2N_IMPORT_CHOOSE_H
#define R2N_IMPORT_CHOOSE_H

#include <stddef.h>

#include "base/report.h"

typedef struct r2n_choice {
    ptrdiff_t program;    /* .pdmodel, __model__, .json or .onnx; number of the name */
    ptrdiff_t parameters; /* of a Paddle model; -1 for .onnx and for `apart` */
    ptrdiff_t yaml;       /* inference.yml; -1: none */
    int apart;            /* __model__ without __params__: a file a parameter */
} r2n_choice;

/* Names may have folders in them; those of one model share theirs. MISMATCH says what is missing or
 * that there are several models. `file` is for messages. */
res2net_status r2n_choose_model(const char *const *names, size_t count, const char *file,
                                r2n_choice *out, res2net_report *report);
/* The name without folders. */
const char *r2n_base_name(const char *path);
/* "inference.pdmodel" -> "inference.pdiparams", "__model__" -> "__params__", into `out` of `room`
 * bytes; 0 where the name is no program's. */
int r2n_parameters_name(const char *program, char *out, size_t room);
/* The other way: the kind-th of the names that its program may have. */
enum { R2N_PROGRAM_NAMES = 2 };
int r2n_program_name(const char *parameters, int kind, char *out, size_t room);

#endif
