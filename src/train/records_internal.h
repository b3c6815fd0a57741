/* SPDX-License-Identifier: Apache-2.0 */
/* What records.c, records_text.c, records_results.c, records_page.c and records_curves.c share. */
#ifndef R2N_TRAIN_RECORDS_INTERNAL_H
#define R2N_TRAIN_RECORDS_INTERNAL_H

#include "formats/json_writer.h"
#include "train/records.h"

/* ---- numbers, the same in every locale; not finite: "nan", "inf", "-inf" -------------------- */

void r2n_put_fixed(r2n_text *text, double number, int digits);   /* "%.*f" */
void r2n_put_general(r2n_text *text, double number, int digits); /* "%.*g" */
/* The fewest digits that read back to the same number, as Python prints a float of 0 to 1. */
void r2n_put_shortest(r2n_text *text, double number);
/* "1:02:03", "2 days, 1:02:03": as Python prints a timedelta of whole seconds. */
void r2n_put_duration(r2n_text *text, double seconds);

/* ---- the epochs of a run, those before a resume too ----------------------------------------- */

/* Of an epoch that was read from results.csv, what that file does not tell is 0, and average_top1
 * is -1. */
typedef struct r2n_history {
    r2n_epoch_record *rows;
    size_t count, capacity;
} r2n_history;

/* 0: no memory. */
int r2n_history_add(r2n_history *history, const r2n_epoch_record *record);
/* The row with the best top-1, the first of equals; -1 where none was evaluated. */
int64_t r2n_history_best(const r2n_history *history);

/* ---- results.csv ---------------------------------------------------------------------------- */

/* A new run: the file with its header alone, in place of an older one. A resumed run: whole rows up
 * to `epoch` are kept and added to the history, `left_out` counts the other lines. DAMAGED where
 * the file's first line is not the header: it is somebody else's, and nothing is changed. */
res2net_status r2n_results_begin(const char *path, int resumed, int64_t epoch, r2n_history *history,
                                 int64_t *left_out, res2net_report *report);
/* Appends the rows from *written on in one write, and counts them; all rows where the file was
 * taken away. */
res2net_status r2n_results_append(const char *path, const r2n_history *history, size_t *written,
                                  res2net_report *report);

/* ---- report.html ---------------------------------------------------------------------------- */

res2net_status r2n_page_write(const char *path, const char *title, int64_t epochs,
                              const r2n_history *history, res2net_report *report);
/* One figure with its curves; see records_curves.c. */
typedef struct r2n_curve {
    const char *name;
    double (*value)(const r2n_epoch_record *row); /* NAN: none in this epoch */
} r2n_curve;
typedef struct r2n_figure {
    const char *title;
    const r2n_curve *curves;
    int count;
    int from_zero;    /* the axis starts at 0 */
    const char *unit; /* after a value, " %" or "" */
} r2n_figure;
/* At most R2N_CURVES_LIMIT curves; titles, names and units are put as they are: no markup in them.
 */
enum { R2N_CURVES_LIMIT = 3 };
void r2n_put_figure(r2n_text *page, const r2n_figure *figure, const r2n_history *history);

#endif
