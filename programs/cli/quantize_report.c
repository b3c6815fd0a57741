/* SPDX-License-Identifier: Apache-2.0 */
#include "quantize_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "json_writer.h"
#include "platform.h"
#include "terminal_text.h"
#include "text_format.h"

/* Not a number where there is nothing to share: JSON null. */
static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* ---- text ---- */

static void print_row(FILE *out, const char *name, const res2net_comparison *c, int side)
{
    fprintf(out, "  %-5s %8.2f%% %8.2f%% %10.6f\n", name,
            100 * share(c->top1_correct[side], c->labelled),
            100 * share(c->top5_correct[side], c->labelled), c->loss[side]);
}

static void print_comparison(FILE *out, const char *what, const char *list,
                             const res2net_comparison *c)
{
    char count[FORMAT_BYTES];
    fprintf(out, "\n%s ", what);
    put_printable(out, list);
    fprintf(out, ", %s pictures", format_count(count, c->images));
    if (c->skipped > 0)
        fprintf(out, " (and %s unreadable)", format_count(count, c->skipped));
    fputc('\n', out);
    if (c->labelled > 0) {
        fputs("            top-1     top-5       loss\n", out);
        print_row(out, "f32", c, 0);
        print_row(out, "int8", c, 1);
    } else {
        fputs("  no labels: top-1 is not known\n", out);
    }
    fprintf(out, "  the same answer for %.2f%%; the scores' signal to noise %.2f dB\n",
            100 * share(c->same_answer, c->images), c->signal_to_noise);
}

/* For qsort, which passes no context. */
static const res2net_quantized_step *sorted_steps;

static int weaker_first(const void *a, const void *b)
{
    const size_t first = *(const size_t *)a;
    const size_t second = *(const size_t *)b;
    const double x = sorted_steps[first].signal_to_noise;
    const double y = sorted_steps[second].signal_to_noise;
    if (x < y || x > y)
        return x < y ? -1 : 1;
    return first < second ? -1 : 1;
}

static void print_steps(FILE *out, const res2net_quantization *found)
{
    enum { SHOWN = 10 };
    size_t *order = platform_allocate(found->step_count, sizeof *order);
    for (size_t i = 0; i < found->step_count; i++)
        order[i] = i;
    sorted_steps = found->steps;
    qsort(order, found->step_count, sizeof *order, weaker_first);
    const size_t shown = found->step_count < SHOWN ? found->step_count : SHOWN;
    fprintf(
        out,
        "\nsignal to noise, the %zu weakest of %zu steps (--format json has all)\n      dB  step\n",
        shown, found->step_count);
    for (size_t i = 0; i < shown; i++)
        fprintf(out, "  %6.2f  %s\n", found->steps[order[i]].signal_to_noise,
                found->steps[order[i]].name);
    free(order);
}

void quantize_print_text(FILE *out, const char *calibration_list, const res2net_quantization *found,
                         const char *evaluation_list, const res2net_comparison *evaluation)
{
    print_comparison(out, "calibrated with", calibration_list, &found->pictures);
    if (evaluation != NULL)
        print_comparison(out, "evaluated with", evaluation_list, evaluation);
    else if (found->pictures.labelled > 0)
        fputs("  these are the pictures of the calibration itself; --eval LIST takes others\n",
              out);
    print_steps(out, found);
}

/* ---- JSON ---- */

static void write_side(json_writer *json, const char *key, const res2net_comparison *c, int side)
{
    json_key(json, key);
    json_open_object(json, JSON_LINE);
    json_integer_member(json, "top1_correct", c->top1_correct[side]);
    json_integer_member(json, "top5_correct", c->top5_correct[side]);
    json_double_member(json, "top1", share(c->top1_correct[side], c->labelled));
    json_double_member(json, "top5", share(c->top5_correct[side], c->labelled));
    json_double_member(json, "loss", c->labelled > 0 ? c->loss[side] : (double)NAN);
    json_close_object(json);
}

static void write_comparison(json_writer *json, const char *key, const char *list,
                             const res2net_comparison *c)
{
    json_key(json, key);
    if (c == NULL) {
        json_null(json);
        return;
    }
    json_open_object(json, JSON_ROWS);
    json_text_member(json, "list", list);
    json_integer_member(json, "images", c->images);
    json_integer_member(json, "skipped", c->skipped);
    json_integer_member(json, "labelled", c->labelled);
    write_side(json, "f32", c, 0);
    write_side(json, "int8", c, 1);
    json_integer_member(json, "same_answer", c->same_answer);
    json_double_member(json, "signal_to_noise_db", c->signal_to_noise);
    json_double_member(json, "largest_difference", c->largest_difference);
    json_close_object(json);
}

void quantize_print_json(FILE *out, const char *calibration_list, const res2net_quantization *found,
                         const char *evaluation_list, const res2net_comparison *evaluation)
{
    json_writer json = json_begin(out);
    json_open_object(&json, JSON_ROWS);
    write_comparison(&json, "calibration", calibration_list, &found->pictures);
    write_comparison(&json, "evaluation", evaluation_list, evaluation);
    json_double_member(&json, "seconds", found->seconds);
    json_key(&json, "steps");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < found->step_count; i++) {
        json_open_object(&json, JSON_LINE);
        json_text_member(&json, "name", found->steps[i].name);
        json_double_member(&json, "signal_to_noise_db", found->steps[i].signal_to_noise);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}
