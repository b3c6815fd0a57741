/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside within HTML and SVG. */
#ifndef R2N_FORMATS_MARKUP_H
#define R2N_FORMATS_MARKUP_H

#include "formats/json_writer.h"

/* As text or as an attribute's value in double quotes: what XML allows, with its signs escaped; the
 * rest (controls, bytes that are no UTF-8) becomes U+FFFD. */
void r2n_markup_put(r2n_text *text, const char *string);

#endif
