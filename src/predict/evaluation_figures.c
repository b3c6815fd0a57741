/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/evaluation_figures.h"

#include <math.h>

r2n_answer r2n_answer_of(const float *logits, int32_t classes, int32_t label)
{
    r2n_answer found = {0};
    double sum = 0;
    for (int32_t n = 1; n < classes; n++)
        if (logits[n] > logits[found.answer])
            found.answer = n;
    for (int32_t n = 0; n < classes; n++) {
        found.better += logits[n] > logits[label] || (logits[n] == logits[label] && n < label);
        sum += exp((double)logits[n] - (double)logits[found.answer]);
    }
    found.loss = log(sum) + (double)logits[found.answer] - (double)logits[label];
    found.confidence = 1 / sum;
    found.label_confidence = exp((double)logits[label] - (double)logits[found.answer]) / sum;
    return found;
}

/* The bin (i / bins, (i + 1) / bins] of a confidence over 0. */
static int bin_of(double confidence)
{
    int bin = 0;
    while (bin < RES2NET_CALIBRATION_BINS - 1 &&
           confidence > (double)(bin + 1) / RES2NET_CALIBRATION_BINS)
        bin++;
    return bin;
}

void r2n_figures_count(res2net_evaluation *evaluation, int32_t label, const r2n_answer *answer)
{
    res2net_class_result *result = &evaluation->per_class[label];
    res2net_calibration_bin *bin = &evaluation->calibration[bin_of(answer->confidence)];
    const int first = answer->better < 1;
    const int among_five = answer->better < 5;
    evaluation->images++;
    result->images++;
    evaluation->per_class[answer->answer].predicted++;
    if (evaluation->confusion != NULL)
        evaluation->confusion[(int64_t)label * evaluation->classes + answer->answer]++;
    evaluation->top1_correct += first;
    result->top1_correct += first;
    evaluation->top5_correct += among_five;
    result->top5_correct += among_five;
    bin->images++;
    bin->correct += first;
    bin->confidence += answer->confidence;
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static void finish_classes(res2net_evaluation *evaluation)
{
    double precision = 0;
    double recall = 0;
    double f1 = 0;
    int32_t classes = 0; /* that have pictures */
    for (int32_t i = 0; i < evaluation->classes; i++) {
        res2net_class_result *one = &evaluation->per_class[i];
        one->precision = share(one->top1_correct, one->predicted);
        one->recall = share(one->top1_correct, one->images);
        one->f1 = share(2 * one->top1_correct, one->images + one->predicted);
        if (one->images == 0)
            continue;
        classes++;
        precision += one->predicted > 0 ? one->precision : 0;
        recall += one->recall;
        f1 += one->f1;
    }
    evaluation->macro_precision = classes > 0 ? precision / classes : (double)NAN;
    evaluation->macro_recall = classes > 0 ? recall / classes : (double)NAN;
    evaluation->macro_f1 = classes > 0 ? f1 / classes : (double)NAN;
}

static void finish_calibration(res2net_evaluation *evaluation)
{
    double distance = 0; /* a picture each */
    int64_t images = 0;
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++) {
        res2net_calibration_bin *bin = &evaluation->calibration[i];
        if (bin->images == 0)
            continue;
        images += bin->images;
        distance += fabs(bin->confidence - (double)bin->correct);
        bin->confidence /= (double)bin->images;
    }
    evaluation->calibration_error = images > 0 ? distance / (double)images : (double)NAN;
}

void r2n_figures_finish(res2net_evaluation *evaluation)
{
    finish_classes(evaluation);
    finish_calibration(evaluation);
}
