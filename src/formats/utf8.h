/* SPDX-License-Identifier: Apache-2.0 */
/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef R2N_FORMATS_UTF8_H
#define R2N_FORMATS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the character that starts `text`, and its number; 0 where it is not valid. */
size_t r2n_utf8_decode(const uint8_t *text, size_t size, uint32_t *character);
/* Writes one character (at most 4 bytes) and gives its bytes. */
size_t r2n_utf8_encode(uint32_t character, uint8_t *text);
/* The place of the first byte that is not valid, or `size`. */
size_t r2n_utf8_valid_bytes(const uint8_t *text, size_t size);

#endif
