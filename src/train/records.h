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

/* Makes the folders. train.log is appended to, also by a new run; event files are new ones; a new
 * run starts results.csv anew. DAMAGED where results.csv of a resumed run is somebody else's file.
 * The options' texts are copied.
 *
 * A run does not end because a record cannot be written. The first failure of a file is told as a
 * WARNING line to `line`, and what is lost is counted; when the file can be written again, that is
 * told too. Rows of results.csv are kept and written later. */
res2net_status r2n_records_open(const r2n_records_options *options, r2n_records **out,
                                res2net_report *report);
/* WRITE_FAILED where anything is missing for good, with what and how much. NULL: OK. */
res2net_status r2n_records_close(r2n_records *records, res2net_report *report);

/* A free line: "ppcls INFO: " is put before it, as PaddleClas does. */
void r2n_records_say(r2n_records *records, const char *format, ...) RES2NET_PRINTF(2, 3);
/* The same with "ppcls WARNING: ". */
void r2n_records_warn(r2n_records *records, const char *format, ...) RES2NET_PRINTF(2, 3);

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

/* PaddleClas' line of an evaluation's batch; call for every batch, as above. */
typedef struct r2n_evaluation_record {
    int64_t epoch, iteration, iterations; /* iterations of the evaluation */
    double loss;                          /* of this batch */
    double top1, top5;                    /* 0 to 1, since the evaluation's start */
    double batch_seconds, reader_seconds;
    int64_t images;
} r2n_evaluation_record;
void r2n_records_evaluation(r2n_records *records, const r2n_evaluation_record *record);

typedef struct r2n_epoch_record {
    int64_t epoch, step; /* step: optimiser steps so far */
    double rate, train_loss;
    int evaluated;
    double eval_loss, eval_top1, eval_top5; /* 0 to 1 */
    double average_top1, best_average_top1; /* EMA's, or average_top1 = -1 */
    double images_per_second, seconds;
    double best_top1;
    int64_t skipped_steps, left_out; /* so far */
} r2n_epoch_record;
/* The epoch's log lines, a row of results.csv, events, and the page anew. OUT_OF_MEMORY; files that
 * cannot be written are notices in the report, and the status is then OK. */
res2net_status r2n_records_epoch(r2n_records *records, const r2n_epoch_record *record,
                                 res2net_report *report);

#endif
