/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "csv_writer.h"
#include "eval_files.h"
#include "eval_pairs.h"
#include "text_format.h"

/* Empty where it is not a number. */
static void csv_number(FILE *out, double value)
{
    char buffer[FORMAT_BYTES];
    fprintf(out, ",%s", isfinite(value) ? format_double(buffer, value) : "");
}

static void csv_share(FILE *out, int64_t part, int64_t whole)
{
    csv_number(out, whole > 0 ? (double)part / (double)whole : (double)NAN);
}

void eval_write_classes(FILE *out, const eval_result *result)
{
    fputs("class_id,label,images,top1_correct,top5_correct,predicted,top1,top5,precision,recall,f1,"
          "support\n",
          out);
    for (int32_t i = 0; i < result->found->classes; i++) {
        const res2net_class_result *one = &result->found->per_class[i];
        fprintf(out, "%d,", i);
        csv_text(out, res2net_model_label(result->model, i));
        fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, one->images,
                one->top1_correct, one->top5_correct, one->predicted);
        csv_share(out, one->top1_correct, one->images);
        csv_share(out, one->top5_correct, one->images);
        csv_number(out, one->precision);
        csv_number(out, one->recall);
        csv_number(out, one->f1);
        fprintf(out, ",%" PRId64 "\n", one->images);
    }
}

/* Row: label; column: answer. The first row and column are class ids. */
void eval_write_confusion(FILE *out, const eval_result *result)
{
    const res2net_evaluation *found = result->found;
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

void eval_write_pairs(FILE *out, const eval_result *result)
{
    size_t count;
    confused_pair *pairs = eval_pairs(result->found, &count);
    fputs("class_id,label,answer_id,answer,images,share_of_label\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%d,", pairs[i].label);
        csv_text(out, res2net_model_label(result->model, pairs[i].label));
        fprintf(out, ",%d,", pairs[i].answer);
        csv_text(out, res2net_model_label(result->model, pairs[i].answer));
        fprintf(out, ",%" PRId64, pairs[i].images);
        csv_share(out, pairs[i].images, result->found->per_class[pairs[i].label].images);
        fputc('\n', out);
    }
    free(pairs);
}
