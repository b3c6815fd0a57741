/* SPDX-License-Identifier: Apache-2.0 */
/* One block: the way through it on the left, its shortcut on the right. */
#include <inttypes.h>
#include <stdio.h>

#include "drawing/drawing_internal.h"

/* Heights from the card's upper edge down. Blocks of scale 1 lack what is between the first 1x1 and
 * the concatenation. */
enum {
    HEADER = 24,
    FORK = 62, /* the shortcut leaves */
    ENTRY = 76,
    BOX = 30,
    SPLIT = 140,
    CELL = 22,
    SUMS = 182,
    OPERATIONS = 204,
    OPERATION = 44,
    TURN = 260, /* a group's result goes aside to the next */
    CONCAT = 274,
    MIDDLE = 134, /* scale 1 */
    AFTER = 22    /* an arrow's length */
};
enum { PAD = 16, SHORTCUT = 138, WIDE_BOX = 268, COLUMN_LIMIT = 96, COLUMN_GAP = 12, WIDE = 68 };

typedef struct card {
    r2n_drawing *drawing;
    const r2n_drawn_block *block;
    int32_t y;              /* upper edge */
    int32_t left, width;    /* of the way through */
    int32_t centre, beside; /* x of the way through, and of the shortcut */
    int32_t column;         /* a group's width */
} card;

static int32_t exit_y(const r2n_drawn_block *block)
{
    return (block->concat >= 0 ? CONCAT + CELL : MIDDLE + BOX) + AFTER;
}

static int32_t sum_y(const r2n_drawn_block *block)
{
    return exit_y(block) + BOX + 24;
}

int32_t r2n_card_height(const r2n_drawn_block *block)
{
    return sum_y(block) + 46;
}

static const r2n_node *node_of(const card *c, int32_t node)
{
    return &c->drawing->graph->nodes[node];
}

/* Centre of group `g`. */
static int32_t column_x(const card *c, int32_t g)
{
    const int32_t all = c->column * c->block->group_count;
    return c->centre - all / 2 + c->column * g + c->column / 2;
}

/* ---- pieces --------------------------------------------------------------------------------- */

static void draw_wide_box(const card *c, int32_t node, int32_t y, int32_t height, const char *words)
{
    char shape[R2N_SHAPE_BYTES];
    r2n_svg_open_node(c->drawing, node, c->centre - WIDE_BOX / 2, c->y + y, WIDE_BOX, height);
    r2n_svg_text(c->drawing, "b m", c->centre, c->y + y + height / 2 + 4, "%s → %s", words,
                 r2n_size_text(shape, &c->drawing->shapes[node]));
    r2n_svg_close(c->drawing);
}

static void draw_convolution(const card *c, int32_t node, int32_t y)
{
    char words[48];
    const r2n_node *n = node_of(c, node);
    snprintf(words, sizeof words, "%" PRId32 "×%" PRId32 " convolution%s", n->kernel, n->kernel,
             n->stride > 1 ? " / 2" : "");
    draw_wide_box(c, node, y, BOX, words);
}

static void draw_down(const card *c, int32_t x, int32_t from, int32_t to)
{
    r2n_svg_arrow(c->drawing, "M%" PRId32 " %" PRId32 "V%" PRId32, x, c->y + from, c->y + to);
}

/* ---- groups --------------------------------------------------------------------------------- */

/* The words of a convolution or pool, in a wide box or in one that has room for five letters. */
static void draw_operation(const card *c, int32_t node, int32_t x)
{
    const r2n_node *n = node_of(c, node);
    const int32_t width = c->column - COLUMN_GAP, is_wide = width >= WIDE;
    const int strides = n->stride > 1, pools = n->kind == R2N_NODE_POOL;
    const char *first = pools ? (is_wide ? "avg. pool" : "avg") : is_wide ? "convolution" : "";
    const int32_t lines = 1 + (*first != '\0') + (strides && !is_wide);
    int32_t y = c->y + OPERATIONS + OPERATION / 2 + 4 - 7 * (lines - 1);
    r2n_svg_open_node(c->drawing, node, x - width / 2, c->y + OPERATIONS, width, OPERATION);
    if (*first != '\0') {
        r2n_svg_text(c->drawing, "n m", x, y, "%s", first);
        y += 14;
    }
    r2n_svg_text(c->drawing, "n m", x, y, "%" PRId32 "×%" PRId32 "%s", n->kernel, n->kernel,
                 strides && is_wide ? " / 2" : "");
    if (strides && !is_wide)
        r2n_svg_text(c->drawing, "n m", x, y + 14, "/ 2");
    r2n_svg_close(c->drawing);
}

/* From below group `from`'s box, up between the two, to the sum above group `to`'s. */
static void draw_handover(const card *c, int32_t from, int32_t to)
{
    const int32_t x = column_x(c, from);
    r2n_svg_line(c->drawing, "M%" PRId32 " %" PRId32 "V%" PRId32, x, c->y + OPERATIONS + OPERATION,
                 c->y + TURN);
    r2n_svg_arrow(c->drawing, "M%" PRId32 " %" PRId32 "H%" PRId32 "V%" PRId32 "H%" PRId32, x,
                  c->y + TURN, column_x(c, to) - c->column / 2, c->y + SUMS, column_x(c, to) - 8);
}

static void draw_group(const card *c, int32_t g)
{
    const r2n_drawn_group *group = &c->block->groups[g];
    const int32_t x = column_x(c, g);
    r2n_svg_open_node(c->drawing, group->slice, x - c->column / 2, c->y + SPLIT, c->column, CELL);
    r2n_svg_text(c->drawing, "n m", x, c->y + SPLIT + 15, "%" PRId32,
                 node_of(c, group->slice)->channels);
    r2n_svg_close(c->drawing);
    if (group->operation < 0) {
        const int told = c->column >= WIDE;
        if (told)
            r2n_svg_text(c->drawing, "n m", x, c->y + OPERATIONS + OPERATION / 2 + 4, "as it is");
        if (told)
            r2n_svg_line(c->drawing, "M%" PRId32 " %" PRId32 "V%" PRId32, x, c->y + SPLIT + CELL,
                         c->y + OPERATIONS + 8);
        draw_down(c, x, told ? OPERATIONS + OPERATION - 8 : SPLIT + CELL, CONCAT);
        return;
    }
    if (group->sum >= 0) {
        draw_down(c, x, SPLIT + CELL, SUMS - 8);
        draw_down(c, x, SUMS + 8, OPERATIONS);
        if (group->from >= 0)
            draw_handover(c, group->from, g);
        r2n_svg_sum(c->drawing, group->sum, x, c->y + SUMS);
    } else {
        draw_down(c, x, SPLIT + CELL, OPERATIONS);
    }
    draw_operation(c, group->operation, x);
    draw_down(c, x, OPERATIONS + OPERATION, CONCAT);
}

static void draw_groups(const card *c)
{
    const r2n_drawn_block *block = c->block;
    draw_down(c, c->centre, ENTRY + BOX, SPLIT);
    r2n_svg_text(c->drawing, "s", c->centre + 8, c->y + SPLIT - 10, "split into %" PRId32 " groups",
                 block->group_count);
    for (int32_t g = 0; g < block->group_count; g++)
        draw_group(c, g);
    char shape[R2N_SHAPE_BYTES];
    const int32_t all = c->column * block->group_count;
    const int32_t width = all > WIDE_BOX ? all : WIDE_BOX;
    r2n_svg_open_node(c->drawing, block->concat, c->centre - width / 2, c->y + CONCAT, width, CELL);
    r2n_svg_text(c->drawing, "b m", c->centre, c->y + CONCAT + 15, "concatenate → %s",
                 r2n_size_text(shape, &c->drawing->shapes[block->concat]));
    r2n_svg_close(c->drawing);
}

/* ---- shortcut ------------------------------------------------------------------------------- */

static void draw_shortcut_box(const card *c, int32_t node, int32_t y)
{
    char shape[R2N_SHAPE_BYTES];
    const r2n_node *n = node_of(c, node);
    const int32_t width = SHORTCUT - PAD;
    r2n_svg_open_node(c->drawing, node, c->beside - width / 2, c->y + y, width, OPERATION);
    r2n_svg_text(c->drawing, "n m", c->beside, c->y + y + 19, "%" PRId32 "×%" PRId32 " %s%s",
                 n->kernel, n->kernel, n->kind == R2N_NODE_POOL ? "avg. pool" : "convolution",
                 n->stride > 1 ? " / 2" : "");
    r2n_svg_text(c->drawing, "n m", c->beside, c->y + y + 33, "→ %s",
                 r2n_size_text(shape, &c->drawing->shapes[node]));
    r2n_svg_close(c->drawing);
}

static void draw_shortcut(const card *c)
{
    const r2n_drawn_block *block = c->block;
    const int32_t sum = sum_y(block), height = OPERATION + AFTER;
    int32_t y = (FORK + sum - block->shortcut_count * height + AFTER) / 2;
    int32_t from = FORK;
    r2n_svg_line(c->drawing, "M%" PRId32 " %" PRId32 "H%" PRId32, c->centre, c->y + FORK,
                 c->beside);
    for (int32_t i = 0; i < block->shortcut_count; i++) {
        draw_down(c, c->beside, from, y);
        draw_shortcut_box(c, block->shortcut[i], y);
        from = y + OPERATION;
        y += height;
    }
    if (block->shortcut_count == 0)
        r2n_svg_text(c->drawing, "s e", c->beside - 8, c->y + (FORK + sum) / 2 + 4, "as it is");
    r2n_svg_arrow(c->drawing, "M%" PRId32 " %" PRId32 "V%" PRId32 "H%" PRId32, c->beside,
                  c->y + from, c->y + sum, c->centre + 8);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Repeated blocks lie as a stack of cards. */
static void draw_frame(const card *c, int32_t x, int32_t width)
{
    const r2n_drawn_block *block = c->block;
    const int32_t height = r2n_card_height(block);
    char figures[R2N_FIGURES_BYTES];
    for (int32_t i = block->count > 2 ? 2 : block->count - 1; i >= 0; i--)
        r2n_svg_put(c->drawing,
                    "<rect class=\"card\" x=\"%" PRId32 "\" y=\"%" PRId32 "\" width=\"%" PRId32
                    "\" height=\"%" PRId32 "\" rx=\"8\"/>\n",
                    x + 4 * i, c->y + 4 * i, width, height);
    if (block->count == 1)
        r2n_svg_text(c->drawing, "h", x + PAD, c->y + HEADER, "Block %" PRId32, block->first + 1);
    else
        r2n_svg_text(c->drawing, "h", x + PAD, c->y + HEADER, "Blocks %" PRId32 " to %" PRId32,
                     block->first + 1, block->first + block->count);
    r2n_figures_text(figures, block->parameters, block->macs);
    if (block->count == 1)
        r2n_svg_text(c->drawing, "s n e", x + width - PAD, c->y + HEADER, "%s", figures);
    else
        r2n_svg_text(c->drawing, "s n e", x + width - PAD, c->y + HEADER, "%" PRId32 " × (%s)",
                     block->count, figures);
}

void r2n_draw_card(r2n_drawing *drawing, const r2n_drawn_block *block, int32_t x, int32_t y,
                   int32_t width)
{
    char shape[R2N_SHAPE_BYTES];
    card c = {.drawing = drawing,
              .block = block,
              .y = y,
              .left = x + PAD,
              .width = width - 2 * PAD - SHORTCUT};
    c.centre = c.left + c.width / 2;
    c.beside = x + width - PAD - SHORTCUT / 2 + PAD / 2;
    c.column = block->group_count > 0 ? c.width / block->group_count : 0;
    c.column = c.column > COLUMN_LIMIT ? COLUMN_LIMIT : c.column;
    const int32_t sum = sum_y(block), height = r2n_card_height(block);
    draw_frame(&c, x, width);
    draw_down(&c, c.centre, HEADER + 16, ENTRY);
    r2n_svg_text(drawing, "s e", c.centre - 8, y + HEADER + 28, "%s",
                 r2n_size_text(shape, &drawing->shapes[block->input]));
    draw_shortcut(&c);
    draw_convolution(&c, block->entry, ENTRY);
    if (block->concat >= 0) {
        draw_groups(&c);
    } else {
        draw_down(&c, c.centre, ENTRY + BOX, MIDDLE);
        draw_convolution(&c, block->middle, MIDDLE);
    }
    draw_down(&c, c.centre, exit_y(block) - AFTER, exit_y(block));
    draw_convolution(&c, block->exit, exit_y(block));
    draw_down(&c, c.centre, exit_y(block) + BOX, sum - 8);
    draw_down(&c, c.centre, sum + 8, height - 8);
    r2n_svg_sum(drawing, block->sum, c.centre, y + sum);
    r2n_svg_text(drawing, "s", c.centre + 8, y + sum + 28, "ReLU");
    r2n_svg_text(drawing, "s e", c.centre - 8, y + sum + 28, "%s",
                 r2n_size_text(shape, &drawing->shapes[block->result]));
}
