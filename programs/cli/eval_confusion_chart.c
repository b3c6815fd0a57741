/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "eval_files.h"
#include "markup_writer.h"
#include "text_format.h"

enum {
    TOP = 58, /* of the lines above the picture */
    MARGIN = 24,
    LARGEST_CELL = 40,
    WANTED_SIDE = 960,
    LEAST_NAMED = 8,    /* a cell of so many pixels has its class's name beside it */
    LEAST_COUNTED = 22, /* and with so many its count in it */
    NAME_CHARACTERS = 24
};

typedef struct chart {
    const eval_result *result;
    int cell, side, names; /* pixels; `names`: the room beside the matrix */
    int font;
} chart;

/* Characters of the longest "12 maple_tree" beside the matrix. */
static int longest_name(const eval_result *result)
{
    int longest = 0;
    for (int32_t i = 0; i < result->found->classes; i++) {
        const char *label = res2net_model_label(result->model, i);
        int characters = 0;
        for (; label != NULL && *label != '\0'; label++)
            characters += (*label & 0xc0) != 0x80; /* not the rest of a UTF-8 sequence */
        if (characters > longest)
            longest = characters;
    }
    return 5 + (longest < NAME_CHARACTERS ? longest : NAME_CHARACTERS);
}

static chart lay_out(const eval_result *result)
{
    chart c = {.result = result, .cell = WANTED_SIDE / result->found->classes};
    c.cell = c.cell < 1 ? 1 : c.cell > LARGEST_CELL ? LARGEST_CELL : c.cell;
    c.side = c.cell * result->found->classes;
    c.font = c.cell < 12 ? c.cell : 12;
    c.names = 60;
    if (c.cell >= LEAST_NAMED)
        c.names = 36 + c.font * longest_name(result) * 6 / 10;
    return c;
}

static void write_head(FILE *out, const chart *c)
{
    const res2net_evaluation *found = c->result->found;
    const int width = c->names + c->side + MARGIN;
    const int least = 620; /* for the lines of text */
    char count[FORMAT_BYTES];
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\">\n"
            "<title>Confusion matrix</title>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"24\" font-size=\"16\">Confusion matrix: %s pictures, %d "
            "classes</text>\n",
            width > least ? width : least, TOP + c->side + c->names + MARGIN, MARGIN,
            format_count(count, found->images), found->classes);
    fprintf(out,
            "<text x=\"%d\" y=\"43\" font-size=\"12\" fill=\"#555\">A row a label, a column an "
            "answer. Green is right, red is wrong; the darker, the larger the share of the "
            "row.</text>\n",
            MARGIN);
}

/* Names of all classes, or numbers now and then. */
static void write_axes(FILE *out, const chart *c)
{
    const int32_t classes = c->result->found->classes;
    const int named = c->cell >= LEAST_NAMED;
    const int step = named ? 1 : classes <= 200 ? 10 : 50;
    const int font = named ? c->font : 11;
    fprintf(out, "<g font-size=\"%d\" text-anchor=\"end\" fill=\"#222\">\n", font);
    for (int32_t i = 0; i < classes; i += step) {
        const char *label = named ? res2net_model_label(c->result->model, i) : NULL;
        const double middle = (i + 0.5) * c->cell;
        fprintf(out, "<text x=\"%d\" y=\"%.1f\">", c->names - 5, TOP + middle + font * 0.35);
        markup_class(out, i, label, NAME_CHARACTERS);
        fprintf(out, "</text><text transform=\"translate(%.1f %d) rotate(-90)\">",
                c->names + middle + font * 0.35, TOP + c->side + 5);
        markup_class(out, i, label, NAME_CHARACTERS);
        fputs("</text>\n", out);
    }
    fputs("</g>\n", out);
    fprintf(out,
            "<g font-size=\"12\" fill=\"#555\" text-anchor=\"middle\">"
            "<text x=\"%d\" y=\"%d\">answer</text>"
            "<text transform=\"translate(14 %d) rotate(-90)\">label</text></g>\n",
            c->names + c->side / 2, TOP + c->side + c->names, TOP + c->side / 2);
}

static void write_cell(FILE *out, const chart *c, int32_t label, int32_t answer, int64_t count)
{
    const res2net_model *model = c->result->model;
    const int64_t images = c->result->found->per_class[label].images;
    /* The root keeps rare confusions visible. */
    const double shade = sqrt((double)count / (double)images);
    const int x = c->names + answer * c->cell;
    const int y = TOP + label * c->cell;
    fprintf(out,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" "
            "fill-opacity=\"%.3f\"><title>",
            x, y, c->cell, c->cell, label == answer ? "#1b6e3c" : "#b3261e", shade);
    markup_class(out, label, res2net_model_label(model, label), 0);
    if (label == answer) {
        fputs(" is right", out);
    } else {
        fputs(" taken for ", out);
        markup_class(out, answer, res2net_model_label(model, answer), 0);
    }
    fprintf(out, ": %" PRId64 " of %" PRId64 "</title></rect>\n", count, images);
    if (c->cell >= LEAST_COUNTED)
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"middle\" "
                "fill=\"%s\" pointer-events=\"none\">%" PRId64 "</text>\n",
                x + c->cell / 2.0, y + c->cell * 0.64, count < 1000 ? 11 : 9,
                shade > 0.6 ? "#fff" : "#222", count);
}

void eval_draw_confusion(FILE *out, const eval_result *result)
{
    const chart c = lay_out(result);
    const int32_t classes = result->found->classes;
    write_head(out, &c);
    write_axes(out, &c);
    for (int32_t label = 0; label < classes; label++)
        for (int32_t answer = 0; answer < classes; answer++) {
            const int64_t count = result->found->confusion[(int64_t)label * classes + answer];
            if (count > 0)
                write_cell(out, &c, label, answer, count);
        }
    fprintf(out,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"#888\"/>\n</svg>\n",
            c.names, TOP, c.side, c.side);
}
