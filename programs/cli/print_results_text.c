/* SPDX-License-Identifier: Apache-2.0 */
/* --format text: for people. Bars on a terminal, plain lines in a pipe. */
#include "platform.h"
#include "print_results.h"
#include "terminal_text.h"

/* How answers are laid out on a terminal; all zero in a pipe. */
typedef struct layout {
    int terminal, utf8;
    int columns;
    int bar; /* cells; 0 for none */
} layout;

static layout layout_of(FILE *out)
{
    enum { LONG_BAR = 20, SHORT_BAR = 10, WIDE = 72, NARROW = 48 };
    layout found = {.terminal = platform_is_terminal(out)};
    if (found.terminal) {
        found.utf8 = platform_has_utf8();
        found.columns = platform_columns(out);
        found.bar = found.columns >= WIDE ? LONG_BAR : found.columns >= NARROW ? SHORT_BAR : 0;
    }
    return found;
}

/* Up to layout->bar cells; with UTF-8 to an eighth of a cell. */
static void print_bar(FILE *out, const layout *layout, double share)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    const int filled = (int)(share * layout->bar * 8 + 0.5);
    int cells = filled / 8;
    for (int i = 0; i < cells; i++)
        fputs(layout->utf8 ? "\u2588" : "#", out);
    if (layout->utf8 && filled % 8 != 0) {
        fputs(eighths[filled % 8], out);
        cells++;
    }
    fprintf(out, "%*s  ", layout->bar - cells, "");
}

/* A label is cut at the terminal's edge, so that an answer keeps to its line. */
static void print_answer(result_stream *stream, const layout *layout, const res2net_score *score)
{
    enum { LEAST_ROOM = 8 };
    FILE *out = stream->out;
    const char *label = res2net_model_label(stream->model, score->class_id);
    int used = fprintf(out, "  %.5f  ", (double)score->score);
    if (layout->bar > 0) {
        print_bar(out, layout, (double)score->score);
        used += layout->bar + 2;
    }
    used += fprintf(out, "%4d", score->class_id);
    if (label != NULL) {
        const int room = layout->columns - used - 2;
        fputs("  ", out);
        if (layout->terminal)
            put_printable_within(out, label, room < LEAST_ROOM ? LEAST_ROOM : room, layout->utf8);
        else
            put_printable(out, label);
    }
    fputc('\n', out);
}

static void print_one(result_stream *stream, const layout *layout, const prediction *one)
{
    put_printable(stream->out, one->file);
    if (one->error != NULL) {
        fputs(": skipped\n", stream->out);
        return;
    }
    fputc('\n', stream->out);
    const int32_t count =
        res2net_top_scores(one->logits, stream->classes, stream->topk, stream->scores);
    for (int32_t i = 0; i < count; i++)
        print_answer(stream, layout, &stream->scores[i]);
}

static void print_batch(result_stream *stream, const prediction *predictions, size_t count)
{
    const layout layout = layout_of(stream->out); /* a window can change its size */
    for (size_t i = 0; i < count; i++)
        print_one(stream, &layout, &predictions[i]);
}

const result_printer printer_text = {.name = "text", .batch = print_batch};
