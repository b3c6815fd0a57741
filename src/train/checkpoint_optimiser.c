/* SPDX-License-Identifier: Apache-2.0 */
/* [{"conv1_weights_velocity_0": ("conv1_weights_velocity_0", array), ..., "LR_Scheduler": {...}}].
 * spec: shared/spec/paddleclas.md 5.2. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/pickle_numpy.h"
#include "formats/pickle_opcodes.h"
#include "train/checkpoint_internal.h"
#include "weights/pdopt.h"

enum { KEY_BYTES = R2N_NAME_BYTES + 32, KINDS = 3 };

/* The kinds of state, and which of a run's sets they are. */
static const struct {
    const char *kind;
    int set;
} kinds[KINDS] = {{"velocity", 0}, {"moment1", 0}, {"moment2", 1}};

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct optimiser_writer {
    r2n_pickle_writer pickle;
    r2n_pickle_numpy numpy;
    uint32_t tuple; /* memo number */
    const r2n_checkpoint *checkpoint;
    const char *path;
    res2net_report *report;
    r2n_tensor_spec *specs;
    size_t spec_count;
} optimiser_writer;

static void put(optimiser_writer *w, uint8_t opcode)
{
    r2n_pickle_put_opcode(&w->pickle, opcode);
}

/* key: builtins.tuple((name, array)), up to the array; put_item_end makes it whole. */
static void put_item_start(optimiser_writer *w, const char *key)
{
    r2n_pickle_put_text(&w->pickle, key);
    r2n_pickle_put_memo(&w->pickle, w->tuple);
    r2n_pickle_put_text(&w->pickle, key);
}

static void put_item_end(optimiser_writer *w)
{
    put(w, R2N_PICKLE_TUPLE2);
    put(w, R2N_PICKLE_TUPLE1);
    put(w, R2N_PICKLE_REDUCE);
    put(w, R2N_PICKLE_SETITEM);
}

static res2net_status put_state(optimiser_writer *w, const r2n_optimiser_state *state)
{
    for (size_t i = 0; i < w->spec_count; i++) {
        const r2n_tensor_spec *spec = &w->specs[i];
        char key[KEY_BYTES];
        if (!spec->trainable)
            continue;
        const r2n_tensor *tensor = r2n_tensor_set_find(state->tensors, spec->name);
        if (tensor == NULL || tensor->rank != spec->rank ||
            memcmp(tensor->shape, spec->shape, (size_t)spec->rank * sizeof *spec->shape) != 0)
            return r2n_fail(w->report, RES2NET_INTERNAL, w->path, -1,
                            "the %s of %s is missing or of another shape", state->kind, spec->name);
        snprintf(key, sizeof key, "%s_%s_0", spec->paddle_parameter, state->kind);
        put_item_start(w, key);
        if (spec->rank == 2) /* Paddle's classifier is [features, classes] */
            r2n_pickle_put_transposed(&w->pickle, &w->numpy, spec->shape[0], spec->shape[1],
                                      tensor->data);
        else
            r2n_pickle_put_array(&w->pickle, &w->numpy, spec->rank, spec->shape, tensor->data);
        put_item_end(w);
    }
    return RES2NET_OK;
}

/* Paddle has the same two powers once a parameter. */
static void put_powers(optimiser_writer *w, const char *kind, double power)
{
    const float value = (float)power;
    const int64_t shape = 1;
    for (size_t i = 0; i < w->spec_count; i++) {
        char key[KEY_BYTES];
        if (!w->specs[i].trainable)
            continue;
        snprintf(key, sizeof key, "%s_%s_0", w->specs[i].paddle_parameter, kind);
        put_item_start(w, key);
        r2n_pickle_put_array(&w->pickle, &w->numpy, 1, &shape, &value);
        put_item_end(w);
    }
}

static void put_place(optimiser_writer *w, int64_t step, double rate)
{
    r2n_pickle_put_text(&w->pickle, "last_epoch");
    r2n_pickle_put_integer(&w->pickle, step);
    put(w, R2N_PICKLE_SETITEM);
    r2n_pickle_put_text(&w->pickle, "last_lr");
    r2n_pickle_put_float(&w->pickle, rate * w->checkpoint->rate_factor);
    put(w, R2N_PICKLE_SETITEM);
}

static void put_schedule(optimiser_writer *w)
{
    const r2n_schedule_place place =
        r2n_schedule_where(w->checkpoint->schedule, w->checkpoint->run.steps);
    r2n_pickle_put_text(&w->pickle, "LR_Scheduler");
    put(w, R2N_PICKLE_EMPTY_DICT);
    put_place(w, place.step, place.rate);
    if (place.warms_up && place.decays) {
        r2n_pickle_put_text(&w->pickle, "LinearWarmup_LR");
        put(w, R2N_PICKLE_EMPTY_DICT);
        put_place(w, place.decay_step, place.decay_rate);
        put(w, R2N_PICKLE_SETITEM);
    }
    put(w, R2N_PICKLE_SETITEM);
}

/* Before its first step AdamW has no moments, neither has Paddle's. */
static int has_states(const r2n_checkpoint *checkpoint)
{
    return checkpoint->state_count < 2 || checkpoint->run.beta1_power < 1;
}

static res2net_status put_all(optimiser_writer *w)
{
    const r2n_checkpoint *checkpoint = w->checkpoint;
    res2net_status status = RES2NET_OK;
    r2n_pickle_put_start(&w->pickle);
    r2n_pickle_numpy_begin(&w->pickle, &w->numpy);
    r2n_pickle_put_global(&w->pickle, "builtins", "tuple");
    w->tuple = r2n_pickle_memoize(&w->pickle);
    put(w, R2N_PICKLE_POP);
    put(w, R2N_PICKLE_EMPTY_LIST);
    put(w, R2N_PICKLE_EMPTY_DICT);
    for (int i = 0; i < checkpoint->state_count && status == RES2NET_OK; i++)
        if (has_states(checkpoint))
            status = put_state(w, &checkpoint->states[i]);
    if (checkpoint->state_count == 2 && has_states(checkpoint)) {
        put_powers(w, "beta1_pow_acc", checkpoint->run.beta1_power);
        put_powers(w, "beta2_pow_acc", checkpoint->run.beta2_power);
    }
    put_schedule(w);
    put(w, R2N_PICKLE_APPEND);
    put(w, R2N_PICKLE_STOP);
    return status;
}

res2net_status r2n_optimiser_write(const char *path, const r2n_checkpoint *checkpoint,
                                   res2net_report *report)
{
    optimiser_writer w = {.checkpoint = checkpoint, .path = path, .report = report};
    w.specs = r2n_architecture_tensors(checkpoint->architecture, &w.spec_count);
    if (w.specs == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to save the optimiser");
    res2net_status status = r2n_writer_open(path, &w.pickle.file, report);
    if (status == RES2NET_OK) {
        status = put_all(&w);
        if (status == RES2NET_OK)
            status = r2n_writer_close(w.pickle.file, report);
        else
            r2n_writer_discard(w.pickle.file);
    }
    r2n_free(w.specs);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct optimiser_reader {
    const char *path;
    res2net_report *report;
    r2n_tensor_set *held; /* under the file's names */
    r2n_tensor_spec *specs;
    size_t spec_count;
} optimiser_reader;

/* PARAMETER_KIND_N: N counts the optimisers that a process of Paddle has made. */
static const r2n_tensor *find_state(const optimiser_reader *r, const char *parameter,
                                    const char *kind)
{
    char stem[KEY_BYTES];
    const size_t length = (size_t)snprintf(stem, sizeof stem, "%s_%s_", parameter, kind);
    for (size_t i = 0; i < r->held->count; i++) {
        const char *name = r->held->tensors[i].name;
        if (strncmp(name, stem, length) == 0 && name[length] != '\0' &&
            name[length + strspn(name + length, "0123456789")] == '\0')
            return &r->held->tensors[i];
    }
    return NULL;
}

static int has_paddle_shape(const r2n_tensor *tensor, const r2n_tensor_spec *spec)
{
    if (tensor->rank != spec->rank)
        return 0;
    for (int32_t i = 0; i < spec->rank; i++)
        if (tensor->shape[i] != spec->shape[spec->rank == 2 ? 1 - i : i])
            return 0;
    return 1;
}

static void copy_canonical(const r2n_tensor *tensor, const r2n_tensor_spec *spec, float *to)
{
    if (spec->rank != 2) {
        memcpy(to, tensor->data, (size_t)tensor->count * sizeof *to);
        return;
    }
    const int64_t rows = spec->shape[0], columns = spec->shape[1];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            to[r * columns + c] = tensor->data[c * rows + r];
}

static res2net_status take_tensor(const optimiser_reader *r, const r2n_tensor_spec *spec,
                                  const r2n_tensor *tensor, r2n_tensor_set *set)
{
    if (tensor != NULL && !has_paddle_shape(tensor, spec))
        return r2n_fail(r->report, RES2NET_MISMATCH, r->path, -1,
                        "%s has another shape than the network's %s", tensor->name,
                        spec->paddle_parameter);
    float *to = r2n_tensor_set_add(set, spec->name, spec->rank, spec->shape);
    if (to == NULL)
        return r2n_fail(r->report, RES2NET_OUT_OF_MEMORY, r->path, -1,
                        "no memory for the optimiser's state");
    if (tensor != NULL)
        copy_canonical(tensor, spec, to);
    return RES2NET_OK;
}

/* Parameters that were not trained (frozen ones) have no state: it begins at zero. */
static res2net_status take_kind(const optimiser_reader *r, const char *kind, r2n_tensor_set **out,
                                const char **out_kind)
{
    size_t found = 0, wanted = 0;
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < r->spec_count; i++) {
        wanted += r->specs[i].trainable != 0;
        found += r->specs[i].trainable && find_state(r, r->specs[i].paddle_parameter, kind) != NULL;
    }
    if (found == 0 || *out != NULL)
        return RES2NET_OK;
    *out = r2n_tensor_set_create();
    *out_kind = kind;
    if (*out == NULL)
        return r2n_fail(r->report, RES2NET_OUT_OF_MEMORY, r->path, -1,
                        "no memory for the optimiser's state");
    for (size_t i = 0; i < r->spec_count && status == RES2NET_OK; i++)
        if (r->specs[i].trainable)
            status = take_tensor(r, &r->specs[i], find_state(r, r->specs[i].paddle_parameter, kind),
                                 *out);
    if (status == RES2NET_OK && found < wanted)
        r2n_fail(r->report, RES2NET_OK, r->path, -1,
                 "note: %zu of %zu parameters have no %s there (they were frozen?); theirs begins "
                 "at zero",
                 wanted - found, wanted, kind);
    return status;
}

/* Any parameter's: they are all the same. */
static double take_power(const optimiser_reader *r, const char *kind)
{
    for (size_t i = 0; i < r->spec_count; i++) {
        const r2n_tensor *tensor =
            r->specs[i].trainable ? find_state(r, r->specs[i].paddle_parameter, kind) : NULL;
        if (tensor != NULL && tensor->count == 1 && tensor->data[0] >= 0 && tensor->data[0] <= 1)
            return (double)tensor->data[0];
    }
    return 1;
}

static res2net_status take_all(const optimiser_reader *r, r2n_loaded_checkpoint *out)
{
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < KINDS && status == RES2NET_OK; i++)
        status = take_kind(r, kinds[i].kind, &out->states[kinds[i].set], &out->kinds[kinds[i].set]);
    if (status == RES2NET_OK && r->held->count > 0 && out->states[0] == NULL)
        return r2n_fail(r->report, RES2NET_MISMATCH, r->path, -1,
                        "none of its %zu tensors belongs to %s; the first is \"%.200s\", and "
                        "names such as \"%s_velocity_0\" were expected",
                        r->held->count, out->architecture.name, r->held->tensors[0].name,
                        r->specs[0].paddle_parameter);
    if (!out->run.has_ours) {
        out->run.steps = out->saved_last_epoch;
        out->run.beta1_power = take_power(r, "beta1_pow_acc");
        out->run.beta2_power = take_power(r, "beta2_pow_acc");
    }
    return status;
}

res2net_status r2n_optimiser_read(const char *path, r2n_loaded_checkpoint *out,
                                  res2net_report *report)
{
    optimiser_reader r = {.path = path, .report = report};
    r2n_saved_schedule schedule;
    res2net_status status = r2n_pdopt_read(path, &r.held, &schedule, report);
    if (status != RES2NET_OK)
        return status;
    out->saved_rate = schedule.last_rate;
    out->saved_last_epoch = schedule.last_epoch;
    r.specs = r2n_architecture_tensors(&out->architecture, &r.spec_count);
    status = r.specs == NULL ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1,
                                        "no memory for the optimiser's state")
                             : take_all(&r, out);
    r2n_free(r.specs);
    r2n_tensor_set_destroy(r.held);
    return status;
}
