/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format paddleclas: what tools/infer.py of PaddleClas release/2.5 prints, a Python list of
 * dictionaries a batch. --format paddleclas-whl: what the `paddleclas` command prints for a
 * picture, without its logger's time stamp.
 *
 * Scores are rounded to five decimals as numpy does and written as Python writes a float. Of equal
 * scores the later class comes first, because PaddleClas sorts rising and turns the order round.
 */
#include <math.h>
#include <stdlib.h>

#include "platform.h"
#include "print_results.h"
#include "python_repr.h"
#include "terminal_text.h"

static int better_first(const void *a, const void *b)
{
    const res2net_score *first = a;
    const res2net_score *second = b;
    if (first->score != second->score)
        return first->score > second->score ? -1 : 1;
    return first->class_id > second->class_id ? -1 : 1;
}

/* The best topk in PaddleClas' order. Classes beyond them are looked at as long as they are equal
 * to the last one. */
static void sort_scores(result_stream *stream, const float *logits)
{
    res2net_score *scores = stream->scores;
    const int32_t last = stream->topk - 1;
    int32_t asked = stream->topk;
    int32_t count;
    do {
        asked = asked < stream->classes - asked ? 2 * asked : stream->classes;
        count = res2net_top_scores(logits, stream->classes, asked, scores);
    } while (count < stream->classes && scores[count - 1].score == scores[last].score);
    qsort(scores, (size_t)count, sizeof *scores, better_first);
}

static double round_to_five(double score)
{
    return rint(score * 100000.0) / 100000.0;
}

static void print_class_ids(result_stream *stream)
{
    for (int32_t i = 0; i < stream->topk; i++)
        fprintf(stream->out, "%s%d", i == 0 ? "" : ", ", stream->scores[i].class_id);
}

static void print_scores(result_stream *stream)
{
    for (int32_t i = 0; i < stream->topk; i++) {
        fputs(i == 0 ? "" : ", ", stream->out);
        python_put_float(stream->out, round_to_five((double)stream->scores[i].score));
    }
}

static void print_labels(result_stream *stream)
{
    if (res2net_model_label(stream->model, 0) == NULL)
        return;
    for (int32_t i = 0; i < stream->topk; i++) {
        fputs(i == 0 ? "" : ", ", stream->out);
        python_put_text(stream->out,
                        res2net_model_label(stream->model, stream->scores[i].class_id));
    }
}

static void print_list(result_stream *stream, const prediction *predictions, size_t count)
{
    FILE *out = stream->out;
    size_t printed = 0;
    for (size_t i = 0; i < count; i++) {
        if (predictions[i].error != NULL)
            continue;
        sort_scores(stream, predictions[i].logits);
        fputs(printed++ == 0 ? "[{'class_ids': [" : "}, {'class_ids': [", out);
        print_class_ids(stream);
        fputs("], 'scores': [", out);
        print_scores(stream);
        fputs("], 'file_name': ", out);
        python_put_text(out, predictions[i].file);
        fputs(", 'label_names': [", out);
        print_labels(stream);
        fputc(']', out);
    }
    if (printed > 0)
        fputs("}]\n", out);
}

static void print_lines(result_stream *stream, const prediction *predictions, size_t count)
{
    FILE *out = stream->out;
    for (size_t i = 0; i < count; i++) {
        if (predictions[i].error != NULL)
            continue;
        sort_scores(stream, predictions[i].logits);
        fputs("class_ids: [", out);
        print_class_ids(stream);
        fputs("], scores: [", out);
        print_scores(stream);
        fputs("], label_names: [", out);
        print_labels(stream);
        fputs("], filename: ", out);
        if (platform_is_terminal(out))
            put_printable(out, predictions[i].file);
        else
            fputs(predictions[i].file, out);
        fputc('\n', out);
    }
}

static void print_complete(result_stream *stream)
{
    if (stream->complete)
        fputs("Predict complete!\n", stream->out);
}

const result_printer printer_paddleclas = {.name = "paddleclas", .batch = print_list};
const result_printer printer_paddleclas_whl = {
    .name = "paddleclas-whl", .batch = print_lines, .end = print_complete};
