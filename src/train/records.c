/* SPDX-License-Identifier: Apache-2.0 */
/* The run's records: opening, closing, log lines, events. Rows and the page are in
 * records_results.c and records_page.c. */
#include "train/records.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "formats/event_log.h"
#include "train/records_internal.h"

/* A file that grows during the run. */
typedef struct output {
    const char *name; /* for notices */
    r2n_appender *file;
    int64_t lost; /* records that could not be written, so far */
    int failing;  /* the last one could not */
} output;

/* A file that is caught up with later. */
typedef struct document {
    char *path;
    const char *name;
    int failing;
} document;

struct r2n_records {
    char *title, *schedule_class, *loss_name;
    int64_t epochs, iterations;
    int32_t print_step;
    void (*line)(void *context, const char *text);
    void *context;
    output log, visualdl, tensorboard; /* file NULL: not asked for */
    document results, page;
    r2n_history history;
    size_t rows_written;
    int64_t skipped_told, left_out_told;
    res2net_report *notices; /* failures since the last epoch */
};

/* ---- lines ---------------------------------------------------------------------------------- */

static void append(r2n_records *records, output *to, const r2n_text *text);

static void begin_line(r2n_text *line, const char *level)
{
    char time[R2N_LOCAL_TIME_BYTES];
    r2n_local_time((int64_t)r2n_wall_seconds(), time);
    r2n_text_put(line, "[");
    r2n_text_put(line, time);
    r2n_text_put(line, "] ppcls ");
    r2n_text_put(line, level);
    r2n_text_put(line, ": ");
}

/* Shows the line and appends it to train.log; `line` is given back. */
static void end_line(r2n_records *records, r2n_text *line)
{
    if (records->line != NULL)
        records->line(records->context,
                      line->failed ? "no memory for a line of train.log" : line->data);
    r2n_text_put(line, "\n");
    append(records, &records->log, line);
    r2n_free(line->data);
    *line = (r2n_text){0};
}

/* Appends a formatted piece. */
static void put_arguments(r2n_text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int bytes = vsnprintf(NULL, 0, format, arguments);
    char *piece = bytes < 0 ? NULL : r2n_allocate((size_t)bytes + 1, 1);
    if (piece == NULL)
        text->failed = 1;
    else
        vsnprintf(piece, (size_t)bytes + 1, format, again);
    va_end(again);
    if (piece != NULL)
        r2n_text_put(text, piece);
    r2n_free(piece);
}

/* Integers and strings; numbers with a point have functions of their own. */
static void put_format(r2n_text *text, const char *format, ...) RES2NET_PRINTF(2, 3);
static void put_format(r2n_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_arguments(text, format, arguments);
    va_end(arguments);
}

void r2n_records_say(r2n_records *records, const char *format, ...)
{
    va_list arguments;
    r2n_text line = {0};
    begin_line(&line, "INFO");
    va_start(arguments, format);
    put_arguments(&line, format, arguments);
    va_end(arguments);
    end_line(records, &line);
}

void r2n_records_warn(r2n_records *records, const char *format, ...)
{
    va_list arguments;
    r2n_text line = {0};
    begin_line(&line, "WARNING");
    va_start(arguments, format);
    put_arguments(&line, format, arguments);
    va_end(arguments);
    end_line(records, &line);
}

/* ---- what cannot be written ----------------------------------------------------------------- */

/* The first failure of a file is told, and kept for the epoch's report. */
static void tell_failure(r2n_records *records, const char *name, const res2net_report *why)
{
    const char *text = res2net_report_count(why) > 0 ? res2net_report_problem(why, 0)->text
                                                     : "no memory to say why";
    r2n_report_copy(why, records->notices);
    r2n_records_warn(records, "%s: %s; the run goes on without", name, text);
}

/* One record; what fails is counted. Text that memory was short for is lost too. */
static void append(r2n_records *records, output *to, const r2n_text *text)
{
    if (to->file == NULL)
        return;
    res2net_report *why = res2net_report_create();
    const res2net_status status =
        text->failed ? r2n_fail(why, RES2NET_OUT_OF_MEMORY, to->name, -1, "no memory for a record")
                     : r2n_appender_put(to->file, text->data, text->size, why);
    const int failed_before = to->failing;
    to->failing = status != RES2NET_OK; /* set first: the notice below comes here again */
    if (to->failing)
        to->lost++;
    if (to->failing && !failed_before)
        tell_failure(records, to->name, why);
    if (!to->failing && failed_before)
        r2n_records_warn(records, "%s is written again; %" PRId64 " of its records are missing",
                         to->name, to->lost);
    res2net_report_destroy(why);
}

/* After an attempt to write a document. OUT_OF_MEMORY is passed on, other failures are told. */
static res2net_status note_document(r2n_records *records, document *of, res2net_status status,
                                    const res2net_report *why)
{
    const int failed_before = of->failing;
    of->failing = status != RES2NET_OK;
    if (of->failing && !failed_before)
        tell_failure(records, of->name, why);
    if (!of->failing && failed_before)
        r2n_records_warn(records, "%s is written again", of->name);
    return status == RES2NET_OUT_OF_MEMORY ? status : RES2NET_OK;
}

static res2net_status write_results(r2n_records *records)
{
    res2net_report *why = res2net_report_create();
    const res2net_status status = note_document(
        records, &records->results,
        r2n_results_append(records->results.path, &records->history, &records->rows_written, why),
        why);
    res2net_report_destroy(why);
    return status;
}

static res2net_status write_page(r2n_records *records)
{
    res2net_report *why = res2net_report_create();
    const res2net_status status = note_document(
        records, &records->page,
        r2n_page_write(records->page.path, records->title, records->epochs, &records->history, why),
        why);
    res2net_report_destroy(why);
    return status;
}

/* ---- events --------------------------------------------------------------------------------- */

typedef struct scalar {
    const char *tag;
    int64_t step;
    double value;
} scalar;

static void put_visualdl(r2n_text *text, double seconds, const scalar *scalars, int count)
{
    enum { MILLISECONDS = 1000 };
    for (int i = 0; i < count; i++)
        r2n_visualdl_put_scalar(text, (int64_t)(seconds * MILLISECONDS), scalars[i].tag,
                                scalars[i].step, scalars[i].value);
}

/* One write a file for all scalars of a moment. */
static void put_events(r2n_records *records, const scalar *scalars, int count)
{
    const double seconds = r2n_wall_seconds();
    r2n_text text = {0};
    if (records->visualdl.file == NULL)
        return;
    put_visualdl(&text, seconds, scalars, count);
    append(records, &records->visualdl, &text);
    text.size = 0;
    for (int i = 0; i < count; i++)
        r2n_tensorboard_put_scalar(&text, seconds, scalars[i].tag, scalars[i].step,
                                   scalars[i].value);
    append(records, &records->tensorboard, &text);
    r2n_free(text.data);
}

/* PaddleClas' tags first, then ours. */
static void put_epoch_events(r2n_records *records, const r2n_epoch_record *record)
{
    scalar scalars[6];
    int count = 0;
    if (record->evaluated) {
        scalars[count++] = (scalar){"eval_acc", record->epoch, record->eval_top1};
        if (record->average_top1 >= 0)
            scalars[count++] = (scalar){"eval_acc_ema", record->epoch, record->average_top1};
        scalars[count++] = (scalar){"eval_top5", record->epoch, record->eval_top5};
        scalars[count++] = (scalar){"eval_loss", record->epoch, record->eval_loss};
    }
    scalars[count++] = (scalar){"epoch_train_loss", record->epoch, record->train_loss};
    scalars[count++] =
        (scalar){"epoch_images_per_second", record->epoch, record->images_per_second};
    put_events(records, scalars, count);
}

static void put_iteration_events(r2n_records *records, const r2n_iteration_record *record)
{
    const int64_t step = (record->epoch - 1) * records->iterations + record->iteration + 1;
    r2n_text rate = {0}, loss = {0};
    put_format(&rate, "lr(%s)", records->schedule_class);
    put_format(&loss, "train_%s", records->loss_name);
    const scalar scalars[] = {
        {rate.failed ? "lr" : rate.data, step, record->logged_rate},
        {loss.failed ? "train_named_loss" : loss.data, step, record->average_loss},
        {"train_loss", step, record->average_loss},
        {"batch_loss", step, record->loss},
        {"batch_learning_rate", step, record->rate}};
    put_events(records, scalars, sizeof scalars / sizeof *scalars);
    r2n_free(rate.data);
    r2n_free(loss.data);
}

/* ---- the run -------------------------------------------------------------------------------- */

static void put_named(r2n_text *line, const char *name, double number)
{
    r2n_text_put(line, name);
    r2n_text_put(line, ": ");
    r2n_put_fixed(line, number, 5);
}

/* "CELoss: 1.00000, loss: 1.00000" */
static void put_losses(const r2n_records *records, r2n_text *line, double loss)
{
    put_named(line, records->loss_name, loss);
    put_named(line, ", loss", loss);
}

/* ", batch_cost: 0.10000s, reader_cost: 0.01000, ips: 320.00000 " */
static void put_times(r2n_text *line, double batch_seconds, double reader_seconds, int64_t images)
{
    put_named(line, ", batch_cost", batch_seconds);
    put_named(line, "s, reader_cost", reader_seconds);
    put_named(line, ", ips", batch_seconds > 0 ? (double)images / batch_seconds : 0);
}

void r2n_records_iteration(r2n_records *records, const r2n_iteration_record *record)
{
    r2n_text line = {0};
    if (record->iteration % records->print_step != 0)
        return;
    begin_line(&line, "INFO");
    put_format(&line,
               "[Train][Epoch %" PRId64 "/%" PRId64 "][Iter: %" PRId64 "/%" PRId64 "]lr(%s): ",
               record->epoch, records->epochs, record->iteration, records->iterations,
               records->schedule_class);
    r2n_put_fixed(&line, record->logged_rate, 8);
    r2n_text_put(&line, ", ");
    put_losses(records, &line, record->average_loss);
    put_times(&line, record->batch_seconds, record->reader_seconds, record->images);
    r2n_text_put(&line, " samples/s, eta: ");
    r2n_put_duration(&line, record->eta_seconds);
    end_line(records, &line);
    put_iteration_events(records, record);
}

void r2n_records_evaluation(r2n_records *records, const r2n_evaluation_record *record)
{
    r2n_text line = {0};
    if (record->iteration % records->print_step != 0)
        return;
    begin_line(&line, "INFO");
    put_format(&line, "[Eval][Epoch %" PRId64 "][Iter: %" PRId64 "/%" PRId64 "]", record->epoch,
               record->iteration, record->iterations);
    put_losses(records, &line, record->loss);
    put_named(&line, ", top1", record->top1);
    put_named(&line, ", top5", record->top5);
    put_times(&line, record->batch_seconds, record->reader_seconds, record->images);
    r2n_text_put(&line, " images/sec");
    end_line(records, &line);
}

static void say_evaluation(r2n_records *records, const r2n_epoch_record *record)
{
    r2n_text line = {0};
    begin_line(&line, "INFO");
    put_format(&line, "[Eval][Epoch %" PRId64 "][Avg]", record->epoch);
    put_losses(records, &line, record->eval_loss);
    put_named(&line, ", top1", record->eval_top1);
    put_named(&line, ", top5", record->eval_top5);
    end_line(records, &line);
    begin_line(&line, "INFO");
    put_format(&line, "[Eval][Epoch %" PRId64 "][best metric: ", record->epoch);
    r2n_put_shortest(&line, record->best_top1);
    r2n_text_put(&line, "]");
    end_line(records, &line);
    if (record->average_top1 < 0)
        return;
    const int better = record->best_average_top1 > record->average_top1;
    begin_line(&line, "INFO");
    put_format(&line, "[Eval][Epoch %" PRId64 "][best metric ema: ", record->epoch);
    r2n_put_shortest(&line, better ? record->best_average_top1 : record->average_top1);
    r2n_text_put(&line, "]");
    end_line(records, &line);
}

static void say_epoch(r2n_records *records, const r2n_epoch_record *record)
{
    r2n_text line = {0};
    begin_line(&line, "INFO");
    put_format(&line, "[Train][Epoch %" PRId64 "/%" PRId64 "][Avg]", record->epoch,
               records->epochs);
    put_losses(records, &line, record->train_loss);
    end_line(records, &line);
    if (record->evaluated)
        say_evaluation(records, record);
    if (record->skipped_steps > records->skipped_told)
        r2n_records_warn(records,
                         "steps with numbers that are not finite, skipped so far: %" PRId64,
                         record->skipped_steps);
    if (record->left_out > records->left_out_told)
        r2n_records_warn(records, "pictures that could not be read, left out so far: %" PRId64,
                         record->left_out);
    records->skipped_told = record->skipped_steps;
    records->left_out_told = record->left_out;
}

res2net_status r2n_records_epoch(r2n_records *records, const r2n_epoch_record *record,
                                 res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    say_epoch(records, record);
    put_epoch_events(records, record);
    if (!r2n_history_add(&records->history, record))
        status = r2n_fail(records->notices, RES2NET_OUT_OF_MEMORY, records->results.path, -1,
                          "no memory for an epoch's row");
    if (status == RES2NET_OK)
        status = write_results(records);
    if (status == RES2NET_OK)
        status = write_page(records);
    r2n_report_copy(records->notices, report);
    res2net_report_clear(records->notices);
    return status;
}

/* ---- opening and closing -------------------------------------------------------------------- */

/* "folder/name"; NULL: no memory. */
static char *join(const char *folder, const char *name)
{
    r2n_text path = {0};
    put_format(&path, "%s/%s", folder, name);
    if (!path.failed)
        return path.data;
    r2n_free(path.data);
    return NULL;
}

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the run's records");
}

static res2net_status open_output(output *out, const char *folder, const char *file, int lines,
                                  const r2n_text *start, res2net_report *report)
{
    char *path = join(folder, file);
    if (path == NULL || start->failed) {
        r2n_free(path);
        return no_memory(report);
    }
    res2net_status status = r2n_appender_open(path, lines, &out->file, report);
    if (status == RES2NET_OK && start->size > 0)
        status = r2n_appender_put(out->file, start->data, start->size, report);
    r2n_free(path);
    return status;
}

/* VisualDL shows the newest file of a folder alone: a resumed run's tells what went before. */
static void put_earlier_epochs(const r2n_records *records, double seconds, r2n_text *text)
{
    for (size_t i = 0; i < records->history.count; i++) {
        const r2n_epoch_record *row = &records->history.rows[i];
        const scalar scalars[] = {{"epoch_train_loss", row->epoch, row->train_loss},
                                  {"eval_acc", row->epoch, row->eval_top1},
                                  {"eval_top5", row->epoch, row->eval_top5},
                                  {"eval_loss", row->epoch, row->eval_loss}};
        put_visualdl(text, seconds, scalars, row->evaluated ? 4 : 1);
    }
}

/* The first second from `wall_time` on that no file of the folder is called after. */
static res2net_status name_event_files(const char *folder, int64_t wall_time, char visualdl[64],
                                       char tensorboard[64], res2net_report *report)
{
    for (int taken = 1; taken; wall_time++) {
        snprintf(visualdl, 64, "vdlrecords.%010" PRId64 ".log", wall_time);
        snprintf(tensorboard, 64, "events.out.tfevents.%010" PRId64 ".res2net", wall_time);
        char *first = join(folder, visualdl), *second = join(folder, tensorboard);
        const int named = first != NULL && second != NULL;
        taken = named && (r2n_os_exists(first) || r2n_os_exists(second));
        r2n_free(first);
        r2n_free(second);
        if (!named)
            return no_memory(report);
    }
    return RES2NET_OK;
}

static res2net_status open_events(r2n_records *records, const r2n_records_options *options,
                                  res2net_report *report)
{
    char visualdl[64], tensorboard[64];
    const double seconds = r2n_wall_seconds();
    r2n_text start = {0};
    res2net_status status = r2n_os_make_directories(options->events, report);
    if (status == RES2NET_OK)
        status = name_event_files(options->events,
                                  options->wall_time > 0 ? options->wall_time : (int64_t)seconds,
                                  visualdl, tensorboard, report);
    r2n_visualdl_put_start(&start, (int64_t)(seconds * 1000));
    put_earlier_epochs(records, seconds, &start);
    if (status == RES2NET_OK)
        status = open_output(&records->visualdl, options->events, visualdl, 0, &start, report);
    start.size = 0;
    r2n_tensorboard_put_start(&start, seconds);
    if (status == RES2NET_OK)
        status =
            open_output(&records->tensorboard, options->events, tensorboard, 0, &start, report);
    r2n_free(start.data);
    return status;
}

static r2n_records *make(const r2n_records_options *options)
{
    r2n_records *records = r2n_allocate_zeroed(1, sizeof *records);
    if (records == NULL)
        return NULL;
    records->title = r2n_copy_string(options->title != NULL ? options->title : "Training");
    records->schedule_class = r2n_copy_string(options->schedule_class);
    records->loss_name = r2n_copy_string(options->loss_name);
    records->epochs = options->epochs;
    records->iterations = options->iterations;
    records->print_step = options->print_step > 0 ? options->print_step : 1;
    records->line = options->line;
    records->context = options->context;
    records->log.name = "train.log";
    records->visualdl.name = "VisualDL's event file";
    records->tensorboard.name = "TensorBoard's event file";
    records->results = (document){join(options->folder, "results.csv"), "results.csv", 0};
    records->page = (document){join(options->folder, "report.html"), "report.html", 0};
    records->notices = res2net_report_create();
    return records;
}

static int is_whole(const r2n_records *records)
{
    return records != NULL && records->title != NULL && records->schedule_class != NULL &&
           records->loss_name != NULL && records->results.path != NULL &&
           records->page.path != NULL && records->notices != NULL;
}

/* Closes what is open. */
static res2net_status destroy(r2n_records *records, res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    output *outputs[] = {&records->log, &records->visualdl, &records->tensorboard};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        const res2net_status closed = r2n_appender_close(outputs[i]->file, report);
        status = status == RES2NET_OK ? closed : status;
    }
    res2net_report_destroy(records->notices);
    r2n_free(records->history.rows);
    r2n_free(records->results.path);
    r2n_free(records->page.path);
    r2n_free(records->title);
    r2n_free(records->schedule_class);
    r2n_free(records->loss_name);
    r2n_free(records);
    return status;
}

res2net_status r2n_records_open(const r2n_records_options *options, r2n_records **out,
                                res2net_report *report)
{
    const r2n_text nothing = {0};
    int64_t left_out = 0;
    *out = NULL;
    r2n_records *records = make(options);
    res2net_status status =
        is_whole(records) ? r2n_os_make_directories(options->folder, report) : no_memory(report);
    if (status == RES2NET_OK)
        status = open_output(&records->log, options->folder, "train.log", 1, &nothing, report);
    if (status == RES2NET_OK)
        status = r2n_results_begin(records->results.path, options->resumed, options->epoch,
                                   &records->history, &left_out, report);
    if (status == RES2NET_OK && options->events != NULL)
        status = open_events(records, options, report);
    if (status != RES2NET_OK) {
        if (records != NULL)
            destroy(records, NULL);
        return status;
    }
    records->rows_written = records->history.count;
    if (left_out > 0)
        r2n_records_say(
            records, "results.csv: lines after epoch %" PRId64 " or not whole, left out: %" PRId64,
            options->epoch, left_out);
    *out = records;
    return RES2NET_OK;
}

res2net_status r2n_records_close(r2n_records *records, res2net_report *report)
{
    if (records == NULL)
        return RES2NET_OK;
    res2net_status status = RES2NET_OK;
    if (records->results.failing)
        write_results(records);
    if (records->page.failing)
        write_page(records);
    const document *documents[] = {&records->results, &records->page};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        if (documents[i]->failing)
            status = r2n_fail(report, RES2NET_WRITE_FAILED, documents[i]->path, -1,
                              "the last epochs could not be written");
    const output *outputs[] = {&records->log, &records->visualdl, &records->tensorboard};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (outputs[i]->lost > 0)
            status = r2n_fail(report, RES2NET_WRITE_FAILED, outputs[i]->name, -1,
                              "%" PRId64 " records could not be written and are missing",
                              outputs[i]->lost);
    const res2net_status closed = destroy(records, report);
    return status == RES2NET_OK ? closed : status;
}
