/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a list. Operations over images that follow each other are a phase: a thread takes a share of
 * the images and carries a few of them at a time through the whole phase, while they are in its
 * cache. Other operations are shared out by channels or parts. Who computes what changes no bit.
 */
#include "train/network_internal.h"

#include <math.h>
#include <string.h>

#include "base/thread_pool.h"
#include "kernels/bf16.h"

static const double EPSILON = 1e-5; /* both families, spec 1.3 */

typedef struct run {
    r2n_network *network;
    const r2n_train_list *list;
    const float *in;
    float *out;
    int32_t images;
} run;

static int is_over_images(const r2n_train_operation *o)
{
    return o->kind <= R2N_TRAIN_CLEAR;
}

static int32_t share(int32_t count, int thread, int threads)
{
    return (int32_t)((int64_t)count * thread / threads);
}

/* ---- over images ---- */

enum { COLOURS = 3 };

static void copy_row(const r2n_network *network, const float *from, void *to, int64_t pixel_pitch)
{
    uint16_t *converted = to;
    if (network->options.precision != R2N_PRECISION_BF16) {
        memcpy(to, from, (size_t)network->options.columns * COLOURS * sizeof(float));
        return;
    }
    for (int32_t i = 0; i < network->options.columns; i++, from += COLOURS)
        for (int colour = 0; colour < COLOURS; colour++)
            converted[i * pixel_pitch + colour] = r2n_bf16_from_float(from[colour]);
}

static void copy_pictures(const run *r, int32_t first, int32_t last)
{
    const r2n_network *network = r->network;
    const r2n_view view = r2n_network_view(network, network->values[0].segments[0]);
    const int64_t row = (int64_t)network->options.columns * COLOURS;
    for (int32_t image = first; image < last; image++)
        for (int32_t i = 0; i < network->options.rows; i++)
            copy_row(network, r->in + ((int64_t)image * network->options.rows + i) * row,
                     r2n_train_at(network, network->block,
                                  view.offset + image * view.image_pitch + i * view.row_pitch),
                     view.pixel_pitch);
}

static void copy_scores(const run *r, int32_t first, int32_t last)
{
    const r2n_network *network = r->network;
    const r2n_train_convolution *c = &network->convolutions[network->convolution_count - 1];
    const r2n_view view = r2n_network_view(network, (r2n_train_segment){c->raw, 0, c->outputs});
    for (int32_t image = first; image < last; image++)
        memcpy(r->out + (int64_t)image * c->outputs,
               r2n_train_at(network, network->block, view.offset + image * view.image_pitch),
               (size_t)c->outputs * sizeof(float));
}

static void copy_seed(const run *r, const r2n_train_operation *o, int32_t first, int32_t last)
{
    const r2n_network *network = r->network;
    const int64_t classes = network->convolutions[o->of].outputs;
    for (int32_t image = first; image < last; image++) {
        const float *from = r->in + image * classes;
        void *to =
            r2n_train_at(network, network->block, o->view.offset + image * o->view.image_pitch);
        if (network->options.precision != R2N_PRECISION_BF16)
            memcpy(to, from, (size_t)classes * sizeof(float));
        else
            for (int64_t i = 0; i < classes; i++)
                ((uint16_t *)to)[i] = r2n_bf16_from_float(from[i]);
    }
}

static void clear(const run *r, const r2n_train_operation *o, int32_t first, int32_t last)
{
    for (int32_t image = first; image < last; image++)
        for (int32_t row = 0; row < o->rows; row++)
            memset(r2n_train_at(r->network, r->network->block,
                                o->view.offset + image * o->view.image_pitch +
                                    row * o->view.row_pitch),
                   0, (size_t)(o->elements * r->network->element_bytes));
}

static void over_images(const run *r, const r2n_train_operation *o, int32_t first, int32_t last)
{
    const r2n_range range = {
        .row_first = first * o->rows, .row_last = last * o->rows, .block_last = o->blocks};
    switch (o->kind) {
    case R2N_TRAIN_KERNEL:
        o->kernel->run(&o->arguments, r->network->block, range);
        break;
    case R2N_TRAIN_PICTURE:
        copy_pictures(r, first, last);
        break;
    case R2N_TRAIN_SCORES:
        copy_scores(r, first, last);
        break;
    case R2N_TRAIN_SEED:
        copy_seed(r, o, first, last);
        break;
    default:
        clear(r, o, first, last);
        break;
    }
}

/* Few pixels a picture: several pictures at once, so that a gemm's weights are read less often. */
static int32_t images_at_once(const r2n_train_list *list, size_t first, size_t last)
{
    const int32_t enough = 256;
    int32_t least = enough;
    for (size_t i = first; i < last; i++)
        if (list->operations[i].kind == R2N_TRAIN_KERNEL && list->operations[i].pixels < least)
            least = list->operations[i].pixels;
    return (enough + least - 1) / least;
}

static void run_phase(const run *r, size_t first, size_t last, int thread, int threads)
{
    const int32_t begin = share(r->images, thread, threads);
    const int32_t end = share(r->images, thread + 1, threads);
    const int32_t step = images_at_once(r->list, first, last);
    for (int32_t image = begin; image < end; image += step)
        for (size_t i = first; i < last; i++)
            over_images(r, &r->list->operations[i], image, image + step < end ? image + step : end);
}

/* ---- the rest ---- */

static void finish(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    const r2n_network *network = r->network;
    const r2n_train_norm *n = &network->norms[o->of];
    const float *weight = network->parameters + n->weight, *bias = network->parameters + n->bias;
    const double count = (double)n->pixels * r->images;
    for (int32_t j = share(n->channels, thread, threads);
         j < share(n->channels, thread + 1, threads); j++) {
        double sum = 0, square = 0;
        if (n->frozen) {
            n->batch_mean[j] = network->statistics[n->mean + j];
            n->batch_variance[j] = network->statistics[n->variance + j];
        } else {
            for (int32_t part = 0; part < r->images; part++) {
                sum += n->sums[(int64_t)part * n->channels + j];
                square += n->squares[(int64_t)part * n->channels + j];
            }
            const double mean = sum / count, variance = square / count - mean * mean;
            n->batch_mean[j] = (float)mean;
            n->batch_variance[j] = (float)(variance < 0 ? 0 : variance);
        }
        const double scale = (double)weight[j] / sqrt((double)n->batch_variance[j] + EPSILON);
        n->scale[j] = (float)scale;
        n->shift[j] = (float)((double)bias[j] - (double)n->batch_mean[j] * scale);
    }
}

/* With s = sum of g and p = sum of g * (x - mean), over all `count` pixels, and 1 / deviation = d:
 *     gradient of the scale = p * d, of the offset = s
 *     gradient of x = scale * d * (g - s / count - (x - mean) * d * d * p / count) */
static void differentiate(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    const r2n_network *network = r->network;
    const r2n_train_norm *n = &network->norms[o->of];
    const double count = (double)n->pixels * r->images;
    for (int32_t j = share(n->channels, thread, threads);
         j < share(n->channels, thread + 1, threads); j++) {
        double sum = 0, product = 0;
        for (int32_t part = 0; part < r->images; part++) {
            sum += n->sums[(int64_t)part * n->channels + j];
            product += n->squares[(int64_t)part * n->channels + j];
        }
        const double d = 1 / sqrt((double)n->batch_variance[j] + EPSILON);
        const double k = (double)network->parameters[n->weight + j] * d;
        network->parameter_gradients[n->weight + j] = (float)(product * d);
        network->parameter_gradients[n->bias + j] = (float)sum;
        n->by_gradient[j] = (float)k;
        n->by_input[j] = (float)(-k * d * d * product / count);
        n->constant[j] = (float)(-k * sum / count);
    }
}

/* Parts times pairs of blocks, shared out. */
static void weights(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    const r2n_train_convolution *c = &r->network->convolutions[o->of];
    const int32_t parts = (r->images + c->part_images - 1) / c->part_images;
    const int32_t pairs = (o->blocks + 1) / 2;
    int32_t unit = share(parts * pairs, thread, threads);
    const int32_t end = share(parts * pairs, thread + 1, threads);
    while (unit < end) { /* the pairs of one part at once */
        const int32_t part = unit / pairs, first = unit % pairs;
        const int32_t last = end - unit < pairs - first ? first + end - unit : pairs;
        const int32_t image = part * c->part_images;
        const int32_t image_end =
            image + c->part_images < r->images ? image + c->part_images : r->images;
        const r2n_range range = {.row_first = image * o->rows,
                                 .row_last = image_end * o->rows,
                                 .block_first = 2 * first,
                                 .block_last = 2 * last < o->blocks ? 2 * last : o->blocks};
        o->kernel->run(&o->arguments, r->network->block, range);
        unit += last - first;
    }
}

static void add_parts(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    const r2n_network *network = r->network;
    const r2n_train_convolution *c = &network->convolutions[o->of];
    const int32_t parts = (r->images + c->part_images - 1) / c->part_images;
    const int32_t rows = (int32_t)(o->elements / R2N_TRAIN_LANES);
    const int64_t first = (int64_t)share(rows, thread, threads) * R2N_TRAIN_LANES;
    const int64_t last = (int64_t)share(rows, thread + 1, threads) * R2N_TRAIN_LANES;
    float *to = network->parameter_gradients + c->first;
    memcpy(to + first, network->parts + first, (size_t)(last - first) * sizeof *to);
    for (int32_t part = 1; part < parts; part++) {
        const float *from = network->parts + part * o->elements;
        for (int64_t i = first; i < last; i++)
            to[i] += from[i];
    }
}

static void sum_bias(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    const r2n_network *network = r->network;
    const r2n_train_convolution *c = &network->convolutions[o->of];
    for (int32_t j = share(c->outputs, thread, threads); j < share(c->outputs, thread + 1, threads);
         j++) {
        double sum = 0;
        for (int32_t image = 0; image < r->images; image++)
            sum += (double)r->in[(int64_t)image * c->outputs + j];
        network->parameter_gradients[c->bias + j] = (float)sum;
    }
}

static void shared_out(const run *r, const r2n_train_operation *o, int thread, int threads)
{
    switch (o->kind) {
    case R2N_TRAIN_FINISH:
        finish(r, o, thread, threads);
        break;
    case R2N_TRAIN_DIFFERENTIATE:
        differentiate(r, o, thread, threads);
        break;
    case R2N_TRAIN_CONVERT:
        r2n_network_convert(r->network, &r->network->convolutions[o->of],
                            share(o->blocks, thread, threads),
                            share(o->blocks, thread + 1, threads));
        break;
    case R2N_TRAIN_TRANSPOSE:
        r2n_network_transpose(r->network, o, share(o->blocks, thread, threads),
                              share(o->blocks, thread + 1, threads));
        break;
    case R2N_TRAIN_WEIGHTS:
        weights(r, o, thread, threads);
        break;
    case R2N_TRAIN_ADD_PARTS:
        add_parts(r, o, thread, threads);
        break;
    default:
        sum_bias(r, o, thread, threads);
        break;
    }
}

/* Does `next` read what other threads may still be writing in `done`? */
static int must_wait(const r2n_train_operation *done, const r2n_train_operation *next)
{
    if (is_over_images(done) || is_over_images(next))
        return 1;
    return (done->kind == R2N_TRAIN_WEIGHTS && next->kind == R2N_TRAIN_ADD_PARTS) ||
           (done->kind == R2N_TRAIN_ADD_PARTS && next->kind == R2N_TRAIN_WEIGHTS);
}

static void run_list(void *context, r2n_team *team, int thread, int threads)
{
    const run *r = context;
    const r2n_train_list *list = r->list;
    size_t i = 0;
    while (i < list->count) {
        size_t next = i + 1;
        if (is_over_images(&list->operations[i])) {
            while (next < list->count && is_over_images(&list->operations[next]))
                next++;
            run_phase(r, i, next, thread, threads);
        } else {
            shared_out(r, &list->operations[i], thread, threads);
        }
        if (next < list->count && must_wait(&list->operations[next - 1], &list->operations[next]))
            r2n_team_barrier(team);
        i = next;
    }
}

/* ---- the number of pictures ---- */

static int32_t *images_of(r2n_train_operation *o)
{
    r2n_train_arguments *a = &o->arguments;
    switch (o->operation) {
    case R2N_OPERATION_GEMM:
        return &a->gemm.images;
    case R2N_OPERATION_WINOGRAD:
        return &a->winograd.images;
    case R2N_OPERATION_POOL:
        return &a->pool.images;
    case R2N_OPERATION_ELEMENTWISE:
        return &a->elementwise.images;
    case R2N_OPERATION_STATISTICS:
        return &a->statistics.images;
    case R2N_OPERATION_NORM_SUMS:
        return &a->norm_sums.images;
    case R2N_OPERATION_NORM_GRADIENT:
        return &a->norm_gradient.images;
    case R2N_OPERATION_POOL_GRADIENT:
        return &a->pool_gradient.pool.images;
    default:
        return &a->weights.images;
    }
}

static void run_all(r2n_network *network, r2n_train_list *list, const float *in, float *out,
                    int threads)
{
    run r = {.network = network, .list = list, .in = in, .out = out, .images = network->images};
    for (size_t i = 0; i < list->count; i++)
        if (list->operations[i].kernel != NULL)
            *images_of(&list->operations[i]) = network->images;
    r2n_thread_pool_run(threads, run_list, &r);
}

void r2n_network_forward(r2n_network *network, const float *pictures, int32_t images, float *logits,
                         int threads)
{
    network->images = images;
    run_all(network, &network->forward, pictures, logits, threads);
}

void r2n_network_backward(r2n_network *network, const float *logit_gradients, int threads)
{
    run_all(network, &network->backward, logit_gradients, NULL, threads);
}
