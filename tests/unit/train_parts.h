/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schedules, optimiser steps and losses by lines of text, so that the same cases run here, in
 * tests/golden/make_train_parts.py and in tests/oracle/train_parts.py. A line is a word and
 * key=value pairs; a value is a number, a word or numbers with commas between. What is left out
 * is 0 or none. The answer is numbers.
 */
#ifndef R2N_TESTS_TRAIN_PARTS_H
#define R2N_TESTS_TRAIN_PARTS_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/learning_rate.h"
#include "train/loss.h"
#include "train/optimiser.h"

typedef struct train_answer {
    double *numbers;
    size_t count, capacity;
} train_answer;

static inline void answer_put(train_answer *answer, double number)
{
    if (!r2n_grow((void **)&answer->numbers, &answer->capacity, answer->count + 1,
                  sizeof *answer->numbers))
        abort();
    answer->numbers[answer->count++] = number;
}

/* Where the value of `key` begins, or NULL. */
static inline const char *part_value(const char *line, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = line; (at = strchr(at, ' ')) != NULL;)
        if (strncmp(++at, key, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

static inline double part_number(const char *line, const char *key)
{
    const char *value = part_value(line, key);
    return value == NULL ? 0 : strtod(value, NULL);
}

/* All numbers of a value; the caller frees them (r2n_free). NULL where the key is not there. */
static inline double *part_numbers(const char *line, const char *key, size_t *count)
{
    train_answer all = {0};
    const char *value = part_value(line, key);
    *count = 0;
    if (value == NULL)
        return NULL;
    for (char *end;; value = end + 1) {
        answer_put(&all, strtod(value, &end));
        if (*end != ',')
            break;
    }
    *count = all.count;
    return all.numbers;
}

static inline float *part_floats(const char *line, const char *key)
{
    size_t count;
    double *numbers = part_numbers(line, key, &count);
    float *floats = numbers == NULL ? NULL : r2n_allocate(count, sizeof *floats);
    for (size_t i = 0; floats != NULL && i < count; i++)
        floats[i] = (float)numbers[i];
    r2n_free(numbers);
    return floats;
}

static inline int part_word(const char *line, const char *key, const char *const *words, int count)
{
    const char *value = part_value(line, key);
    for (int i = 0; value != NULL && i < count; i++)
        if (strncmp(value, words[i], strlen(words[i])) == 0 &&
            strchr(" \n", value[strlen(words[i])]) != NULL)
            return i;
    abort();
}

/* schedule kind= rate= epochs= iterations= ... count=: the rate and the logged rate of each
 * iteration. */
static inline r2n_schedule part_schedule(const char *line)
{
    static const char *const kinds[] = {"constant", "cosine",    "linear",
                                        "step",     "multistep", "piecewise"};
    size_t count;
    r2n_schedule s = {.kind = (r2n_schedule_kind)part_word(line, "kind", kinds, 6),
                      .rate = part_number(line, "rate"),
                      .epochs = (int64_t)part_number(line, "epochs"),
                      .iterations = (int64_t)part_number(line, "iterations"),
                      .warmup_epochs = part_number(line, "warmup_epochs"),
                      .warmup_start = part_number(line, "warmup_start"),
                      .by_epoch = (int)part_number(line, "by_epoch"),
                      .minimum = part_number(line, "minimum"),
                      .power = part_number(line, "power"),
                      .step_epochs = part_number(line, "step_epochs"),
                      .gamma = part_number(line, "gamma")};
    double *at = part_numbers(line, "at", &count);
    for (size_t i = 0; i < count; i++)
        s.at[i] = at[i];
    s.points = (int32_t)count;
    r2n_free(at);
    double *values = part_numbers(line, "values", &count);
    for (size_t i = 0; i < count; i++)
        s.values[i] = values[i];
    r2n_free(values);
    return s;
}

static inline void answer_schedule(const char *line, train_answer *answer)
{
    r2n_schedule schedule = part_schedule(line);
    if (r2n_schedule_check(&schedule, NULL) != RES2NET_OK)
        return;
    for (int64_t i = 0; i < (int64_t)part_number(line, "count"); i++) {
        answer_put(answer, r2n_schedule_rate(&schedule, i));
        answer_put(answer, r2n_schedule_logged_rate(&schedule, i));
    }
}

/* loss epsilon= weight= images= classes= logits= labels= or targets= class_weights=: the loss, how
 * many are right, the gradient. */
static inline void answer_loss(const char *line, train_answer *answer)
{
    const int32_t images = (int32_t)part_number(line, "images");
    const int32_t classes = (int32_t)part_number(line, "classes");
    float *weights = part_floats(line, "class_weights"), *targets = part_floats(line, "targets");
    const r2n_loss_options options = {.epsilon = part_number(line, "epsilon"),
                                      .weight = part_number(line, "weight"),
                                      .class_weights = weights};
    size_t label_count;
    double *label_numbers = part_numbers(line, "labels", &label_count);
    int32_t *labels = label_numbers == NULL ? NULL : r2n_allocate(label_count, sizeof *labels);
    for (size_t i = 0; i < label_count; i++)
        labels[i] = (int32_t)label_numbers[i];
    float *logits = part_floats(line, "logits");
    float *gradient = r2n_allocate((size_t)images * (size_t)classes, sizeof *gradient);
    int64_t correct;
    answer_put(answer, r2n_cross_entropy(&options, images, classes, logits, labels, targets,
                                         gradient, &correct));
    answer_put(answer, (double)correct);
    for (int32_t i = 0; i < images * classes; i++)
        answer_put(answer, (double)gradient[i]);
    r2n_free(gradient);
    r2n_free(logits);
    r2n_free(labels);
    r2n_free(label_numbers);
    r2n_free(targets);
    r2n_free(weights);
}

static inline r2n_optimiser_options part_optimiser(const char *line)
{
    static const char *const kinds[] = {"sgd", "momentum", "adamw"};
    return (r2n_optimiser_options){.kind = (r2n_optimiser_kind)part_word(line, "kind", kinds, 3),
                                   .momentum = part_number(line, "momentum"),
                                   .nesterov = (int)part_number(line, "nesterov"),
                                   .decay = part_number(line, "decay"),
                                   .l1 = part_number(line, "l1"),
                                   .beta1 = part_number(line, "beta1"),
                                   .beta2 = part_number(line, "beta2"),
                                   .epsilon = part_number(line, "epsilon"),
                                   .clip_norm = part_number(line, "clip_norm"),
                                   .clip_global_norm = part_number(line, "clip_global_norm"),
                                   .clip_value = part_number(line, "clip_value")};
}

enum { PART_TENSORS = 16 };

/* Tensors of `sizes` numbers at multiples of 16 in a block. */
typedef struct part_layout {
    r2n_parameter_range ranges[PART_TENSORS];
    int64_t sizes[PART_TENSORS], block;
    size_t count;
} part_layout;

static inline part_layout part_tensors(const char *line)
{
    part_layout layout = {0};
    size_t count;
    double *sizes = part_numbers(line, "sizes", &layout.count);
    double *decays = part_numbers(line, "decays", &count);
    double *frozen = part_numbers(line, "frozen", &count);
    if (layout.count > PART_TENSORS)
        abort();
    for (size_t i = 0; i < layout.count; i++) {
        layout.sizes[i] = (int64_t)sizes[i];
        layout.ranges[i] = (r2n_parameter_range){.first = layout.block,
                                                 .count = (layout.sizes[i] + 15) / 16 * 16,
                                                 .decays = decays == NULL || decays[i] != 0,
                                                 .frozen = frozen != NULL && frozen[i] != 0};
        layout.block += layout.ranges[i].count;
    }
    r2n_free(sizes);
    r2n_free(decays);
    r2n_free(frozen);
    return layout;
}

static inline const float *part_fill(const part_layout *layout, const float *from, float *block)
{
    memset(block, 0, (size_t)layout->block * sizeof *block);
    for (size_t t = 0; t < layout->count; t++)
        for (int64_t i = 0; i < layout->sizes[t]; i++)
            block[layout->ranges[t].first + i] = *from++;
    return from;
}

static inline void answer_block(const part_layout *layout, const float *block, train_answer *answer)
{
    for (size_t t = 0; t < layout->count; t++)
        for (int64_t i = 0; i < layout->ranges[t].count; i++)
            if (i < layout->sizes[t])
                answer_put(answer, (double)block[layout->ranges[t].first + i]);
            else if (block[layout->ranges[t].first + i] != 0)
                abort(); /* the filling stays zero */
}

/* optimiser kind= ... sizes= decays= frozen= rates= parameters= gradients=: as many steps as there
 * are rates; the parameters, then what is remembered of them. */
static inline void answer_optimiser(const char *line, train_answer *answer)
{
    const r2n_optimiser_options options = part_optimiser(line);
    const part_layout layout = part_tensors(line);
    r2n_optimiser_progress progress = {0};
    size_t steps;
    double *rates = part_numbers(line, "rates", &steps);
    float *start = part_floats(line, "parameters"), *all = part_floats(line, "gradients");
    float *blocks[4];
    for (int i = 0; i < 4; i++)
        blocks[i] = r2n_allocate_zeroed((size_t)layout.block, sizeof *blocks[i]);
    part_fill(&layout, start, blocks[0]);
    const float *next = all;
    for (size_t i = 0; i < steps; i++) {
        next = part_fill(&layout, next, blocks[1]);
        if (!r2n_optimiser_step(&options, layout.ranges, layout.count, rates[i], &progress,
                                blocks[0], blocks[1], blocks + 2, 1))
            abort();
    }
    answer_block(&layout, blocks[0], answer);
    for (int i = 0; i < r2n_optimiser_states(options.kind); i++)
        answer_block(&layout, blocks[2 + i], answer);
    for (int i = 0; i < 4; i++)
        r2n_free(blocks[i]);
    r2n_free(rates);
    r2n_free(start);
    r2n_free(all);
}

/* The numbers that answer `line`: free them with r2n_free. None where it is no case. */
static inline train_answer train_parts_answer(const char *line)
{
    train_answer answer = {0};
    if (strncmp(line, "schedule ", 9) == 0)
        answer_schedule(line, &answer);
    else if (strncmp(line, "loss ", 5) == 0)
        answer_loss(line, &answer);
    else if (strncmp(line, "optimiser ", 10) == 0)
        answer_optimiser(line, &answer);
    return answer;
}

#endif
