/* SPDX-License-Identifier: Apache-2.0 */
#include "print_results.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"

static const result_printer *const printers[] = {&printer_text,       &printer_json,
                                                 &printer_jsonl,      &printer_csv,
                                                 &printer_paddleclas, &printer_paddleclas_whl};

void results_open(result_stream *stream, const char *format, const res2net_model *model,
                  int32_t topk)
{
    res2net_model_info info;
    res2net_model_describe(model, &info);
    *stream = (result_stream){.out = stdout,
                              .model = model,
                              .classes = info.classes,
                              .topk = topk < info.classes ? topk : info.classes};
    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++)
        if (strcmp(printers[i]->name, format) == 0)
            stream->printer = printers[i];
    stream->scores = platform_allocate((size_t)info.classes, sizeof *stream->scores);
}

static void begin(result_stream *stream)
{
    if (!stream->begun && stream->printer->begin != NULL)
        stream->printer->begin(stream);
    stream->begun = 1;
}

void results_print(result_stream *stream, const prediction *predictions, size_t count)
{
    if (count == 0)
        return;
    begin(stream);
    stream->printer->batch(stream, predictions, count);
}

void results_close(result_stream *stream, int complete)
{
    stream->complete = complete;
    if (complete)
        begin(stream);
    if (stream->begun && stream->printer->end != NULL)
        stream->printer->end(stream);
    free(stream->scores);
    stream->scores = NULL;
}
