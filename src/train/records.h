/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run tells: PaddleClas' log lines, results.csv, VisualDL and TensorBoard event files, a
 * page with curves. spec: shared/spec/paddleclas.md 2.9, 2.10; shared/CLI.md (train).
 */
#ifndef R2N_TRAIN_RECORDS_H
#define R2N_TRAIN_RECORDS_H

#include "base/report.h"

typedef struct r2n_records r2n_records;

typedef struct r2n_records_options {
    const char *folder; /* output_dir/Arch.name: train.log, results.csv, report.html */
    const char *events; /* output_dir/vdl, or NULL for no event files */
    const char *title;  /* architecture and data, for the page */
    const char *schedule_class, *loss_name; /* "CELoss" */
    int64_t epochs, iterations;             /* iterations of an epoch */
    int32_t print_step;                     /* print_batch_step */
    int resumed;       /* files are appended to, results.csv cut after `epoch` */
    int64_t epoch;     /* of the resume: epochs done */
    int64_t wall_time; /* seconds since 1970 at the start, for the event files' names */
    /* Gets every line that goes into train.log, for the terminal. */
    void (*line)(void *context, const char *text);
    void *context;
} r2n_records_options;

res2net_status r2n_records_open(const r2n_records_options *options, r2n_records **out,
                                res2net_report *report);
res2net_status r2n_records_close(r2n_records *records, res2net_report *report); /* NULL: OK */

/* A free line: "ppcls INFO: " is put before it, as PaddleClas does. */
void r2n_records_say(r2n_records *records, const char *format, ...) RES2NET_PRINTF(2, 3);

typedef struct r2n_iteration_record {
    int64_t epoch, iteration;             /* epoch from 1, iteration from 0 */
    double rate, logged_rate, loss;       /* loss: of this batch */
    double average_loss;                  /* since the epoch's start */
    double batch_seconds, reader_seconds; /* averages since the last line */
    int64_t images;                       /* of a batch */
    double eta_seconds;
} r2n_iteration_record;
/* Call for every iteration; writes a line every print_step ones. */
void r2n_records_iteration(r2n_records *records, const r2n_iteration_record *record);

typedef struct r2n_epoch_record {
    int64_t epoch, step; /* step: optimiser steps so far */
    double rate, train_loss;
    int evaluated;
    double eval_loss, eval_top1, eval_top5; /* 0 to 1 */
    double average_top1;                    /* EMA's, or -1 */
    double images_per_second, seconds;
    double best_top1;
    int64_t skipped_steps, left_out; /* so far */
} r2n_epoch_record;
/* The epoch's log lines, a row of results.csv, events, and the page anew. */
res2net_status r2n_records_epoch(r2n_records *records, const r2n_epoch_record *record,
                                 res2net_report *report);

#endif
