/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv_writer.h"
#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "platform.h"
#include "terminal_text.h"
#include "text_format.h"

/* The share of `part`; not a number where there is nothing to share (JSON null, CSV empty). */
static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static double precision_of(const res2net_class_result *one)
{
    return share(one->top1_correct, one->predicted);
}

/* The harmonic mean of precision and recall: 2 right / (pictures + answers). */
static double f1_of(const res2net_class_result *one)
{
    return share(2 * one->top1_correct, one->images + one->predicted);
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
    json_double_member(json, "precision", precision_of(one));
    json_double_member(json, "f1", f1_of(one));
    json_close_object(json);
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
    json_double_member(&json, "loss", ran > 0 ? found->loss : (double)NAN);
    json_double_member(&json, "seconds", found->seconds);
    json_key(&json, "classes");
    json_open_array(&json, JSON_ROWS);
    for (int32_t i = 0; i < found->classes; i++)
        write_class(&json, model, found, i);
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}

/* ---- text ---------------------------------------------------------------------------------- */

enum { LONG_TABLE = 40, SHORT_LIST = 10 };

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
        fputs("    top-1    top-5  precision       f1   images  class\n", out);
    for (int32_t i = 0; i < shown; i++) {
        const res2net_class_result *one = &found->per_class[ids[i]];
        fprintf(out, "  %6.2f%%  %6.2f%%", 100 * share(one->top1_correct, one->images),
                100 * share(one->top5_correct, one->images));
        if (one->predicted > 0)
            fprintf(out, "    %6.2f%%", 100 * precision_of(one));
        else
            fputs("          -", out);
        fprintf(out, "  %7.4f  %7" PRId64 "  ", f1_of(one), one->images);
        print_name(out, model, ids[i]);
        fputc('\n', out);
    }
    free(ids);
}

/* The most frequent wrong answers. */
static void print_confusions(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    struct {
        int64_t count;
        int32_t label, answer;
    } top[SHORT_LIST] = {0};
    if (found->confusion == NULL) /* too many classes for a matrix */
        return;
    for (int32_t label = 0; label < found->classes; label++) {
        for (int32_t answer = 0; answer < found->classes; answer++) {
            const int64_t count = found->confusion[(int64_t)label * found->classes + answer];
            if (label == answer || count <= top[SHORT_LIST - 1].count)
                continue;
            int at = SHORT_LIST - 1;
            for (; at > 0 && top[at - 1].count < count; at--)
                top[at] = top[at - 1];
            top[at].count = count;
            top[at].label = label;
            top[at].answer = answer;
        }
    }
    if (top[0].count > 0)
        fputs("\nthe most frequent confusions:\n", out);
    for (int i = 0; i < SHORT_LIST && top[i].count > 0; i++) {
        fprintf(out, "  %6" PRId64 " times  ", top[i].count);
        print_name(out, model, top[i].label);
        fputs(" taken for ", out);
        print_name(out, model, top[i].answer);
        fputc('\n', out);
    }
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
        fprintf(out, "top-5    %.4f%%  (%s right)\n",
                100 * share(found->top5_correct, found->images),
                format_count(count, found->top5_correct));
        fprintf(out, "loss     %.6f\n", found->loss);
    }
    fprintf(out, "seconds  %.2f  (%.1f images a second)\n", found->seconds,
            found->seconds > 0 ? (double)found->images / found->seconds : 0.0);
    print_classes(out, model, found);
    print_confusions(out, model, found);
}

/* ---- files --------------------------------------------------------------------------------- */

static void csv_share(FILE *out, double value)
{
    char buffer[FORMAT_BYTES];
    fprintf(out, ",%s", isfinite(value) ? format_double(buffer, value) : "");
}

static void write_per_class(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    fputs("class_id,label,images,top1_correct,top5_correct,predicted,top1,top5,precision,f1\n",
          out);
    for (int32_t i = 0; i < found->classes; i++) {
        const res2net_class_result *one = &found->per_class[i];
        fprintf(out, "%d,", i);
        csv_text(out, res2net_model_label(model, i));
        fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, one->images,
                one->top1_correct, one->top5_correct, one->predicted);
        csv_share(out, share(one->top1_correct, one->images));
        csv_share(out, share(one->top5_correct, one->images));
        csv_share(out, precision_of(one));
        csv_share(out, f1_of(one));
        fputc('\n', out);
    }
}

/* Row: label; column: answer. The first row and column are class ids. */
static void write_confusion(FILE *out, const res2net_model *model, const res2net_evaluation *found)
{
    (void)model;
    fputs("label", out);
    for (int32_t answer = 0; answer < found->classes; answer++)
        fprintf(out, ",%d", answer);
    fputc('\n', out);
    for (int32_t label = 0; label < found->classes; label++) {
        fprintf(out, "%d", label);
        for (int32_t answer = 0; answer < found->classes; answer++)
            fprintf(out, ",%" PRId64, found->confusion[(int64_t)label * found->classes + answer]);
        fputc('\n', out);
    }
}

int eval_write_report(const char *folder, const res2net_model *model,
                      const res2net_evaluation *found)
{
    static const struct {
        const char *name;
        void (*write)(FILE *, const res2net_model *, const res2net_evaluation *);
    } files[] = {{"per_class.csv", write_per_class},
                 {"confusion.csv", write_confusion},
                 {"summary.json", eval_print_json}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        atomic_file file;
        if (files[i].write == write_confusion && found->confusion == NULL) {
            say("%d classes are too many for %s: it is left out", found->classes, files[i].name);
            continue;
        }
        int failure = atomic_file_open(&file, folder, files[i].name);
        if (failure == 0) {
            files[i].write(file.stream, model, found);
            failure = atomic_file_close(&file);
        }
        if (failure != 0) {
            say("%s/%s: cannot be written: %s", folder, files[i].name, strerror(failure));
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}
