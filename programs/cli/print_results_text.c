/* SPDX-License-Identifier: Apache-2.0 */
/* --format text: for people. Bars on a terminal, plain lines in a pipe. */
#include "platform.h"
#include "print_results.h"
#include "text_format.h"

enum { BAR_CELLS = 20 };

/* A bar of up to BAR_CELLS cells; with UTF-8 to an eighth of a cell. */
static void print_bar(FILE *out, double share)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    const int utf8 = platform_has_utf8();
    const int filled = (int)(share * BAR_CELLS * 8 + 0.5);
    int cells = filled / 8;
    for (int i = 0; i < cells; i++)
        fputs(utf8 ? "\u2588" : "#", out);
    if (utf8 && filled % 8 != 0) {
        fputs(eighths[filled % 8], out);
        cells++;
    }
    fprintf(out, "%*s", BAR_CELLS - cells, "");
}

static void print_one(result_stream *stream, const prediction *one)
{
    const int bars = platform_is_terminal(stream->out);
    put_printable(stream->out, one->file);
    if (one->error != NULL) {
        fputs(": skipped\n", stream->out);
        return;
    }
    fputc('\n', stream->out);
    const int32_t count =
        res2net_top_scores(one->logits, stream->classes, stream->topk, stream->scores);
    for (int32_t i = 0; i < count; i++) {
        const res2net_score *score = &stream->scores[i];
        const char *label = res2net_model_label(stream->model, score->class_id);
        fprintf(stream->out, "  %.5f  ", (double)score->score);
        if (bars) {
            print_bar(stream->out, (double)score->score);
            fputs("  ", stream->out);
        }
        fprintf(stream->out, "%4d%s", score->class_id, label == NULL ? "" : "  ");
        if (label != NULL)
            put_printable(stream->out, label);
        fputc('\n', stream->out);
    }
}

static void print_batch(result_stream *stream, const prediction *predictions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_one(stream, &predictions[i]);
}

const result_printer printer_text = {.name = "text", .batch = print_batch};
