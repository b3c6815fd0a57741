/* SPDX-License-Identifier: Apache-2.0 */
/* A save of a small network, made of formulas of its epoch; and whether a save that was read is
 * the one of its epoch, to the bit. */
#ifndef R2N_TESTS_CHECKPOINT_FIXTURE_H
#define R2N_TESTS_CHECKPOINT_FIXTURE_H

#include "unit/expect.h"
#include "unit/temporary_folder.h"

#include "train/checkpoint.h"

#define FIXTURE_NET "cifar:planes=8,depths=1-1-1,width=32,scale=2,classes=5"

typedef struct fixture {
    r2n_architecture architecture;
    r2n_schedule schedule;
    r2n_tensor_set *sets[4]; /* weights, averages, states */
    r2n_checkpoint checkpoint;
} fixture;

static inline r2n_tensor_set *fixture_set(const r2n_architecture *architecture, int64_t epoch,
                                          int number)
{
    r2n_tensor_set *set;
    assert_int_equal(r2n_weights_formula(architecture, (uint64_t)(epoch * 10 + number), &set, NULL),
                     RES2NET_OK);
    return set;
}

/* kinds: 1 for momentum, 2 for AdamW. */
static inline fixture *fixture_make(int64_t epoch, int kinds, int averages)
{
    fixture *f = r2n_allocate_zeroed(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(r2n_architecture_find(FIXTURE_NET, &f->architecture, NULL), RES2NET_OK);
    for (int i = 0; i < 4; i++)
        f->sets[i] = fixture_set(&f->architecture, epoch, i);
    f->schedule = (r2n_schedule){.kind = R2N_SCHEDULE_COSINE,
                                 .rate = 0.1,
                                 .epochs = 10,
                                 .iterations = 7,
                                 .warmup_epochs = 1};
    f->checkpoint = (r2n_checkpoint){
        .architecture = &f->architecture,
        .family = R2N_FAMILY_PADDLE,
        .weights = f->sets[0],
        .averaged = averages ? f->sets[1] : NULL,
        .states = {{kinds == 1 ? "velocity" : "moment1", f->sets[2]}, {"moment2", f->sets[3]}},
        .state_count = kinds,
        .schedule = &f->schedule,
        .rate_factor = 0.5,
        .run = {.epoch = epoch,
                .iteration = 3,
                .steps = epoch * 7 + 3,
                .best_metric = 0.1 * (double)epoch,
                .best_epoch = epoch - 1,
                .last_rate = 1.0 / 3,
                .seed = UINT64_MAX - (uint64_t)epoch,
                .skipped_steps = 2,
                .bad_streak = 1,
                .beta1_power = 0.9F * 0.9F,
                .beta2_power = 0.999F,
                .epoch_loss = 1e100,
                .has_ours = 1}};
    return f;
}

static inline void fixture_free(fixture *f)
{
    for (int i = 0; i < 4; i++)
        r2n_tensor_set_destroy(f->sets[i]);
    r2n_free(f);
}

static inline res2net_status fixture_write(const char *prefix, int64_t epoch, int kinds,
                                           int averages, res2net_report *report)
{
    fixture *f = fixture_make(epoch, kinds, averages);
    const res2net_status status = r2n_checkpoint_write(prefix, &f->checkpoint, report);
    fixture_free(f);
    return status;
}

/* A set that was read has all tensors of one that was written, or all trainable ones. */
static inline void expect_tensors(const r2n_tensor_set *wanted, const r2n_tensor_set *read,
                                  int trainable_only)
{
    size_t compared = 0;
    assert_non_null(read);
    for (size_t i = 0; i < wanted->count; i++) {
        const r2n_tensor *a = &wanted->tensors[i], *b = r2n_tensor_set_find(read, a->name);
        if (trainable_only && strstr(a->name, "running_") != NULL) {
            assert_null(b);
            continue;
        }
        assert_non_null(b);
        assert_int_equal(a->rank, b->rank);
        assert_memory_equal(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
        assert_memory_equal(a->data, b->data, (size_t)a->count * sizeof *a->data);
        compared++;
    }
    assert_int_equal(compared, read->count);
}

static inline void expect_loaded(const r2n_loaded_checkpoint *loaded, int kinds, int averages)
{
    fixture *f = fixture_make(loaded->run.epoch, kinds, averages);
    const r2n_run_state *a = &f->checkpoint.run, *b = &loaded->run;
    expect_tensors(f->sets[0], loaded->weights, 0);
    if (averages)
        expect_tensors(f->sets[1], loaded->averaged, 0);
    else
        assert_null(loaded->averaged);
    for (int i = 0; i < 2; i++)
        if (i < kinds) {
            expect_tensors(f->sets[2 + i], loaded->states[i], 1);
            assert_string_equal(loaded->kinds[i], f->checkpoint.states[i].kind);
        } else {
            assert_null(loaded->states[i]);
        }
    assert_string_equal(loaded->architecture.name, f->architecture.name);
    assert_int_equal(loaded->family, f->checkpoint.family);
    assert_true(loaded->saved_rate == 0.5 * r2n_schedule_rate(&f->schedule, a->steps));
    assert_int_equal(loaded->saved_last_epoch, a->steps);
    assert_true(a->iteration == b->iteration && a->steps == b->steps && a->seed == b->seed &&
                a->best_metric == b->best_metric && a->best_epoch == b->best_epoch &&
                a->last_rate == b->last_rate && a->skipped_steps == b->skipped_steps &&
                a->bad_streak == b->bad_streak && a->beta1_power == b->beta1_power &&
                a->beta2_power == b->beta2_power && a->epoch_loss == b->epoch_loss && b->has_ours);
    fixture_free(f);
}

/* Reads a save, which must be one of the fixture's, and gives its epoch. */
static inline int64_t expect_save(const char *prefix, int kinds, int averages)
{
    r2n_loaded_checkpoint loaded;
    res2net_report *report = res2net_report_create();
    const res2net_status status = r2n_checkpoint_read(prefix, NULL, &loaded, report);
    for (size_t i = 0; status != RES2NET_OK && i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    assert_int_equal(status, RES2NET_OK);
    expect_loaded(&loaded, kinds, averages);
    const int64_t epoch = loaded.run.epoch;
    r2n_loaded_checkpoint_free(&loaded);
    res2net_report_destroy(report);
    return epoch;
}

#endif
