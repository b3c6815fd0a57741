/* SPDX-License-Identifier: Apache-2.0 */
/* `-o a.b.2.c=value` of PaddleClas on an open YAML document. spec: shared/spec/paddleclas.md 2.3.
 */
#ifndef R2N_FORMATS_YAML_OVERRIDE_H
#define R2N_FORMATS_YAML_OVERRIDE_H

#include "formats/yaml_reader.h"

#ifdef R2N_HAVE_YAML

/*
 * Applies each override in turn; the array must live as long as the document. Names of the path
 * are split at dots and a number is a place in a list. A key that the file lacks is made only under
 * one of `open` ("Arch", "DataLoader.Eval"; NULL at the end), for there its reader tells misspelt
 * ones; anywhere else it is INVALID_ARGUMENT.
 *
 * Values are Python's, as PaddleClas evaluates them: None, True, False, numbers, quoted text, and
 * flat lists of these. Everything else is text as it stands: `null`, `true` and `false` too.
 */
res2net_status r2n_yaml_override(r2n_yaml *yaml, const char *const *overrides, size_t count,
                                 const char *const *open);

#endif
#endif
