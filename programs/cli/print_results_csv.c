/* SPDX-License-Identifier: Apache-2.0 */
/* --format csv: a row an answer; a skipped input has a row with its error. */
#include "csv_writer.h"
#include "print_results.h"
#include "text_format.h"

static void print_header(result_stream *stream)
{
    fputs("file,rank,class_id,label,score,error\n", stream->out);
}

static void print_one(result_stream *stream, const prediction *one)
{
    FILE *out = stream->out;
    if (one->error != NULL) {
        csv_text(out, one->file);
        fputs(",,,,,", out);
        csv_text(out, one->error);
        fputc('\n', out);
        return;
    }
    const int32_t count =
        res2net_top_scores(one->logits, stream->classes, stream->topk, stream->scores);
    for (int32_t i = 0; i < count; i++) {
        char number[FORMAT_BYTES];
        const res2net_score *score = &stream->scores[i];
        csv_text(out, one->file);
        fprintf(out, ",%d,%d,", i + 1, score->class_id);
        csv_text(out, res2net_model_label(stream->model, score->class_id));
        fprintf(out, ",%s,\n", format_float(number, score->score));
    }
}

static void print_batch(result_stream *stream, const prediction *predictions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_one(stream, &predictions[i]);
}

const result_printer printer_csv = {.name = "csv", .begin = print_header, .batch = print_batch};
