/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes, lines and text as SVG; counts and shapes as text. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "drawing/drawing_internal.h"
#include "formats/markup.h"

enum { PIECE_BYTES = 400 };

void r2n_svg_put(r2n_drawing *drawing, const char *format, ...)
{
    char piece[PIECE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    r2n_text_put(&drawing->svg, piece);
}

void r2n_svg_text(r2n_drawing *drawing, const char *class, int32_t x, int32_t y, const char *format,
                  ...)
{
    char text[PIECE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r2n_svg_put(drawing, "<text class=\"%s\" x=\"%" PRId32 "\" y=\"%" PRId32 "\">", class, x, y);
    r2n_markup_put(&drawing->svg, text);
    r2n_text_put(&drawing->svg, "</text>\n");
}

static void put_path(r2n_drawing *drawing, const char *class, const char *format, va_list arguments)
{
    char path[PIECE_BYTES];
    vsnprintf(path, sizeof path, format, arguments);
    r2n_text_put(&drawing->svg, "<path class=\"");
    r2n_text_put(&drawing->svg, class);
    r2n_text_put(&drawing->svg, "\" d=\"");
    r2n_text_put(&drawing->svg, path);
    r2n_text_put(&drawing->svg, "\"/>\n");
}

void r2n_svg_arrow(r2n_drawing *drawing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_path(drawing, "l a", format, arguments);
    va_end(arguments);
}

void r2n_svg_line(r2n_drawing *drawing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_path(drawing, "l", format, arguments);
    va_end(arguments);
}

/* ---- nodes ---------------------------------------------------------------------------------- */

/* The classes of the style in page.c. */
static const char *node_class(const r2n_node *node)
{
    switch (node->kind) {
    case R2N_NODE_CONVOLUTION:
        return node->kernel == 1 ? "c1" : "c3";
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        return "p";
    case R2N_NODE_LINEAR:
        return "f";
    default:
        return "k";
    }
}

static void open_with_title(r2n_drawing *drawing, int32_t node)
{
    char kind[R2N_NODE_KIND_BYTES], shape[R2N_SHAPE_BYTES], figures[R2N_FIGURES_BYTES];
    const int64_t parameters = r2n_node_parameters(drawing->graph, node);
    r2n_node_kind_text(&drawing->graph->nodes[node], kind);
    r2n_text_put(&drawing->svg, "<g><title>");
    r2n_markup_put(&drawing->svg, drawing->graph->nodes[node].name);
    r2n_svg_put(drawing, ": %s, %s", kind, r2n_size_text(shape, &drawing->shapes[node]));
    if (parameters > 0)
        r2n_svg_put(drawing, ", %s",
                    r2n_figures_text(figures, parameters,
                                     r2n_node_macs(drawing->graph, drawing->shapes, node)));
    r2n_text_put(&drawing->svg, "</title>");
}

void r2n_svg_open_node(r2n_drawing *drawing, int32_t node, int32_t x, int32_t y, int32_t width,
                       int32_t height)
{
    open_with_title(drawing, node);
    r2n_svg_put(drawing,
                "<rect class=\"%s\" x=\"%" PRId32 "\" y=\"%" PRId32 "\" width=\"%" PRId32
                "\" height=\"%" PRId32 "\" rx=\"4\"/>\n",
                node_class(&drawing->graph->nodes[node]), x, y, width, height);
}

void r2n_svg_sum(r2n_drawing *drawing, int32_t node, int32_t x, int32_t y)
{
    open_with_title(drawing, node);
    r2n_svg_put(drawing,
                "<circle class=\"o\" cx=\"%" PRId32 "\" cy=\"%" PRId32
                "\" r=\"8\"/><path class=\"l\" d=\"M%" PRId32 " %" PRId32 "h8m-4 -4v8\"/>",
                x, y, x - 4, y);
    r2n_svg_close(drawing);
}

void r2n_svg_close(r2n_drawing *drawing)
{
    r2n_text_put(&drawing->svg, "</g>\n");
}

/* ---- numbers -------------------------------------------------------------------------------- */

const char *r2n_grouped_text(char text[R2N_COUNT_BYTES], int64_t count)
{
    char digits[R2N_COUNT_BYTES];
    const int size = snprintf(digits, sizeof digits, "%" PRId64, count);
    int at = 0;
    for (int i = 0; i < size && at + 2 < R2N_COUNT_BYTES; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

const char *r2n_size_text(char text[R2N_SHAPE_BYTES], const r2n_shape *shape)
{
    if (shape->rows == 1 && shape->columns == 1)
        snprintf(text, R2N_SHAPE_BYTES, "%" PRId32, shape->channels);
    else
        snprintf(text, R2N_SHAPE_BYTES, "%" PRId32 " × %" PRId32 " × %" PRId32, shape->channels,
                 shape->rows, shape->columns);
    return text;
}

const char *r2n_figures_text(char text[R2N_FIGURES_BYTES], int64_t parameters, int64_t macs)
{
    char a[R2N_COUNT_BYTES], b[R2N_COUNT_BYTES];
    snprintf(text, R2N_FIGURES_BYTES, "%s parameters · %s MACs", r2n_grouped_text(a, parameters),
             r2n_grouped_text(b, macs));
    return text;
}

int32_t r2n_permille(int64_t part, int64_t whole)
{
    return whole > 0 ? (int32_t)lround(1000.0 * (double)part / (double)whole) : 0;
}
