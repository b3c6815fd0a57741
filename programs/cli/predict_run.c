/* SPDX-License-Identifier: Apache-2.0 */
#include "predict_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "dump.h"
#include "exit_status.h"
#include "look_ahead.h"
#include "platform.h"
#include "print_results.h"
#include "progress.h"

/* Inputs whose results are not printed yet: pictures of one size, and skipped ones among them. */
typedef struct pending {
    prediction *entries;
    size_t count, room;
    float *input; /* [pictures][3][height][width] */
    size_t input_floats;
    float *logits; /* [batch][classes] */
    int32_t pictures, height, width;
} pending;

typedef struct run_state {
    const predict_settings *settings;
    res2net_session *session;
    result_stream results;
    pending pending;
    dump dump_input, dump_logits;
    look_ahead ahead;
    progress progress;
    int64_t answered; /* inputs whose results are printed, skipped ones too */
    int64_t skipped;
    res2net_report *report;
} run_state;

static void forget_pending(pending *pending)
{
    for (size_t i = 0; i < pending->count; i++) {
        free((char *)pending->entries[i].file);
        free((char *)pending->entries[i].error);
    }
    pending->count = 0;
    pending->pictures = 0;
}

/* Prints the report's problems and forgets them. */
static void tell_problems(res2net_report *report)
{
    print_problems(report);
    res2net_report_clear(report);
}

/* Runs what is pending and prints it. */
static int flush(run_state *run)
{
    pending *pending = &run->pending;
    const int32_t classes = run->results.classes;
    if (pending->pictures > 0) {
        const res2net_status status =
            res2net_session_run(run->session, pending->input, pending->pictures, pending->height,
                                pending->width, pending->logits, run->report);
        if (status != RES2NET_OK) {
            const prediction *first = &pending->entries[0];
            say("%s%s: cannot be run", first->file,
                pending->count > 1 ? " and those after it" : "");
            tell_problems(run->report);
            forget_pending(pending);
            return EXIT_FAILED;
        }
        dump_add_logits(&run->dump_logits, pending->logits, pending->pictures, classes);
    }
    int32_t picture = 0;
    for (size_t i = 0; i < pending->count; i++)
        if (pending->entries[i].error == NULL)
            pending->entries[i].logits = pending->logits + (int64_t)picture++ * classes;
    results_print(&run->results, pending->entries, pending->count);
    run->answered += (int64_t)pending->count;
    forget_pending(pending);
    return EXIT_DONE;
}

/* After a flush: whether anyone still wants results. */
static int reader_gone(const run_state *run)
{
    return !output_flush() && run->dump_input.path == NULL && run->dump_logits.path == NULL;
}

static int add_skipped(run_state *run, const char *file, const char *error)
{
    pending *pending = &run->pending;
    if (pending->count == pending->room && flush(run) != EXIT_DONE)
        return EXIT_FAILED;
    pending->entries[pending->count++] =
        (prediction){.file = platform_copy_text(file), .error = platform_copy_text(error)};
    run->skipped++;
    return pending->pictures == 0 ? flush(run) : EXIT_DONE;
}

static int add_picture(run_state *run, const char *file, const float *picture, int32_t height,
                       int32_t width)
{
    pending *pending = &run->pending;
    const size_t floats = 3 * (size_t)height * (size_t)width;
    const size_t needed = floats * (size_t)run->settings->batch;
    const int other_size =
        pending->pictures > 0 && (pending->height != height || pending->width != width);
    if ((other_size || pending->count == pending->room) && flush(run) != EXIT_DONE)
        return EXIT_FAILED;
    if (!dump_add_picture(&run->dump_input, picture, height, width)) {
        say("%s: its tensor is 3x%d x%d, the first one's is 3x%d x%d: --dump-input needs one size "
            "(give --crop)",
            file, height, width, (int)run->dump_input.shape[2], (int)run->dump_input.shape[3]);
        return EXIT_FAILED;
    }
    if (needed > pending->input_floats) {
        free(pending->input);
        pending->input = platform_allocate(needed, sizeof(float));
        pending->input_floats = needed;
    }
    memcpy(pending->input + (size_t)pending->pictures * floats, picture, floats * sizeof(float));
    pending->height = height;
    pending->width = width;
    pending->pictures++;
    pending->entries[pending->count++] = (prediction){.file = platform_copy_text(file)};
    return pending->pictures == run->settings->batch ? flush(run) : EXIT_DONE;
}

/* What is the picture's own fault can be skipped; wrong options and lack of memory cannot. */
static int is_bad_picture(res2net_status status)
{
    return status != RES2NET_INVALID_ARGUMENT && status != RES2NET_OUT_OF_MEMORY &&
           status != RES2NET_INTERRUPTED && status != RES2NET_INTERNAL;
}

static int take_input(run_state *run, const inputs *all, size_t index)
{
    const input *input = &all->items[index];
    char error[1024];
    int result;
    if (input->error != NULL) {
        if (!input->told)
            say("%s: %s", input->path, input->error);
        return run->settings->skip_bad ? add_skipped(run, input->path, input->error) : EXIT_FAILED;
    }
    res2net_prepared *picture = look_ahead_take(&run->ahead, index);
    const res2net_tensor *tensor = &picture->tensor;
    if (picture->status == RES2NET_OK && platform_interrupted()) {
        result = EXIT_INTERRUPTED;
    } else if (picture->status == RES2NET_OK) {
        tell_problems(picture->report); /* that it was cut off and tolerated */
        result = add_picture(run, input->path, tensor->data, tensor->height, tensor->width);
    } else {
        first_problem(picture->report, error, sizeof error);
        tell_problems(picture->report);
        if (!is_bad_picture(picture->status))
            result = exit_status_of(picture->status);
        else
            result = run->settings->skip_bad ? add_skipped(run, input->path, error) : EXIT_FAILED;
    }
    res2net_tensor_free(&picture->tensor);
    return result;
}

/* Whatever ends the run, pictures that were read before it get their answers. */
static int finish(run_state *run, int result)
{
    const int flushed = flush(run);
    return result != EXIT_DONE ? result : flushed;
}

static int take_all_inputs(run_state *run, const inputs *all)
{
    const int show = all->count > 1 && !platform_is_terminal(stdout);
    int result = EXIT_DONE;
    for (size_t i = 0; i < all->count && result == EXIT_DONE; i++) {
        result = platform_interrupted() ? EXIT_INTERRUPTED : take_input(run, all, i);
        if (run->pending.count == 0 && reader_gone(run))
            break;
        if (show)
            progress_show(&run->progress, (int64_t)i + 1, (int64_t)all->count);
    }
    return finish(run, result);
}

/* Pictures of a ready tensor are called "FILE[0]", "FILE[1]", ... */
static int take_npy(run_state *run, const char *path)
{
    res2net_tensor tensor;
    const res2net_status status = res2net_tensor_read_npy(path, &tensor, run->report);
    int result = EXIT_DONE;
    if (status != RES2NET_OK) {
        tell_problems(run->report);
        return EXIT_FAILED;
    }
    const size_t bytes = strlen(path) + 16;
    const size_t floats = 3 * (size_t)tensor.height * (size_t)tensor.width;
    char *name = platform_allocate(bytes, 1);
    for (int32_t i = 0; i < tensor.batch && result == EXIT_DONE; i++) {
        snprintf(name, bytes, "%s[%d]", path, i);
        result = platform_interrupted() ? EXIT_INTERRUPTED
                                        : add_picture(run, name, tensor.data + (size_t)i * floats,
                                                      tensor.height, tensor.width);
        if (run->pending.count == 0 && reader_gone(run))
            break;
    }
    result = finish(run, result);
    free(name);
    res2net_tensor_free(&tensor);
    return result;
}

int predict_run(const predict_settings *settings, const res2net_model *model,
                res2net_session *session, const inputs *all)
{
    run_state run = {.settings = settings,
                     .session = session,
                     .dump_input = dump_begin(settings->dump_input),
                     .dump_logits = dump_begin(settings->dump_logits),
                     .progress = progress_begin("predict"),
                     .report = res2net_report_create()};
    results_open(&run.results, settings->format, model, settings->topk);
    run.pending.room = 4 * (size_t)settings->batch;
    run.pending.entries = platform_allocate(run.pending.room, sizeof *run.pending.entries);
    run.pending.logits = platform_allocate((size_t)settings->batch * (size_t)run.results.classes,
                                           sizeof *run.pending.logits);
    run.ahead = look_ahead_begin(all, session, settings->batch, settings->threads);
    int result = settings->input_npy != NULL ? take_npy(&run, settings->input_npy)
                                             : take_all_inputs(&run, all);
    progress_clear(&run.progress);
    results_close(&run.results, result == EXIT_DONE);
    if (result == EXIT_DONE)
        result = dump_write(&run.dump_input);
    if (result == EXIT_DONE)
        result = dump_write(&run.dump_logits);
    if (result == EXIT_INTERRUPTED)
        say("predict: interrupted; answers of %lld inputs are complete", (long long)run.answered);
    if (run.skipped > 0)
        say("predict: %lld of %zu inputs skipped", (long long)run.skipped, all->count);
    if (result == EXIT_DONE && run.skipped > 0)
        result = EXIT_SKIPPED;
    look_ahead_free(&run.ahead);
    forget_pending(&run.pending);
    free(run.pending.entries);
    free(run.pending.input);
    free(run.pending.logits);
    dump_free(&run.dump_input);
    dump_free(&run.dump_logits);
    res2net_report_destroy(run.report);
    return result;
}
