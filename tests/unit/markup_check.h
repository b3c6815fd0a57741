/* SPDX-License-Identifier: Apache-2.0 */
/* A small check of XML, for what we write ourselves. */
#ifndef R2N_TESTS_MARKUP_CHECK_H
#define R2N_TESTS_MARKUP_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <string.h>

/* Every tag that opens is closed, in order; attributes are quoted; no stray '<' or '&'. */
static inline void expect_well_formed(const char *at)
{
    char open[32][32];
    int depth = 0, elements = 0;
    while (*at != '\0') {
        if (*at == '&') {
            const char *end = strchr(at, ';');
            assert_true(end != NULL && end - at < 8);
            at = end;
        }
        if (*at != '<') {
            at++;
            continue;
        }
        const int closes = at[1] == '/';
        const char *name = at + 1 + closes;
        size_t size = 0;
        while (isalnum((unsigned char)name[size]))
            size++;
        assert_true(size > 0 && size < sizeof open[0]);
        const char *end = name + size;
        for (int quoted = 0; quoted || *end != '>'; end++) {
            assert_true(*end != '\0' && *end != '<');
            quoted ^= *end == '"';
        }
        if (closes) {
            assert_true(depth-- > 0);
            assert_true(strlen(open[depth]) == size && memcmp(open[depth], name, size) == 0);
        } else if (end[-1] != '/') {
            assert_true(depth < 32);
            memcpy(open[depth], name, size);
            open[depth++][size] = '\0';
        }
        elements++;
        at = end + 1;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 5);
}

static inline size_t count_pieces(const char *text, const char *piece)
{
    size_t found = 0;
    for (; (text = strstr(text, piece)) != NULL; text += strlen(piece))
        found++;
    return found;
}

#endif
