/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside (names of files and classes) where people read it. */
#ifndef CLI_TERMINAL_TEXT_H
#define CLI_TERMINAL_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Whether a character may reach a terminal as it is. Controls (C0, DEL, C1), line and paragraph
 * separators, marks that turn the direction of writing, and other invisible formats may not: with
 * them a name could break lines, give orders to the terminal or look like another name. */
int is_safe_on_terminal(uint32_t code_point);

/* What is not safe becomes \xNN (one byte: controls, bytes that are no UTF-8) or \u{N}. */
void put_printable(FILE *out, const char *text);
char *printable_copy(const char *text); /* the caller's (free) */

/* The same in at most `columns` columns: what is too long ends with "..." or, with `utf8`, an
 * ellipsis. Wide characters (East Asian, emoji) count 2, combining ones 0. */
void put_printable_within(FILE *out, const char *text, int columns, int utf8);

#endif
