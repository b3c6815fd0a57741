/* SPDX-License-Identifier: Apache-2.0 */
/* Stem, stages and head, each in a frame of its own. */
#include <inttypes.h>
#include <stdio.h>

#include "drawing/drawing_internal.h"

enum { PAD = 16, HEADER = 40, BETWEEN = 40 };
enum { BOX_WIDTH = 150, BOX_HEIGHT = 50, BOX_GAP = 36 };
enum { CARD_GAP = 36, NARROW_GROUPS = 8 /* that two blocks side by side have room for */ };

void r2n_add_figures(const r2n_drawing *drawing, int32_t begin, int32_t end, int64_t *parameters,
                     int64_t *macs)
{
    for (int32_t i = begin; i < end; i++) {
        *parameters += r2n_node_parameters(drawing->graph, i);
        *macs += r2n_node_macs(drawing->graph, drawing->shapes, i);
    }
}

/* The frame with its numbers, for people and as attributes for programs; then close. */
static void open_section(r2n_drawing *drawing, const char *id, const char *name, const char *words,
                         int32_t y, int32_t height, int64_t parameters, int64_t macs)
{
    char figures[R2N_FIGURES_BYTES];
    const int32_t share = r2n_permille(macs, drawing->macs);
    r2n_svg_put(drawing,
                "<g id=\"%s\" data-parameters=\"%" PRId64 "\" data-macs=\"%" PRId64 "\">\n"
                "<rect class=\"panel %.5s\" x=\"%d\" y=\"%" PRId32
                "\" width=\"%d\" height=\"%" PRId32 "\" rx=\"10\"/>\n",
                id, parameters, macs, id, R2N_MARGIN, y, R2N_FULL_WIDTH, height);
    r2n_svg_text(drawing, "h", R2N_MARGIN + PAD, y + 26, "%s", name);
    r2n_svg_text(drawing, "s", R2N_MARGIN + PAD + 70, y + 26, "%s", words);
    r2n_svg_text(drawing, "b e", R2N_MARGIN + R2N_FULL_WIDTH - PAD, y + 26,
                 "%s, %" PRId32 ".%" PRId32 " %% of all",
                 r2n_figures_text(figures, parameters, macs), share / 10, share % 10);
}

int32_t r2n_draw_passage(r2n_drawing *drawing, int32_t node, int32_t y)
{
    char shape[R2N_SHAPE_BYTES];
    const int32_t x = R2N_PAGE_WIDTH / 2;
    r2n_svg_arrow(drawing, "M%" PRId32 " %" PRId32 "V%" PRId32, x, y + 2, y + BETWEEN - 2);
    r2n_svg_text(drawing, "b", x + 10, y + BETWEEN / 2 + 4, "%s",
                 r2n_size_text(shape, &drawing->shapes[node]));
    return y + BETWEEN;
}

/* ---- stem and head: nodes in a row ---------------------------------------------------------- */

static int is_drawn(const r2n_node *node)
{
    return node->kind != R2N_NODE_BATCH_NORM && node->kind != R2N_NODE_RELU;
}

static void node_words(const r2n_node *node, char words[R2N_NODE_KIND_BYTES])
{
    const char *stride = node->stride == 2 ? " / 2" : "";
    if (node->kind == R2N_NODE_INPUT)
        snprintf(words, R2N_NODE_KIND_BYTES, "picture");
    else if (node->kind == R2N_NODE_CONVOLUTION)
        snprintf(words, R2N_NODE_KIND_BYTES, "%" PRId32 "×%" PRId32 " convolution%s", node->kernel,
                 node->kernel, stride);
    else if (node->kind == R2N_NODE_POOL)
        snprintf(words, R2N_NODE_KIND_BYTES, "%" PRId32 "×%" PRId32 " max. pool%s", node->kernel,
                 node->kernel, stride);
    else
        r2n_node_kind_text(node, words);
}

/* Nodes [begin, end), centred. */
static void draw_row(r2n_drawing *drawing, int32_t begin, int32_t end, int32_t y)
{
    char words[R2N_NODE_KIND_BYTES], shape[R2N_SHAPE_BYTES];
    int32_t count = 0;
    for (int32_t i = begin; i < end; i++)
        count += is_drawn(&drawing->graph->nodes[i]);
    const int32_t width = count * BOX_WIDTH + (count - 1) * BOX_GAP;
    const int32_t first = (R2N_PAGE_WIDTH - width) / 2;
    int32_t x = first;
    for (int32_t i = begin; i < end; i++) {
        const r2n_node *node = &drawing->graph->nodes[i];
        if (!is_drawn(node))
            continue;
        if (x > first)
            r2n_svg_arrow(drawing, "M%" PRId32 " %" PRId32 "H%" PRId32, x - BOX_GAP,
                          y + BOX_HEIGHT / 2, x);
        node_words(node, words);
        r2n_svg_open_node(drawing, i, x, y, BOX_WIDTH, BOX_HEIGHT);
        r2n_svg_text(drawing, "b m", x + BOX_WIDTH / 2, y + 21, "%s", words);
        r2n_svg_text(drawing, "s m", x + BOX_WIDTH / 2, y + 38, "%s",
                     r2n_size_text(shape, &drawing->shapes[i]));
        r2n_svg_close(drawing);
        x += BOX_WIDTH + BOX_GAP;
    }
}

static int32_t draw_row_section(r2n_drawing *drawing, const char *id, const char *name,
                                int32_t begin, int32_t end, int32_t y)
{
    const int32_t height = HEADER + BOX_HEIGHT + PAD;
    int64_t parameters = 0, macs = 0;
    r2n_add_figures(drawing, begin, end, &parameters, &macs);
    open_section(drawing, id, name, "", y, height, parameters, macs);
    draw_row(drawing, begin, end, y + HEADER);
    r2n_svg_close(drawing);
    return y + height;
}

int32_t r2n_draw_stem(r2n_drawing *drawing, int32_t y)
{
    int32_t end = 0;
    while (end < drawing->graph->count && drawing->graph->nodes[end].stage < 0)
        end++;
    return draw_row_section(drawing, "stem", "Stem", 0, end, y);
}

int32_t r2n_draw_head(r2n_drawing *drawing, int32_t y)
{
    int32_t begin = drawing->graph->count;
    while (begin > 0 && drawing->graph->nodes[begin - 1].stage < 0)
        begin--;
    return draw_row_section(drawing, "head", "Head", begin, drawing->graph->count, y);
}

/* ---- stages --------------------------------------------------------------------------------- */

/* Side by side where all fit, else one below the other; an arrow from each to the next. */
static void draw_cards(r2n_drawing *drawing, const r2n_drawn_block *blocks, int32_t count,
                       int32_t y, int side_by_side)
{
    const int32_t full = R2N_FULL_WIDTH - 2 * PAD, half = (full - CARD_GAP) / 2;
    const int32_t width = blocks->group_count > NARROW_GROUPS ? full : half;
    int32_t x = side_by_side ? R2N_MARGIN + PAD : (R2N_PAGE_WIDTH - width) / 2;
    for (int32_t i = 0; i < count; i++) {
        const int32_t height = r2n_card_height(&blocks[i]);
        r2n_draw_card(drawing, &blocks[i], x, y, width);
        if (i + 1 < count && side_by_side)
            r2n_svg_arrow(drawing, "M%" PRId32 " %" PRId32 "h%d", x + width + 4, y + height / 2,
                          CARD_GAP - 8);
        else if (i + 1 < count)
            r2n_svg_arrow(drawing, "M%" PRId32 " %" PRId32 "v%d", x + width / 2, y + height + 4,
                          CARD_GAP - 8);
        if (side_by_side)
            x += width + CARD_GAP;
        else
            y += height + CARD_GAP;
    }
}

int32_t r2n_draw_stage(r2n_drawing *drawing, const r2n_drawn_block *blocks, int32_t count,
                       int32_t y)
{
    char id[24], name[24], words[96];
    int64_t parameters = 0, macs = 0;
    int32_t depth = 0, below = 0;
    const int side_by_side = count == 2 && blocks->group_count <= NARROW_GROUPS;
    for (int32_t i = 0; i < count; i++) {
        depth += blocks[i].count;
        parameters += blocks[i].count * blocks[i].parameters;
        macs += blocks[i].count * blocks[i].macs;
        below += r2n_card_height(&blocks[i]) + (i > 0 ? CARD_GAP : 0);
    }
    const int32_t height =
        HEADER + (side_by_side ? r2n_card_height(blocks) : below) + PAD + 8 /* of a stack */;
    snprintf(id, sizeof id, "stage%" PRId32, blocks->stage + 1);
    snprintf(name, sizeof name, "Stage %" PRId32, blocks->stage + 1);
    if (blocks->group_count > 0)
        snprintf(words, sizeof words,
                 "%" PRId32 " block%s, %" PRId32 " groups of %" PRId32 " channels", depth,
                 depth == 1 ? "" : "s", blocks->group_count,
                 drawing->graph->nodes[blocks->groups[0].slice].channels);
    else
        snprintf(words, sizeof words, "%" PRId32 " block%s", depth, depth == 1 ? "" : "s");
    open_section(drawing, id, name, words, y, height, parameters, macs);
    draw_cards(drawing, blocks, count, y + HEADER, side_by_side);
    r2n_svg_close(drawing);
    return y + height;
}
