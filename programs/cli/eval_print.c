/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "eval_pairs.h"
#include "json_writer.h"
#include "platform.h"
#include "terminal_text.h"
#include "text_format.h"

/* The share of `part`; not a number where there is nothing to share (JSON null). */
static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void write_class(json_writer *json, const res2net_model *model,
                        const res2net_evaluation *found, int32_t class_id)
{
    const res2net_class_result *one = &found->per_class[class_id];
    json_open_object(json, JSON_LINE);
    json_integer_member(json, "class_id", class_id);
    json_text_member(json, "label", res2net_model_label(model, class_id));
    json_integer_member(json, "images", one->images);
    json_double_member(json, "top1", share(one->top1_correct, one->images));
    json_double_member(json, "top5", share(one->top5_correct, one->images));
    json_integer_member(json, "top1_correct", one->top1_correct);
    json_integer_member(json, "top5_correct", one->top5_correct);
    json_integer_member(json, "predicted", one->predicted);
    json_double_member(json, "precision", one->precision);
    json_double_member(json, "recall", one->recall);
    json_double_member(json, "f1", one->f1);
    json_close_object(json);
}

static void write_calibration(json_writer *json, const res2net_evaluation *found)
{
    json_key(json, "calibration");
    json_open_array(json, JSON_ROWS);
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++) {
        const res2net_calibration_bin *bin = &found->calibration[i];
        json_open_object(json, JSON_LINE);
        json_double_member(json, "above", (double)i / RES2NET_CALIBRATION_BINS);
        json_double_member(json, "to", (double)(i + 1) / RES2NET_CALIBRATION_BINS);
        json_integer_member(json, "images", bin->images);
        json_double_member(json, "confidence", bin->images > 0 ? bin->confidence : (double)NAN);
        json_double_member(json, "top1", share(bin->correct, bin->images));
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_pairs(json_writer *json, const res2net_model *model,
                        const res2net_evaluation *found)
{
    json_key(json, "confused_pairs");
    if (found->confusion == NULL) { /* too many classes for a matrix */
        json_null(json);
        return;
    }
    size_t count;
    confused_pair *pairs = eval_pairs(found, &count);
    json_open_array(json, JSON_ROWS);
    for (size_t i = 0; i < count && i < EVAL_SHOWN_PAIRS; i++) {
        json_open_object(json, JSON_LINE);
        json_integer_member(json, "class_id", pairs[i].label);
        json_text_member(json, "label", res2net_model_label(model, pairs[i].label));
        json_integer_member(json, "answer_id", pairs[i].answer);
        json_text_member(json, "answer", res2net_model_label(model, pairs[i].answer));
        json_integer_member(json, "images", pairs[i].images);
        json_close_object(json);
    }
    json_close_array(json);
    free(pairs);
}

static void write_worst(json_writer *json, const res2net_model *model,
                        const res2net_evaluation *found)
{
    json_key(json, "worst");
    json_open_array(json, JSON_ROWS);
    for (int32_t i = 0; i < found->worst_count; i++) {
        const res2net_worst_picture *one = &found->worst[i];
        json_open_object(json, JSON_LINE);
        json_text_member(json, "file", one->name);
        json_integer_member(json, "class_id", one->label);
        json_text_member(json, "label", res2net_model_label(model, one->label));
        json_integer_member(json, "answer_id", one->answer);
        json_text_member(json, "answer", res2net_model_label(model, one->answer));
        json_double_member(json, "confidence", one->confidence);
        json_double_member(json, "label_confidence", one->label_confidence);
        json_double_member(json, "loss", one->loss);
        json_close_object(json);
    }
    json_close_array(json);
}

void eval_print_json(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    const int64_t ran = found->images;
    json_writer json = json_begin(out);
    json_open_object(&json, JSON_ROWS);
    json_integer_member(&json, "images", ran);
    json_integer_member(&json, "skipped", found->skipped);
    json_integer_member(&json, "top1_correct", found->top1_correct);
    json_integer_member(&json, "top5_correct", found->top5_correct);
    json_double_member(&json, "top1", share(found->top1_correct, ran));
    json_double_member(&json, "top5", share(found->top5_correct, ran));
    json_double_member(&json, "loss", eval_ran(found) > 0 ? found->loss : (double)NAN);
    json_double_member(&json, "seconds", found->seconds);
    json_double_member(&json, "macro_precision", found->macro_precision);
    json_double_member(&json, "macro_recall", found->macro_recall);
    json_double_member(&json, "macro_f1", found->macro_f1);
    json_double_member(&json, "calibration_error", found->calibration_error);
    json_key(&json, "classes");
    json_open_array(&json, JSON_ROWS);
    for (int32_t i = 0; i < found->classes; i++)
        write_class(&json, model, found, i);
    json_close_array(&json);
    write_calibration(&json, found);
    write_pairs(&json, model, found);
    write_worst(&json, model, found);
    json_close_object(&json);
    json_end(&json);
}

/* ---- text ---------------------------------------------------------------------------------- */

enum { LONG_TABLE = 40, SHORT_LIST = 10 };

/* The n of "top-n", which stands in `top5_correct`. */
static int top_n(const res2net_evaluation *found)
{
    return found->classes < 5 ? (int)found->classes : 5;
}

/* Of the pictures that ran. */
static double mean_confidence(const res2net_evaluation *found)
{
    double sum = 0;
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++)
        sum += found->calibration[i].confidence * (double)found->calibration[i].images;
    return sum / (double)eval_ran(found);
}

static void print_name(FILE *out, const res2net_model *model, int32_t class_id)
{
    const char *label = res2net_model_label(model, class_id);
    fprintf(out, "%d", class_id);
    if (label != NULL) {
        fputc(' ', out);
        put_printable(out, label);
    }
}

/* For qsort, which passes no context. */
static const res2net_evaluation *sorted_evaluation;

static int worse_first(const void *a, const void *b)
{
    const int32_t first = *(const int32_t *)a;
    const int32_t second = *(const int32_t *)b;
    const res2net_class_result *x = &sorted_evaluation->per_class[first];
    const res2net_class_result *y = &sorted_evaluation->per_class[second];
    const double difference = share(x->top1_correct, x->images) - share(y->top1_correct, y->images);
    if (difference != 0)
        return difference < 0 ? -1 : 1;
    return first < second ? -1 : 1;
}

/* Classes that have pictures; all of them in order, or the worst of many. */
static void print_classes(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    int32_t *ids = platform_allocate((size_t)found->classes, sizeof *ids);
    int32_t count = 0;
    for (int32_t i = 0; i < found->classes; i++)
        if (found->per_class[i].images > 0)
            ids[count++] = i;
    int32_t shown = count;
    if (count > LONG_TABLE) {
        shown = SHORT_LIST;
        sorted_evaluation = found;
        qsort(ids, (size_t)count, sizeof *ids, worse_first);
        fprintf(out, "\nthe %d worst of %d classes (--report FOLDER has all):\n", shown, count);
    } else if (count > 0) {
        fputs("\nclasses:\n", out);
    }
    if (count > 0)
        fprintf(out, "    top-1    top-%d  precision       f1   images  class\n", top_n(found));
    for (int32_t i = 0; i < shown; i++) {
        const res2net_class_result *one = &found->per_class[ids[i]];
        fprintf(out, "  %6.2f%%  %6.2f%%", 100 * share(one->top1_correct, one->images),
                100 * share(one->top5_correct, one->images));
        if (one->predicted > 0)
            fprintf(out, "    %6.2f%%", 100 * one->precision);
        else
            fputs("          -", out);
        fprintf(out, "  %7.4f  %7" PRId64 "  ", one->f1, one->images);
        print_name(out, model, ids[i]);
        fputc('\n', out);
    }
    free(ids);
}

/* The most frequent wrong answers. */
static void print_confusions(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    size_t count;
    confused_pair *pairs = eval_pairs(found, &count);
    if (count > 0)
        fputs("\nthe most frequent confusions:\n", out);
    for (size_t i = 0; i < count && i < EVAL_SHOWN_PAIRS; i++) {
        fprintf(out, "  %6" PRId64 " times  ", pairs[i].images);
        print_name(out, model, pairs[i].label);
        fputs(" taken for ", out);
        print_name(out, model, pairs[i].answer);
        fputc('\n', out);
    }
    free(pairs);
}

void eval_print_text(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    char count[FORMAT_BYTES];
    fprintf(out, "images   %s", format_count(count, found->images));
    if (found->skipped > 0)
        fprintf(out, " (%s unreadable)", format_count(count, found->skipped));
    fputc('\n', out);
    if (found->images > 0) {
        fprintf(out, "top-1    %.4f%%  (%s right)\n",
                100 * share(found->top1_correct, found->images),
                format_count(count, found->top1_correct));
        fprintf(out, "top-%d    %.4f%%  (%s right)\n", top_n(found),
                100 * share(found->top5_correct, found->images),
                format_count(count, found->top5_correct));
        fprintf(out, "macro F1 %.4f  (precision %.2f%%, recall %.2f%%)\n", found->macro_f1,
                100 * found->macro_precision, 100 * found->macro_recall);
    }
    if (eval_ran(found) > 0) {
        fprintf(out, "loss     %.6f\n", found->loss);
        fprintf(out, "ECE      %.4f  (calibration error; mean confidence %.2f%%)\n",
                found->calibration_error, 100 * mean_confidence(found));
    }
    fprintf(out, "seconds  %.2f  (%.1f images a second)\n", found->seconds,
            found->seconds > 0 ? (double)found->images / found->seconds : 0.0);
    print_classes(out, model, found);
    print_confusions(out, model, found);
}
