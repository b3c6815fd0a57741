/* SPDX-License-Identifier: Apache-2.0 */
/* docs/catalogue.md is what the catalogue says. `test_catalogue_page print > docs/catalogue.md`
 * writes it anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "model/graph.h"

static int64_t macs_of(const r2n_architecture *a)
{
    r2n_graph *graph;
    int64_t macs = 0;
    if (r2n_graph_create(a, R2N_FAMILY_TORCH, &graph, NULL) != RES2NET_OK)
        abort();
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    if (shapes == NULL ||
        r2n_graph_shapes(graph, a->picture_size, a->picture_size, shapes, NULL) != RES2NET_OK)
        abort();
    for (int32_t i = 0; i < graph->count; i++)
        macs += r2n_node_macs(graph, shapes, i);
    r2n_free(shapes);
    r2n_graph_destroy(graph);
    return macs;
}

/* 25699120 as "25,699,120". */
static void print_grouped(FILE *out, int64_t value)
{
    if (value >= 1000) {
        print_grouped(out, value / 1000);
        fprintf(out, ",%03d", (int)(value % 1000));
    } else {
        fprintf(out, "%d", (int)value);
    }
}

static void print_number(FILE *out, double value, int decimals)
{
    if (value > 0)
        fprintf(out, " %.*f |", decimals, value);
    else
        fputs(" |", out);
}

static void print_depths(FILE *out, const r2n_architecture *a)
{
    for (int32_t s = 0; s < a->stages; s++)
        fprintf(out, "%s%" PRId32, s == 0 ? " " : "-", a->depths[s]);
    fputs(" |", out);
}

static void print_row(FILE *out, const r2n_catalogue_row *row)
{
    static const char *const stems[] = {"7x7", "deep", "3x3"};
    const r2n_architecture *a = &row->architecture;
    fprintf(out, "| `%s` | %s |", a->name, stems[a->stem]);
    print_depths(out, a);
    fprintf(out, " %" PRId32 "w %" PRId32 "s | ", a->base_width, a->scale);
    print_grouped(out, r2n_architecture_parameters(a));
    fputs(" | ", out);
    print_grouped(out, r2n_architecture_statistics(a));
    fprintf(out, " | %.3f |", (double)macs_of(a) / 1e9);
    print_number(out, row->page_top1, 1);
    print_number(out, row->page_top5, 1);
    print_number(out, row->page_gflops, 2);
    print_number(out, row->page_millions, 2);
    fputc('\n', out);
}

static void print_details(FILE *out, const r2n_catalogue_row *row)
{
    fprintf(out, "\n**%s**, for pictures of %" PRId32 " pixels and %" PRId32 " classes\n\n",
            row->architecture.name, row->architecture.picture_size, row->architecture.classes);
    if (row->aliases[0] != NULL) {
        fputs("- also called:", out);
        for (const char *const *alias = row->aliases; *alias != NULL; alias++)
            fprintf(out, "%s `%s`", alias == row->aliases ? "" : ",", *alias);
        fputc('\n', out);
    }
    fprintf(out, "- from: %s\n", row->origin);
    if (row->note != NULL)
        fprintf(out, "- note: %s\n", row->note);
    if (row->published != NULL)
        fprintf(out, "- weights: %s\n", row->published);
}

static void print_page(FILE *out)
{
    fputs("# The catalogue\n\n"
          "Printed by `test_catalogue_page print` from `src/model/catalogue_rows.c`; a test holds "
          "the two together.\n\n"
          "Names are found in any case, with `-` for `_`, with timm's tags (`.in1k`) and Paddle's "
          "`_ssld` (the same network with other weights). Parameters are the trainable ones; "
          "statistics are the running means and variances, which Paddle counts as parameters, "
          "too. GMACs are multiply-accumulates (10^9) of one picture of the row's size. The last "
          "four columns are what PaddleClas' page says, in per cent, 10^9 and 10^6.\n\n"
          "| name | stem | blocks | width, scale | parameters | statistics | GMACs | top-1 | top-5 "
          "| page: FLOPs | page: params |\n"
          "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
          out);
    for (size_t i = 0; i < r2n_catalogue_count(); i++)
        print_row(out, r2n_catalogue_get(i));
    fputs("\nAny other Res2Net of these kinds is told by a specification, `plain:`, `vd:` or "
          "`cifar:`, as in `cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=10`.\n",
          out);
    for (size_t i = 0; i < r2n_catalogue_count(); i++)
        print_details(out, r2n_catalogue_get(i));
}

static void the_page_is_what_the_catalogue_says(void **state)
{
    (void)state;
    char *page = NULL;
    size_t size = 0;
    r2n_file_bytes file;
    FILE *out = open_memstream(&page, &size);
    assert_non_null(out);
    print_page(out);
    fclose(out);
    assert_int_equal(
        r2n_file_read(R2N_SOURCE_DIR "/docs/catalogue.md", (size_t)1 << 20, &file, NULL),
        RES2NET_OK);
    if (file.size != size || memcmp(file.data, page, size) != 0)
        fail_msg("docs/catalogue.md is out of date; write it anew with "
                 "`test_catalogue_page print > docs/catalogue.md`");
    r2n_file_release(&file);
    free(page);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "print") == 0) {
        print_page(stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_is_what_the_catalogue_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
