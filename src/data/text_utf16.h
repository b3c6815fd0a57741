/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-16, as Windows' Notepad and PowerShell save text, to UTF-8. */
#ifndef R2N_DATA_TEXT_UTF16_H
#define R2N_DATA_TEXT_UTF16_H

#include <stddef.h>
#include <stdint.h>

/* UTF-8 bytes that `size` bytes of UTF-16 can become at most. */
size_t r2n_utf16_bound(size_t size);

/* Writes the UTF-8 form to `out`, which has room for r2n_utf16_bound(size), and gives its bytes.
 * *bad is the place of the first code unit that is none (half a surrogate pair, the number 0, half
 * a unit at the end), or `size`; nothing after it is converted. */
size_t r2n_utf16_to_utf8(const void *data, size_t size, int big_endian, uint8_t *out, size_t *bad);

#endif
