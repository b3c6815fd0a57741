/* SPDX-License-Identifier: Apache-2.0 */
/* --format json and jsonl: {"file": ..., "top": [{"class_id": ..., "label": ..., "score": ...}]}.
 */
#include "print_results.h"

static void write_one(json_writer *json, result_stream *stream, const prediction *one)
{
    json_open_object(json, JSON_LINE);
    json_text_member(json, "file", one->file);
    if (one->error != NULL) {
        json_text_member(json, "error", one->error);
    } else {
        const int32_t count =
            res2net_top_scores(one->logits, stream->classes, stream->topk, stream->scores);
        json_key(json, "top");
        json_open_array(json, JSON_LINE);
        for (int32_t i = 0; i < count; i++) {
            json_open_object(json, JSON_LINE);
            json_integer_member(json, "class_id", stream->scores[i].class_id);
            json_text_member(json, "label",
                             res2net_model_label(stream->model, stream->scores[i].class_id));
            json_key(json, "score");
            json_float(json, stream->scores[i].score);
            json_close_object(json);
        }
        json_close_array(json);
    }
    json_close_object(json);
}

static void begin_array(result_stream *stream)
{
    stream->json = json_begin(stream->out);
    json_open_array(&stream->json, JSON_ROWS);
}

static void add_to_array(result_stream *stream, const prediction *predictions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_one(&stream->json, stream, &predictions[i]);
}

static void end_array(result_stream *stream)
{
    json_close_array(&stream->json);
    json_end(&stream->json);
}

static void write_lines(result_stream *stream, const prediction *predictions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_writer json = json_begin(stream->out);
        write_one(&json, stream, &predictions[i]);
        json_end(&json);
    }
}

const result_printer printer_json = {
    .name = "json", .begin = begin_array, .batch = add_to_array, .end = end_array};
const result_printer printer_jsonl = {.name = "jsonl", .batch = write_lines};
