/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text and the JSON pieces that need care: strings with escapes, numbers that read back
 * to the same bits in every locale. Brackets and commas are the caller's. */
#ifndef R2N_FORMATS_JSON_WRITER_H
#define R2N_FORMATS_JSON_WRITER_H

#include <stddef.h>
#include <stdint.h>

typedef struct r2n_text {
    char *data; /* NUL-terminated once anything was put; r2n_free */
    size_t size, capacity;
    int failed; /* memory could not be had; later puts do nothing */
} r2n_text;

void r2n_text_put(r2n_text *text, const char *piece);
void r2n_text_put_bytes(r2n_text *text, const void *piece, size_t bytes);
/* `string` in double quotes; bytes that are not UTF-8 become U+FFFD. */
void r2n_json_put_string(r2n_text *text, const char *string);
void r2n_json_put_string_bytes(r2n_text *text, const char *string, size_t bytes);
void r2n_json_put_integer(r2n_text *text, int64_t number);
/* 17 significant digits; not finite is a mistake of the caller and is remembered in `failed`. */
void r2n_json_put_number(r2n_text *text, double number);

#endif
