/* SPDX-License-Identifier: Apache-2.0 */
#include "train/loss.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

static int32_t largest(int32_t count, const float *values)
{
    int32_t at = 0;
    for (int32_t i = 1; i < count; i++)
        if (values[i] > values[at])
            at = i;
    return at;
}

/* One picture: what is wanted of each class is share * target + floor. */
typedef struct loss_row {
    int32_t classes;
    const float *logits;
    int32_t label;        /* where there are no targets */
    const float *targets; /* or NULL */
    double share, floor;
} loss_row;

static double wanted(const loss_row *row, int32_t class)
{
    const double target = row->targets != NULL ? (double)row->targets[class] : class == row->label;
    return row->share * target + row->floor;
}

/* -sum(wanted * log softmax(logits)); logarithms are taken relative to the largest logit, so that
 * none of any size overflows. */
static double row_loss(const loss_row *row, double largest_logit, double log_sum)
{
    double loss = 0;
    for (int32_t c = 0; c < row->classes; c++) {
        const double target = wanted(row, c);
        if (target != 0) /* a class that nobody wants may have a logit of -infinity */
            loss -= target * ((double)row->logits[c] - largest_logit - log_sum);
    }
    return loss;
}

/* softmax(logits) times the sum of what is wanted, less what is wanted. */
static void row_gradient(const loss_row *row, double largest_logit, double log_sum, double factor,
                         float *gradient)
{
    double total = 0;
    for (int32_t c = 0; c < row->classes; c++)
        total += wanted(row, c);
    for (int32_t c = 0; c < row->classes; c++) {
        const double share = exp((double)row->logits[c] - largest_logit - log_sum);
        gradient[c] = (float)(factor * (share * total - wanted(row, c)));
    }
}

/* How much a picture counts: its label's class weight, or the mean of them that its targets make.
 */
static double picture_weight(const r2n_loss_options *options, const loss_row *row)
{
    if (options->class_weights == NULL)
        return 1;
    if (row->targets == NULL)
        return (double)options->class_weights[row->label];
    double weight = 0;
    for (int32_t c = 0; c < row->classes; c++)
        weight += (double)row->targets[c] * (double)options->class_weights[c];
    return weight;
}

static loss_row row_of(const r2n_loss_options *options, int32_t image, int32_t classes,
                       const float *logits, const int32_t *labels, const float *targets)
{
    const size_t first = (size_t)image * (size_t)classes;
    const int smoothed = options->epsilon > 0 && options->epsilon < 1;
    assert(labels == NULL || (labels[image] >= 0 && labels[image] < classes));
    return (loss_row){.classes = classes,
                      .logits = logits + first,
                      .label = labels != NULL ? labels[image] : -1,
                      .targets = targets != NULL ? targets + first : NULL,
                      .share = smoothed ? 1 - options->epsilon : 1,
                      .floor = smoothed ? options->epsilon / classes : 0};
}

double r2n_cross_entropy(const r2n_loss_options *options, int32_t images, int32_t classes,
                         const float *logits, const int32_t *labels, const float *targets,
                         float *gradient, int64_t *correct)
{
    double loss = 0, weights = 0;
    int64_t right = 0;
    for (int32_t i = 0; i < images; i++) {
        const loss_row row = row_of(options, i, classes, logits, labels, targets);
        weights += picture_weight(options, &row);
    }
    /* Where no picture counts there is nothing to learn; a weight that is no number is told. */
    const double each = weights == 0 ? 0 : options->weight / weights;
    for (int32_t i = 0; i < images; i++) {
        const loss_row row = row_of(options, i, classes, logits, labels, targets);
        const double factor = each * picture_weight(options, &row);
        const int32_t guess = largest(classes, row.logits);
        const double largest_logit = (double)row.logits[guess];
        double sum = 0;
        for (int32_t c = 0; c < classes; c++)
            sum += exp((double)row.logits[c] - largest_logit);
        const double log_sum = log(sum);
        loss += factor * row_loss(&row, largest_logit, log_sum);
        right += guess == (targets != NULL ? largest(classes, targets + (size_t)i * (size_t)classes)
                                           : row.label);
        if (gradient != NULL)
            row_gradient(&row, largest_logit, log_sum, factor,
                         gradient + (size_t)i * (size_t)classes);
    }
    if (correct != NULL)
        *correct = right;
    return loss;
}
