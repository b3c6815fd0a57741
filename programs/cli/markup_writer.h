/* SPDX-License-Identifier: Apache-2.0 */
/* Text, addresses and pictures from outside, within SVG and HTML. */
#ifndef CLI_MARKUP_WRITER_H
#define CLI_MARKUP_WRITER_H

#include <stdint.h>
#include <stdio.h>

/* As text or as an attribute's value. What is not safe on a terminal (terminal_text.h: controls,
 * invisible marks, bytes that are no UTF-8) is escaped as there: the result is always well formed.
 * With `most` over 0, of a longer text only so many characters, the last an ellipsis. */
void markup_text(FILE *out, const char *text, int most);

/* "12 maple_tree", or "12" where the class has no name. */
void markup_class(FILE *out, int32_t class_id, const char *label, int most);

/* A path as a relative or absolute address, byte for byte. */
void markup_address(FILE *out, const char *path);

/* RGB pixels as an address that holds the picture itself: a BMP in base64. */
void markup_picture_address(FILE *out, const uint8_t *pixels, int32_t width, int32_t height);

#endif
