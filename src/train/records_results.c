/* SPDX-License-Identifier: Apache-2.0 */
/* results.csv: a row an epoch. spec: shared/CLI.md (train). */
#define _GNU_SOURCE /* newlocale, strtod_l: numbers must not depend on the host's locale */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"
#include "train/records_internal.h"

static const char header[] =
    "epoch,step,lr,train_loss,eval_loss,eval_top1,eval_top5,images_per_second,seconds";

enum {
    EPOCH,
    STEP,
    RATE,
    TRAIN_LOSS,
    EVAL_LOSS,
    EVAL_TOP1,
    EVAL_TOP5,
    IMAGES_PER_SECOND,
    SECONDS,
    CELLS
};
enum { ROW_BYTES_LIMIT = 512, FILE_BYTES_LIMIT = 256 << 20 };

/* ---- rows that are there -------------------------------------------------------------------- */

/* A cell as a number; 0 where it is none. An empty cell is NAN. */
static int read_cell(const char *cell, locale_t locale, double *number)
{
    char *end;
    *number = NAN;
    if (*cell == '\0')
        return 1;
    *number = strtod_l(cell, &end, locale);
    return *end == '\0';
}

/* One line without its end. 0: it is no whole row. */
static int read_row(const char *line, size_t size, locale_t locale, r2n_epoch_record *row)
{
    char copy[ROW_BYTES_LIMIT];
    double numbers[CELLS];
    int cells = 0;
    if (size >= sizeof copy || memchr(line, '\0', size) != NULL)
        return 0;
    memcpy(copy, line, size);
    copy[size] = '\0';
    for (char *at = copy; at != NULL;) {
        char *comma = strchr(at, ',');
        if (comma != NULL)
            *comma = '\0';
        if (cells == CELLS || !read_cell(at, locale, &numbers[cells++]))
            return 0;
        at = comma == NULL ? NULL : comma + 1;
    }
    const double most = 1e15; /* whole numbers in a double */
    if (cells != CELLS || !(numbers[EPOCH] >= 1 && numbers[EPOCH] < most) ||
        !(numbers[STEP] >= 0 && numbers[STEP] < most))
        return 0;
    *row = (r2n_epoch_record){.epoch = (int64_t)numbers[EPOCH],
                              .step = (int64_t)numbers[STEP],
                              .rate = numbers[RATE],
                              .train_loss = numbers[TRAIN_LOSS],
                              .evaluated = !isnan(numbers[EVAL_TOP1]),
                              .eval_loss = numbers[EVAL_LOSS],
                              .eval_top1 = numbers[EVAL_TOP1],
                              .eval_top5 = numbers[EVAL_TOP5],
                              .average_top1 = -1,
                              .images_per_second = numbers[IMAGES_PER_SECOND],
                              .seconds = numbers[SECONDS]};
    return 1;
}

/* The next line without its end; *whole: it has one. Gives what is behind it. */
static const char *next_line(const char *at, const char *end, size_t *size, int *whole)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *whole = stop != NULL;
    const char *line_end = *whole ? stop : end;
    *size = (size_t)(line_end - at);
    if (*size > 0 && line_end[-1] == '\r') /* a spreadsheet saved it */
        --*size;
    return *whole ? stop + 1 : end;
}

/* Rows up to `epoch` into the text and the history. 0: no memory. */
static int keep_rows(const char *at, const char *end, int64_t epoch, locale_t locale,
                     r2n_text *kept, r2n_history *history, int64_t *left_out)
{
    int64_t last = 0;
    while (at < end) {
        r2n_epoch_record row;
        size_t size;
        int whole;
        const char *line = at;
        at = next_line(at, end, &size, &whole);
        if (!whole || !read_row(line, size, locale, &row) || row.epoch <= last ||
            row.epoch > epoch) {
            ++*left_out;
            continue;
        }
        last = row.epoch;
        r2n_text_put_bytes(kept, line, size);
        r2n_text_put(kept, "\n");
        if (!r2n_history_add(history, &row))
            return 0;
    }
    return !kept->failed;
}

static res2net_status no_memory(const char *path, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory for the rows");
}

static res2net_status read_rows(const char *path, const r2n_file_bytes *file, int64_t epoch,
                                r2n_text *kept, r2n_history *history, int64_t *left_out,
                                res2net_report *report)
{
    const char *at = (const char *)file->data, *end = at + file->size;
    size_t size;
    int whole;
    const char *rows = next_line(at, end, &size, &whole);
    if (size != sizeof header - 1 || memcmp(at, header, size) != 0)
        return r2n_fail_line(report, RES2NET_DAMAGED, path, 1,
                             "expected the header \"%s\": this is no file of a run; move it away",
                             header);
    const locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (locale == (locale_t)0)
        return no_memory(path, report);
    const int kept_all = keep_rows(rows, end, epoch, locale, kept, history, left_out);
    freelocale(locale);
    return kept_all ? RES2NET_OK : no_memory(path, report);
}

res2net_status r2n_results_begin(const char *path, int resumed, int64_t epoch, r2n_history *history,
                                 int64_t *left_out, res2net_report *report)
{
    r2n_text text = {0};
    r2n_file_bytes file = {0};
    r2n_file_writer *writer = NULL;
    res2net_status status = RES2NET_OK;
    *left_out = 0;
    r2n_text_put(&text, header);
    r2n_text_put(&text, "\n");
    if (resumed && r2n_os_exists(path))
        status = r2n_file_read(path, FILE_BYTES_LIMIT, &file, report);
    if (status == RES2NET_OK && file.size > 0)
        status = read_rows(path, &file, epoch, &text, history, left_out, report);
    r2n_file_release(&file);
    if (status == RES2NET_OK && text.failed)
        status = no_memory(path, report);
    if (status == RES2NET_OK)
        status = r2n_writer_open(path, &writer, report);
    if (status == RES2NET_OK) {
        r2n_writer_put(writer, text.data, text.size);
        status = r2n_writer_close(writer, report);
    }
    r2n_free(text.data);
    return status;
}

/* ---- new rows ------------------------------------------------------------------------------- */

static void put_row(r2n_text *text, const r2n_epoch_record *row)
{
    enum { DIGITS = 9 };
    r2n_json_put_integer(text, row->epoch);
    r2n_text_put(text, ",");
    r2n_json_put_integer(text, row->step);
    const double numbers[] = {row->rate, row->train_loss};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        r2n_text_put(text, ",");
        r2n_put_general(text, numbers[i], DIGITS);
    }
    const double evaluation[] = {row->eval_loss, row->eval_top1, row->eval_top5};
    for (size_t i = 0; i < sizeof evaluation / sizeof *evaluation; i++) {
        r2n_text_put(text, ",");
        if (row->evaluated)
            r2n_put_general(text, evaluation[i], DIGITS);
    }
    r2n_text_put(text, ",");
    r2n_put_fixed(text, row->images_per_second, 2);
    r2n_text_put(text, ",");
    r2n_put_fixed(text, row->seconds, 3);
    r2n_text_put(text, "\n");
}

res2net_status r2n_results_append(const char *path, const r2n_history *history, size_t *written,
                                  res2net_report *report)
{
    r2n_text text = {0};
    r2n_appender *file;
    if (!r2n_os_exists(path)) {
        *written = 0;
        r2n_text_put(&text, header);
        r2n_text_put(&text, "\n");
    }
    for (size_t i = *written; i < history->count; i++)
        put_row(&text, &history->rows[i]);
    res2net_status status = text.failed ? no_memory(path, report) : RES2NET_OK;
    if (status == RES2NET_OK && text.size > 0)
        status = r2n_appender_open(path, 1, &file, report);
    if (status == RES2NET_OK && text.size > 0) {
        status = r2n_appender_put(file, text.data, text.size, report);
        if (status == RES2NET_OK)
            *written = history->count;
        const res2net_status closed = r2n_appender_close(file, report);
        status = status == RES2NET_OK ? closed : status;
    }
    r2n_free(text.data);
    return status;
}
