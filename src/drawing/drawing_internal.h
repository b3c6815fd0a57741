/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: what is drawn, and the pieces it is drawn of. */
#ifndef R2N_DRAWING_DRAWING_INTERNAL_H
#define R2N_DRAWING_DRAWING_INTERNAL_H

#include "formats/json_writer.h"
#include "model/graph.h"

/* ---- blocks.c: the graph's blocks, read off its nodes --------------------------------------- */

/* One group of a block's channels. */
typedef struct r2n_drawn_group {
    int32_t slice;
    int32_t sum;       /* the node that adds an earlier group's result to it; -1: none */
    int32_t from;      /* the number of that group; -1: none */
    int32_t operation; /* its convolution or pool; -1: it is passed on */
    int32_t result;    /* the node whose value is joined with the others' */
} r2n_drawn_group;

/* Nodes are numbers in the graph; -1 where the block has none. */
typedef struct r2n_drawn_block {
    int32_t stage, first, count; /* `count` equal blocks, of which the first is number `first` */
    int32_t begin, end;          /* its nodes */
    int32_t input, entry, concat, exit, sum, result;
    int32_t middle; /* scale 1: the one convolution in place of groups */
    int32_t group_count;
    r2n_drawn_group groups[R2N_NODE_INPUTS];
    int32_t shortcut_count;
    int32_t shortcut[2];      /* pool, convolution */
    int64_t parameters, macs; /* of one of them */
} r2n_drawn_block;

/* Neighbours that are equal but for their place are one; r2n_free. NULL: no memory. */
r2n_drawn_block *r2n_drawn_blocks(const r2n_graph *graph, const r2n_shape *shapes, int32_t *count);

/* ---- svg.c: pieces -------------------------------------------------------------------------- */

typedef struct r2n_drawing {
    r2n_text svg;
    const r2n_graph *graph;
    r2n_shape *shapes;
    int64_t parameters, macs; /* of the whole network */
} r2n_drawing;

/* Markup of our own: no text from outside. At most 400 bytes at a time. */
void r2n_svg_put(r2n_drawing *drawing, const char *format, ...) RES2NET_PRINTF(2, 3);
/* A line of text whose class is "h", "b", "s", ... with "m" (centred on x) or "e" (ends at x). */
void r2n_svg_text(r2n_drawing *drawing, const char *class, int32_t x, int32_t y, const char *format,
                  ...) RES2NET_PRINTF(5, 6);
/* "M1 2V3H4" with an arrow's head at its end. */
void r2n_svg_arrow(r2n_drawing *drawing, const char *format, ...) RES2NET_PRINTF(2, 3);
/* The same without one. */
void r2n_svg_line(r2n_drawing *drawing, const char *format, ...) RES2NET_PRINTF(2, 3);
/* A box in the colour of the node's kind, that tells the node's name and numbers when pointed at;
 * put text on it, then close. */
void r2n_svg_open_node(r2n_drawing *drawing, int32_t node, int32_t x, int32_t y, int32_t width,
                       int32_t height);
/* A "+" in a circle. */
void r2n_svg_sum(r2n_drawing *drawing, int32_t node, int32_t x, int32_t y);
void r2n_svg_close(r2n_drawing *drawing); /* the innermost thing that is open */

enum { R2N_COUNT_BYTES = 32, R2N_SHAPE_BYTES = 64, R2N_FIGURES_BYTES = 160 };
/* "25,699,120" */
const char *r2n_grouped_text(char text[R2N_COUNT_BYTES], int64_t count);
/* "64 × 112 × 112", or "2048" of one pixel. */
const char *r2n_size_text(char text[R2N_SHAPE_BYTES], const r2n_shape *shape);
/* "1,234 parameters · 5,678 MACs" */
const char *r2n_figures_text(char text[R2N_FIGURES_BYTES], int64_t parameters, int64_t macs);
/* Thousandths, rounded; 0 of nothing. */
int32_t r2n_permille(int64_t part, int64_t whole);

/* ---- block_card.c: a block -------------------------------------------------------------------*/

int32_t r2n_card_height(const r2n_drawn_block *block);
void r2n_draw_card(r2n_drawing *drawing, const r2n_drawn_block *block, int32_t x, int32_t y,
                   int32_t width);

/* ---- sections.c: stem, stages, head ----------------------------------------------------------*/

enum { R2N_PAGE_WIDTH = 1120, R2N_MARGIN = 24, R2N_FULL_WIDTH = R2N_PAGE_WIDTH - 2 * R2N_MARGIN };

/* Each takes the y of its upper edge and gives that of its lower one. */
int32_t r2n_draw_stem(r2n_drawing *drawing, int32_t y);
int32_t r2n_draw_stage(r2n_drawing *drawing, const r2n_drawn_block *blocks, int32_t count,
                       int32_t y);
int32_t r2n_draw_head(r2n_drawing *drawing, int32_t y);
/* From one section's lower edge to the next one's upper edge, with the shape of `node`. */
int32_t r2n_draw_passage(r2n_drawing *drawing, int32_t node, int32_t y);

/* What nodes [begin, end) have. */
void r2n_add_figures(const r2n_drawing *drawing, int32_t begin, int32_t end, int64_t *parameters,
                     int64_t *macs);

#endif
