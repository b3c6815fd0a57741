/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of `predict`: a printer takes batches of predictions in the order of the inputs. */
#ifndef CLI_PRINT_RESULTS_H
#define CLI_PRINT_RESULTS_H

#include <stdio.h>

#include "json_writer.h"
#include "res2net/res2net.h"

typedef struct prediction {
    const char *file;
    const char *error;   /* why the input was skipped, else NULL */
    const float *logits; /* [classes] where there is no error */
} prediction;

typedef struct result_stream result_stream;

typedef struct result_printer {
    const char *name;
    void (*begin)(result_stream *stream); /* before the first batch; may be NULL */
    void (*batch)(result_stream *stream, const prediction *predictions, size_t count);
    void (*end)(result_stream *stream); /* may be NULL */
} result_printer;

struct result_stream {
    const result_printer *printer;
    FILE *out;
    const res2net_model *model;
    int32_t classes;
    int32_t topk;          /* at most `classes` */
    res2net_score *scores; /* [classes], for the printers' use */
    int begun;
    int complete; /* for `end`: all inputs were taken */
    json_writer json;
};

extern const result_printer printer_text, printer_json, printer_jsonl, printer_csv,
    printer_paddleclas, printer_paddleclas_whl;

/* `format` is a name among the printers. */
void results_open(result_stream *stream, const char *format, const res2net_model *model,
                  int32_t topk);
void results_print(result_stream *stream, const prediction *predictions, size_t count);
/* Closes what was begun; with `complete`, also begins it where nothing was printed. */
void results_close(result_stream *stream, int complete);

#endif
