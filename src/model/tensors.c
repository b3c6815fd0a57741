/* SPDX-License-Identifier: Apache-2.0 */
/* Every tensor of a network, by its three names: torch's, Paddle's structured one (.pdparams) and
 * Paddle's parameter name (.pdiparams), in the order of Paddle's state dict. */
#include "model/catalogue_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct tensor_list {
    r2n_tensor_spec *specs; /* NULL: count only */
    size_t count;
} tensor_list;

/* What a convolution and its batch norm are called. */
typedef struct unit_names {
    char convolution[R2N_NAME_BYTES]; /* torch: "layer1.0.conv1" */
    char batch_norm[R2N_NAME_BYTES];  /* torch: "layer1.0.bn1" */
    char paddle[R2N_NAME_BYTES];      /* "bb_0_0.conv0" */
    char parameter[R2N_NAME_BYTES];   /* "res2a_branch2a" */
} unit_names;

/* NULL in the counting pass, which takes no names. */
static r2n_tensor_spec *add(tensor_list *list, int32_t rank, const int64_t *shape, int trainable)
{
    r2n_tensor_spec *spec = list->specs == NULL ? NULL : &list->specs[list->count];
    list->count++;
    if (spec == NULL)
        return NULL;
    memset(spec, 0, sizeof *spec);
    spec->rank = rank;
    memcpy(spec->shape, shape, (size_t)rank * sizeof(*shape));
    spec->trainable = trainable;
    return spec;
}

static void name_spec(r2n_tensor_spec *spec, const char *torch, const char *torch_tail,
                      const char *paddle, const char *paddle_tail, const char *parameter,
                      const char *parameter_tail)
{
    if (spec == NULL)
        return;
    snprintf(spec->name, sizeof spec->name, "%.63s%.24s", torch, torch_tail);
    snprintf(spec->paddle_name, sizeof spec->paddle_name, "%.63s%.24s", paddle, paddle_tail);
    snprintf(spec->paddle_parameter, sizeof spec->paddle_parameter, "%.63s%.24s", parameter,
             parameter_tail);
}

static void add_unit(tensor_list *list, const unit_names *names, int32_t outputs, int32_t inputs,
                     int32_t kernel)
{
    static const struct {
        const char *torch, *paddle, *parameter;
        int trainable;
    } fields[] = {{".weight", "._batch_norm.weight", "_scale", 1},
                  {".bias", "._batch_norm.bias", "_offset", 1},
                  {".running_mean", "._batch_norm._mean", "_mean", 0},
                  {".running_var", "._batch_norm._variance", "_variance", 0}};
    const int64_t weight[4] = {outputs, inputs, kernel, kernel};
    const int64_t vector[1] = {outputs};
    char batch_norm[R2N_NAME_BYTES];
    /* Paddle drops the first three characters, "res", also where they are "con". */
    if (strcmp(names->parameter, "conv1") == 0)
        snprintf(batch_norm, sizeof batch_norm, "bn_conv1");
    else
        snprintf(batch_norm, sizeof batch_norm, "bn%.90s", names->parameter + 3);
    name_spec(add(list, 4, weight, 1), names->convolution, ".weight", names->paddle,
              "._conv.weight", names->parameter, "_weights");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        name_spec(add(list, 1, vector, fields[i].trainable), names->batch_norm, fields[i].torch,
                  names->paddle, fields[i].paddle, batch_norm, fields[i].parameter);
}

/* The letters of a block in Paddle's names: "a", "b", ...; "b7" in stage 3 of the deep networks. It
 * is Python's chr(97 + i), so past 'z' come '{' and on, and past 127 two bytes of UTF-8. */
static void block_letter(const r2n_architecture *a, int32_t stage, int32_t block, char out[16])
{
    static const int32_t deep[3][4] = {{3, 4, 23, 3}, {3, 8, 36, 3}, {3, 12, 48, 3}};
    const int rows = a->stem == R2N_STEM_DEEP ? 3 : 2; /* the plain class forgets 200 */
    const int code = 'a' + block;
    for (int i = 0; stage == 2 && block > 0 && i < rows; i++)
        if (a->stages == 4 && memcmp(a->depths, deep[i], sizeof deep[i]) == 0) {
            snprintf(out, 16, "b%" PRId32, block);
            return;
        }
    if (code < 128)
        snprintf(out, 16, "%c", code);
    else
        snprintf(out, 16, "%c%c", 0xc0 | code >> 6, 0x80 | (code & 0x3f));
}

static void add_stem(tensor_list *list, const r2n_architecture *a)
{
    const int32_t half = a->stem_channels / 2;
    if (a->stem == R2N_STEM_DEEP) {
        add_unit(list, &(unit_names){"conv1.0", "conv1.1", "conv1_1", "conv1_1"}, half, 3, 3);
        add_unit(list, &(unit_names){"conv1.3", "conv1.4", "conv1_2", "conv1_2"}, half, half, 3);
        add_unit(list, &(unit_names){"conv1.6", "bn1", "conv1_3", "conv1_3"}, a->stem_channels,
                 half, 3);
        return;
    }
    add_unit(list, &(unit_names){"conv1", "bn1", "conv1", "conv1"}, a->stem_channels, 3,
             a->stem == R2N_STEM_7X7 ? 7 : 3);
}

typedef struct block_place {
    int32_t stage, block;
    char letter[16];
} block_place;

/* The names of one unit of a block. The tails may hold a number: "convs.2". */
static unit_names unit_of(const block_place *at, const char *convolution, const char *batch_norm,
                          const char *paddle, const char *branch)
{
    unit_names names;
    const int number = (int)at->stage + 1;
    snprintf(names.convolution, sizeof names.convolution, "layer%d.%d.%.24s", number,
             (int)at->block, convolution);
    snprintf(names.batch_norm, sizeof names.batch_norm, "layer%d.%d.%.24s", number, (int)at->block,
             batch_norm);
    snprintf(names.parameter, sizeof names.parameter, "res%d%s_%.24s", number + 1, at->letter,
             branch);
    /* The 3x3 layers of Paddle's Res2Net are called by their parameter's name. */
    snprintf(names.paddle, sizeof names.paddle, "bb_%d_%d.%.48s", (int)at->stage, (int)at->block,
             paddle == NULL ? names.parameter : paddle);
    return names;
}

static void add_block(tensor_list *list, const r2n_architecture *a, int32_t stage, int32_t block)
{
    const int32_t outputs = 4 * r2n_stage_planes(a, stage);
    const int32_t width = r2n_group_width(a, stage);
    const int32_t middle = width * a->scale;
    const int32_t inputs = block > 0 ? outputs : stage > 0 ? outputs / 2 : a->stem_channels;
    block_place at = {.stage = stage, .block = block};
    unit_names names;
    block_letter(a, stage, block, at.letter);
    names = unit_of(&at, "conv1", "bn1", "conv0", "branch2a");
    add_unit(list, &names, middle, inputs, 1);
    if (a->scale == 1) {
        names = unit_of(&at, "conv2", "bn2", "conv1", "branch2b");
        add_unit(list, &names, width, width, 3);
    }
    for (int32_t g = 0; g < a->scale - 1; g++) {
        char convolution[24], batch_norm[24], branch[24];
        snprintf(convolution, sizeof convolution, "convs.%" PRId32, g);
        snprintf(batch_norm, sizeof batch_norm, "bns.%" PRId32, g);
        snprintf(branch, sizeof branch, "branch2b_%" PRId32, g + 1);
        names = unit_of(&at, convolution, batch_norm, NULL, branch);
        add_unit(list, &names, width, width, 3);
    }
    names = unit_of(&at, "conv3", "bn3", "conv2", "branch2c");
    add_unit(list, &names, outputs, middle, 1);
    if (block > 0)
        return;
    names = a->pooled_shortcut ? unit_of(&at, "downsample.1", "downsample.2", "short", "branch1")
                               : unit_of(&at, "downsample.0", "downsample.1", "short", "branch1");
    add_unit(list, &names, outputs, inputs, 1);
}

static void add_all(tensor_list *list, const r2n_architecture *a)
{
    const int64_t classifier[2] = {a->classes, (int64_t)4 * r2n_stage_planes(a, a->stages - 1)};
    add_stem(list, a);
    for (int32_t stage = 0; stage < a->stages; stage++)
        for (int32_t block = 0; block < a->depths[stage]; block++)
            add_block(list, a, stage, block);
    name_spec(add(list, 2, classifier, 1), "fc", ".weight", "out", ".weight", "fc", "_weights");
    name_spec(add(list, 1, classifier, 1), "fc", ".bias", "out", ".bias", "fc", "_offset");
}

r2n_tensor_spec *r2n_architecture_tensors(const r2n_architecture *a, size_t *count)
{
    tensor_list list = {.specs = NULL, .count = 0};
    add_all(&list, a);
    list.specs = r2n_allocate(list.count, sizeof(*list.specs));
    *count = list.specs == NULL ? 0 : list.count;
    if (list.specs == NULL)
        return NULL;
    list.count = 0;
    add_all(&list, a);
    return list.specs;
}
