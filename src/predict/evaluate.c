/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation: items of a set are decoded a batch at a time by all threads, then pictures of equal
 * size run together, in the list's order.
 */
#include "res2net/evaluate.h"

#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "predict/evaluation_figures.h"
#include "predict/session.h"
#include "predict/worst_pictures.h"

enum {
    DEFAULT_BATCH = 32,
    MAXIMUM_BATCH = 1024,
    MAXIMUM_CONFUSION = 4096 /* classes: 128 MiB of matrix */
};

typedef struct slot {
    res2net_tensor tensor;
    res2net_status status;
    res2net_report *report; /* of this picture: threads do not share one */
} slot;

typedef struct evaluation {
    res2net_session *session;
    const r2n_dataset *dataset;
    const res2net_evaluate_options *options;
    int32_t batch;
    slot *slots;  /* [batch] */
    float *input; /* the pictures that run together */
    size_t input_floats;
    float *logits;  /* [batch][classes] */
    size_t first;   /* item of slot 0 */
    int32_t loaded; /* slots in use */
    double loss_sum;
    int64_t loss_count;
    int32_t worst_room; /* of out->worst */
    res2net_evaluation *out;
    res2net_report *report;
} evaluation;

/* ---- loading ---- */

static void load_slot(void *context, size_t index)
{
    const evaluation *e = context;
    const r2n_item *item = &e->dataset->items[e->first + index];
    slot *s = &e->slots[index];
    if (item->absent) { /* told before the run */
        s->status = RES2NET_NOT_FOUND;
        return;
    }
    if (item->path != NULL) {
        s->status = res2net_session_prepare_file(e->session, item->path, &s->tensor, s->report);
        return;
    }
    s->status = r2n_session_prepare_record(e->session, e->dataset, e->first + index,
                                           "<CIFAR record>", &s->tensor, s->report);
}

static void release_slots(evaluation *e)
{
    for (int32_t i = 0; i < e->loaded; i++) {
        res2net_tensor_free(&e->slots[i].tensor);
        res2net_report_clear(e->slots[i].report);
    }
    e->loaded = 0;
}

/* Loads the next items; the problems of bad ones go to the caller's report, in order. */
static res2net_status load_batch(evaluation *e, size_t first)
{
    const size_t left = e->dataset->count - first;
    e->first = first;
    e->loaded = left < (size_t)e->batch ? (int32_t)left : e->batch;
    r2n_thread_pool_each(e->session->threads, (size_t)e->loaded, load_slot, e);
    for (int32_t i = 0; i < e->loaded; i++) {
        const slot *s = &e->slots[i];
        r2n_report_copy(s->report, e->report); /* a picture that was taken may have a warning */
        if (s->status == RES2NET_OK)
            continue;
        if (e->options->on_bad_image == RES2NET_BAD_IMAGE_STOP ||
            s->status == RES2NET_OUT_OF_MEMORY || s->status == RES2NET_INTERRUPTED)
            return s->status;
    }
    return RES2NET_OK;
}

/* ---- counting ---- */

static void count_bad(evaluation *e, int32_t label)
{
    e->out->skipped++;
    if (e->options->on_bad_image == RES2NET_BAD_IMAGE_WRONG) {
        e->out->images++;
        e->out->per_class[label].images++;
    }
}

static void count_answer(evaluation *e, size_t item, const float *logits)
{
    const int32_t label = e->dataset->items[item].label;
    const r2n_answer answer = r2n_answer_of(logits, e->out->classes, label);
    r2n_figures_count(e->out, label, &answer);
    const res2net_worst_picture picture = {.item = (int64_t)item,
                                           .label = label,
                                           .answer = answer.answer,
                                           .loss = answer.loss,
                                           .confidence = answer.confidence,
                                           .label_confidence = answer.label_confidence};
    r2n_worst_offer(e->out->worst, &e->out->worst_count, e->worst_room, &picture);
    e->loss_sum += answer.loss;
    e->loss_count++;
}

/* ---- running ---- */

static int same_size(const res2net_tensor *a, const res2net_tensor *b)
{
    return a->height == b->height && a->width == b->width;
}

/* Runs slots [first, last), all good and of one size. */
static res2net_status run_group(evaluation *e, int32_t first, int32_t last)
{
    const res2net_tensor *shape = &e->slots[first].tensor;
    const size_t floats = 3 * (size_t)shape->height * (size_t)shape->width;
    const size_t needed = floats * (size_t)(last - first);
    if (needed > e->input_floats) {
        r2n_free(e->input);
        e->input_floats = 0;
        e->input = r2n_allocate(needed, sizeof(float));
        if (e->input == NULL)
            return r2n_fail(e->report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                            "no memory for a batch of pictures");
        e->input_floats = needed;
    }
    for (int32_t i = first; i < last; i++)
        memcpy(e->input + (size_t)(i - first) * floats, e->slots[i].tensor.data,
               floats * sizeof(float));
    const res2net_status status = res2net_session_run(
        e->session, e->input, last - first, shape->height, shape->width, e->logits, e->report);
    for (int32_t i = first; status == RES2NET_OK && i < last; i++)
        count_answer(e, e->first + (size_t)i, e->logits + (int64_t)(i - first) * e->out->classes);
    return status;
}

static res2net_status run_batch(evaluation *e)
{
    for (int32_t i = 0; i < e->loaded;) {
        int32_t last = i + 1;
        if (e->slots[i].status != RES2NET_OK) {
            count_bad(e, e->dataset->items[e->first + (size_t)i].label);
            i = last;
            continue;
        }
        while (last < e->loaded && e->slots[last].status == RES2NET_OK &&
               same_size(&e->slots[i].tensor, &e->slots[last].tensor))
            last++;
        const res2net_status status = run_group(e, i, last);
        if (status != RES2NET_OK)
            return status;
        i = last;
    }
    return RES2NET_OK;
}

static res2net_status run_all(evaluation *e)
{
    const int64_t total = (int64_t)e->dataset->count;
    for (size_t first = 0; first < e->dataset->count; first += (size_t)e->batch) {
        res2net_status status = load_batch(e, first);
        const int64_t done = (int64_t)first + e->loaded;
        if (status == RES2NET_OK)
            status = run_batch(e);
        release_slots(e);
        if (status != RES2NET_OK)
            return status;
        if (e->options->progress != NULL &&
            e->options->progress(e->options->progress_context, done, total) != 0)
            return r2n_fail(e->report, RES2NET_INTERRUPTED, NULL, -1,
                            "stopped after %lld of %lld pictures", (long long)done,
                            (long long)total);
    }
    return RES2NET_OK;
}

static res2net_status allocate(evaluation *e)
{
    const size_t classes = (size_t)e->out->classes;
    int fine;
    e->out->per_class = r2n_allocate_zeroed(classes, sizeof *e->out->per_class);
    if (classes <= MAXIMUM_CONFUSION)
        e->out->confusion = r2n_allocate_zeroed(classes * classes, sizeof *e->out->confusion);
    e->out->worst = r2n_allocate_zeroed((size_t)e->worst_room, sizeof *e->out->worst);
    e->slots = r2n_allocate_zeroed((size_t)e->batch, sizeof *e->slots);
    e->logits = r2n_allocate((size_t)e->batch * classes, sizeof(float));
    fine = e->out->per_class != NULL &&
           (e->out->confusion != NULL || classes > MAXIMUM_CONFUSION) && e->out->worst != NULL &&
           e->slots != NULL && e->logits != NULL;
    for (int32_t i = 0; fine && i < e->batch; i++) {
        e->slots[i].report = res2net_report_create();
        fine = e->slots[i].report != NULL;
    }
    return fine ? RES2NET_OK
                : r2n_fail(e->report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                           "no memory for the evaluation");
}

static int32_t worst_room(const r2n_dataset *dataset, const res2net_evaluate_options *options)
{
    return dataset->count < (size_t)options->worst ? (int32_t)dataset->count : options->worst;
}

static void release(evaluation *e)
{
    for (int32_t i = 0; e->slots != NULL && i < e->batch; i++)
        res2net_report_destroy(e->slots[i].report);
    r2n_free(e->slots);
    r2n_free(e->input);
    r2n_free(e->logits);
}

/* The set, after telling what is wrong with it as a whole: absent files, contradictions. */
static res2net_status open_set(const res2net_model *model, const char *list,
                               const res2net_evaluate_options *options, r2n_dataset **dataset,
                               res2net_report *report)
{
    const r2n_dataset_options rules = {.root = options->root,
                                       .delimiter = options->delimiter,
                                       .classes = model->architecture.classes,
                                       .class_names = model->labels,
                                       .names_are_certain =
                                           model->weights->metadata.labels != NULL};
    r2n_repeats repeats;
    res2net_status status = r2n_dataset_open(list, &rules, dataset, report);
    if (status != RES2NET_OK)
        return status;
    const int64_t absent = r2n_dataset_find_absent(*dataset, list, report);
    if (absent > 0 && options->on_bad_image == RES2NET_BAD_IMAGE_STOP)
        status = RES2NET_NOT_FOUND;
    else
        status = r2n_dataset_find_repeats(*dataset, list, 1, &repeats, report);
    if (status != RES2NET_OK)
        r2n_dataset_destroy(*dataset);
    return status;
}

res2net_status res2net_evaluate(res2net_session *session, const char *list,
                                const res2net_evaluate_options *options, res2net_evaluation *out,
                                res2net_report *report)
{
    static const res2net_evaluate_options default_options = {0};
    r2n_dataset *dataset;
    if (options == NULL)
        options = &default_options;
    *out = (res2net_evaluation){.classes = session->model->architecture.classes};
    if (options->batch < 0 || options->batch > MAXIMUM_BATCH)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a batch has 1 to %d pictures, not %d", MAXIMUM_BATCH, options->batch);
    if (options->worst < 0 || options->worst > RES2NET_MAXIMUM_WORST)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "0 to %d of the worst pictures can be kept, not %d", RES2NET_MAXIMUM_WORST,
                        options->worst);
    res2net_status status = open_set(session->model, list, options, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    evaluation e = {.session = session,
                    .dataset = dataset,
                    .options = options,
                    .batch = options->batch > 0 ? options->batch : DEFAULT_BATCH,
                    .worst_room = worst_room(dataset, options),
                    .out = out,
                    .report = report};
    const double start = r2n_seconds();
    status = allocate(&e);
    if (status == RES2NET_OK)
        status = run_all(&e);
    if (status == RES2NET_OK)
        status =
            r2n_worst_finish(out->worst, out->worst_count, dataset, r2n_dataset_name(list), report);
    if (status == RES2NET_OK)
        r2n_figures_finish(out);
    out->loss = e.loss_count > 0 ? e.loss_sum / (double)e.loss_count : 0;
    out->seconds = r2n_seconds() - start;
    release(&e);
    r2n_dataset_destroy(dataset);
    if (status != RES2NET_OK)
        res2net_evaluation_free(out);
    return status;
}

void res2net_evaluation_free(res2net_evaluation *evaluation)
{
    r2n_free(evaluation->per_class);
    r2n_free(evaluation->confusion);
    r2n_worst_free(evaluation->worst, evaluation->worst_count);
    *evaluation = (res2net_evaluation){0};
}
