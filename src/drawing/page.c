/* SPDX-License-Identifier: Apache-2.0 */
/* The whole picture: title, where parameters and operations are, legend, then the network from top
 * to bottom. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "drawing/drawing.h"
#include "drawing/drawing_internal.h"
#include "formats/markup.h"

enum { SECTIONS = R2N_MAXIMUM_STAGES + 2, STRIP_LEFT = 108, STRIP_HEIGHT = 24, SHORT_TITLE = 48 };

/* Told apart by colour and by their words; colours are light enough for dark text on them. */
static const char style[] =
    "<style>\n"
    "text{font:13px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif;"
    "fill:#1b1f24}\n"
    ".t{font-size:28px;font-weight:600}.t2{font-size:18px;font-weight:600}\n"
    ".h{font-size:15px;font-weight:600}.b{font-size:12.5px}\n"
    ".s{font-size:12px;fill:#57606a}.n{font-size:11px}\n"
    ".m{text-anchor:middle}.e{text-anchor:end}\n"
    ".l{fill:none;stroke:#57606a;stroke-width:1.3}.a{marker-end:url(#arrow)}\n"
    ".panel{fill:#f6f8fa;stroke:#d0d7de}.card{fill:#fff;stroke:#c3cbd4}\n"
    ".c1{fill:#dbeafe;stroke:#3b76c4}.c3{fill:#fde6c4;stroke:#c07d12}\n"
    ".p{fill:#d6f2dd;stroke:#3c9a5a}.f{fill:#efe0fa;stroke:#8b5cc4}\n"
    ".k{fill:#eaeef2;stroke:#8792a2}.o{fill:#fff;stroke:#57606a;stroke-width:1.3}\n"
    ".s0{fill:#c9d4e0}.s1{fill:#b6d7f5}.s2{fill:#f9d9a6}.s3{fill:#bfe5c8}.s4{fill:#f5c2c7}"
    ".s5{fill:#dcc8f0}\n"
    "</style>\n"
    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"7\" "
    "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 .5L8 4L0 7.5z\" fill=\"#57606a\"/></marker>"
    "</defs>\n";

/* ---- title ---------------------------------------------------------------------------------- */

static void draw_title(r2n_drawing *drawing)
{
    char a[R2N_COUNT_BYTES], figures[R2N_FIGURES_BYTES], shape[R2N_SHAPE_BYTES];
    const r2n_architecture *architecture = &drawing->graph->architecture;
    const int64_t millions = (drawing->macs + 500000) / 1000000;
    r2n_svg_text(drawing, strlen(architecture->name) > SHORT_TITLE ? "t2" : "t", R2N_MARGIN, 46,
                 "%s", architecture->name);
    r2n_svg_text(drawing, "s", R2N_MARGIN, 70,
                 "%s family, picture %s, %" PRId32 " classes. %s running means and variances.",
                 drawing->graph->family == R2N_FAMILY_TORCH ? "torch" : "paddle",
                 r2n_size_text(shape, &drawing->shapes[0]), architecture->classes,
                 r2n_grouped_text(a, r2n_architecture_statistics(architecture)));
    r2n_svg_text(drawing, "h", R2N_MARGIN, 94, "%s (%" PRId64 ".%03" PRId64 " G)",
                 r2n_figures_text(figures, drawing->parameters, drawing->macs), millions / 1000,
                 millions % 1000);
}

/* ---- strips: each section's share ----------------------------------------------------------- */

typedef struct section {
    const char *name;
    int64_t parameters, macs;
} section;

/* The stem, the stages and the head in order; gives how many. */
static int32_t find_sections(const r2n_drawing *drawing, section sections[SECTIONS])
{
    static const char *const names[] = {"stage 1", "stage 2", "stage 3", "stage 4"};
    const r2n_graph *graph = drawing->graph;
    int32_t count = 0;
    for (int32_t begin = 0; begin < graph->count && count < SECTIONS;) {
        const int32_t stage = graph->nodes[begin].stage;
        int32_t end = begin;
        while (end < graph->count && graph->nodes[end].stage == stage)
            end++;
        section *s = &sections[count++];
        *s = (section){.name = stage >= 0 ? names[stage] : begin == 0 ? "stem" : "head"};
        r2n_add_figures(drawing, begin, end, &s->parameters, &s->macs);
        begin = end;
    }
    return count;
}

static int32_t place_on_strip(int64_t before, int64_t total)
{
    const int32_t length = R2N_PAGE_WIDTH - R2N_MARGIN - STRIP_LEFT;
    return STRIP_LEFT + (total > 0 ? (int32_t)(length * ((double)before / (double)total)) : 0);
}

static void draw_strip(r2n_drawing *drawing, const section *sections, int32_t count, int of_macs,
                       int32_t y)
{
    enum { SHARE_ROOM = 50, NAME_ROOM = 100 };
    char number[R2N_COUNT_BYTES];
    const int64_t total = of_macs ? drawing->macs : drawing->parameters;
    int64_t before = 0;
    r2n_svg_text(drawing, "b", R2N_MARGIN, y + 16, "%s", of_macs ? "MACs" : "parameters");
    for (int32_t i = 0; i < count; i++) {
        const int64_t part = of_macs ? sections[i].macs : sections[i].parameters;
        const int32_t x = place_on_strip(before, total);
        const int32_t width = place_on_strip(before + part, total) - x;
        const int32_t share = r2n_permille(part, total);
        before += part;
        r2n_svg_put(drawing,
                    "<g><title>%s: %s %s, %" PRId32 ".%" PRId32 " %%</title><rect class=\"s%d\" "
                    "x=\"%" PRId32 "\" y=\"%" PRId32 "\" width=\"%" PRId32 "\" height=\"%d\"/>\n",
                    sections[i].name, r2n_grouped_text(number, part),
                    of_macs ? "MACs" : "parameters", share / 10, share % 10,
                    i == count - 1 ? SECTIONS - 1 : i, x, y, width, STRIP_HEIGHT);
        if (width >= NAME_ROOM)
            r2n_svg_text(drawing, "n m", x + width / 2, y + 16, "%s: %" PRId32 ".%" PRId32 " %%",
                         sections[i].name, share / 10, share % 10);
        else if (width >= SHARE_ROOM)
            r2n_svg_text(drawing, "n m", x + width / 2, y + 16, "%s", sections[i].name);
        r2n_svg_close(drawing);
    }
}

/* ---- legend --------------------------------------------------------------------------------- */

static void draw_legend(r2n_drawing *drawing, int32_t y)
{
    static const struct {
        const char *class, *words;
        int32_t width;
    } keys[] = {{"c1", "1×1 convolution", 140},
                {"c3", "3×3 or larger convolution", 200},
                {"p", "pool", 70},
                {"k", "split, concatenate", 150},
                {"f", "linear", 80}};
    int32_t x = R2N_MARGIN;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        r2n_svg_put(drawing,
                    "<rect class=\"%s\" x=\"%" PRId32 "\" y=\"%" PRId32
                    "\" width=\"18\" height=\"14\" rx=\"3\"/>\n",
                    keys[i].class, x, y);
        r2n_svg_text(drawing, "s", x + 24, y + 11, "%s", keys[i].words);
        x += keys[i].width;
    }
    r2n_svg_put(drawing,
                "<circle class=\"o\" cx=\"%" PRId32 "\" cy=\"%" PRId32
                "\" r=\"8\"/><path class=\"l\" d=\"M%" PRId32 " %" PRId32 "h8m-4 -4v8\"/>\n",
                x + 8, y + 7, x + 4, y + 7);
    r2n_svg_text(drawing, "s", x + 24, y + 11, "sum");
    r2n_svg_text(
        drawing, "s", R2N_MARGIN, y + 36,
        "Shapes are channels × rows × columns; / 2 is a stride of 2. Every convolution has a "
        "batch norm after it, and a ReLU but for a block's last one and its shortcut's.");
    r2n_svg_text(drawing, "s", R2N_MARGIN, y + 54,
                 "Point at a box for its layer's name and exact numbers.");
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int32_t draw_network(r2n_drawing *drawing, const r2n_drawn_block *blocks, int32_t count,
                            int32_t y)
{
    y = r2n_draw_stem(drawing, y);
    for (int32_t i = 0; i < count;) {
        int32_t end = i + 1;
        while (end < count && blocks[end].stage == blocks[i].stage)
            end++;
        y = r2n_draw_passage(drawing, blocks[i].input, y);
        y = r2n_draw_stage(drawing, &blocks[i], end - i, y);
        i = end;
    }
    if (count > 0)
        y = r2n_draw_passage(drawing, blocks[count - 1].end - 1, y);
    return r2n_draw_head(drawing, y);
}

/* The height is known when all is drawn: the body is made first. */
static void draw_body(r2n_drawing *drawing, const r2n_drawn_block *blocks, int32_t count,
                      int32_t *height)
{
    section sections[SECTIONS];
    const int32_t section_count = find_sections(drawing, sections);
    for (int32_t i = 0; i < section_count; i++) {
        drawing->parameters += sections[i].parameters;
        drawing->macs += sections[i].macs;
    }
    draw_title(drawing);
    draw_strip(drawing, sections, section_count, 1, 112);
    draw_strip(drawing, sections, section_count, 0, 142);
    draw_legend(drawing, 184);
    *height = draw_network(drawing, blocks, count, 258) + R2N_MARGIN;
}

static res2net_status write_page(r2n_drawing *body, int32_t height, const char *path,
                                 res2net_report *report)
{
    r2n_file_writer *writer;
    r2n_drawing head = {.graph = body->graph};
    r2n_svg_put(&head,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%" PRId32
                "\" viewBox=\"0 0 %d %" PRId32 "\" role=\"img\">\n<title>",
                R2N_PAGE_WIDTH, height, R2N_PAGE_WIDTH, height);
    r2n_markup_put(&head.svg, head.graph->architecture.name);
    r2n_text_put(&head.svg, "</title>\n");
    r2n_text_put(&head.svg, style);
    r2n_svg_put(&head, "<rect width=\"%d\" height=\"%" PRId32 "\" fill=\"#fff\"/>\n",
                R2N_PAGE_WIDTH, height);
    r2n_text_put(&body->svg, "</svg>\n");
    res2net_status status =
        head.svg.failed || body->svg.failed
            ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory for the drawing")
            : r2n_writer_open(path, &writer, report);
    if (status == RES2NET_OK) {
        r2n_writer_put(writer, head.svg.data, head.svg.size);
        r2n_writer_put(writer, body->svg.data, body->svg.size);
        status = r2n_writer_close(writer, report);
    }
    r2n_free(head.svg.data);
    return status;
}

res2net_status r2n_draw_graph(const r2n_graph *graph, int32_t rows, int32_t columns,
                              const char *path, res2net_report *report)
{
    r2n_drawing drawing = {.graph = graph};
    r2n_drawn_block *blocks = NULL;
    int32_t count = 0, height = 0;
    drawing.shapes = r2n_allocate((size_t)graph->count, sizeof *drawing.shapes);
    res2net_status status =
        drawing.shapes == NULL
            ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory for the shapes")
            : r2n_graph_shapes(graph, rows, columns, drawing.shapes, report);
    if (status == RES2NET_OK) {
        blocks = r2n_drawn_blocks(graph, drawing.shapes, &count);
        if (blocks == NULL)
            status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory for the blocks");
    }
    if (status == RES2NET_OK) {
        draw_body(&drawing, blocks, count, &height);
        status = write_page(&drawing, height, path, report);
    }
    r2n_free(drawing.svg.data);
    r2n_free(blocks);
    r2n_free(drawing.shapes);
    return status;
}
