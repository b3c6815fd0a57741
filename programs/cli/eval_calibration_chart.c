/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "eval_files.h"
#include "eval_pairs.h"
#include "text_format.h"

/* Two charts over the same axis: the share that is right above, the number of pictures below. */
enum {
    LEFT = 70,
    TOP = 60,
    SIDE = 405, /* a multiple of the bins */
    STEP = SIDE / RES2NET_CALIBRATION_BINS,
    COUNTS_TOP = TOP + SIDE + 22,
    COUNTS_HEIGHT = 80,
    WIDTH = LEFT + SIDE + 25,
    HEIGHT = COUNTS_TOP + COUNTS_HEIGHT + 52
};

static void write_head(FILE *out, const res2net_evaluation *found, int64_t ran)
{
    char count[FORMAT_BYTES];
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n"
            "<title>Reliability diagram</title>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"24\" font-size=\"16\">Calibration</text>\n",
            WIDTH, HEIGHT, LEFT);
    if (ran == 0) {
        fprintf(out, "<text x=\"%d\" y=\"43\" fill=\"#555\">No picture ran.</text>\n", LEFT);
        return;
    }
    fprintf(out,
            "<text x=\"%d\" y=\"43\" fill=\"#555\">%s pictures; expected calibration error %.4f "
            "(%d bins)</text>\n",
            LEFT, format_count(count, ran), found->calibration_error, RES2NET_CALIBRATION_BINS);
}

static void write_axes(FILE *out)
{
    for (int i = 0; i <= 5; i++) {
        const double at = SIDE * i / 5.0;
        fprintf(out,
                "<path d=\"M%d %.1fh%d\" stroke=\"#ddd\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d%%</text>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>\n",
                LEFT, TOP + SIDE - at, SIDE, LEFT - 6, TOP + SIDE - at + 4, 20 * i, LEFT + at,
                COUNTS_TOP + COUNTS_HEIGHT + 16, i / 5.0);
    }
    fprintf(out,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">confidence (the softmax of the "
            "answer)</text>\n"
            "<text transform=\"translate(18 %d) rotate(-90)\" text-anchor=\"middle\">right "
            "answers</text>\n"
            "<text transform=\"translate(18 %d) rotate(-90)\" "
            "text-anchor=\"middle\">pictures</text>\n",
            LEFT + SIDE / 2, HEIGHT - 14, TOP + SIDE / 2, COUNTS_TOP + COUNTS_HEIGHT / 2);
}

#define RIGHT      "#2b6cb0"
#define MORE_RIGHT "#a3c4e6"
#define LESS_RIGHT "#e8b4b0"

/* A bar to what is right, its part over the mean confidence pale; what is missing to the mean
 * confidence red; and how many. */
static void write_bin(FILE *out, const res2net_calibration_bin *bin, int index, int64_t largest)
{
    const int x = LEFT + index * STEP;
    const double right = (double)bin->correct / (double)bin->images;
    const double low = fmin(right, bin->confidence);
    const double gap = fabs(right - bin->confidence);
    const double height = COUNTS_HEIGHT * (double)bin->images / (double)largest;
    fprintf(out, "<g><title>confidence %.3f to %.3f: %" PRId64 " pictures, ",
            (double)index / RES2NET_CALIBRATION_BINS,
            (double)(index + 1) / RES2NET_CALIBRATION_BINS, bin->images);
    fprintf(out, "mean confidence %.4f, right %.4f</title>", bin->confidence, right);
    fprintf(out,
            "<rect x=\"%d\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" fill=\"" RIGHT "\"/>"
            "<rect x=\"%d\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" fill=\"%s\"/>",
            x + 1, TOP + SIDE * (1 - low), STEP - 2, SIDE * low, x + 1,
            TOP + SIDE * (1 - low - gap), STEP - 2, SIDE * gap,
            right > bin->confidence ? MORE_RIGHT : LESS_RIGHT);
    fprintf(out, "<rect x=\"%d\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" fill=\"#777\"/></g>\n",
            x + 1, COUNTS_TOP + COUNTS_HEIGHT - height, STEP - 2, height);
}

static void write_key(FILE *out)
{
    static const struct {
        const char *fill, *text;
    } rows[] = {{RIGHT, "right answers"},
                {MORE_RIGHT, "right, and more than confidence says"},
                {LESS_RIGHT, "confidence without being right"}};
    for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++)
        fprintf(out,
                "<g transform=\"translate(%d %d)\"><rect y=\"-9\" width=\"14\" height=\"9\" "
                "fill=\"%s\"/><text x=\"20\">%s</text></g>\n",
                LEFT + 12, TOP + 20 + 18 * i, rows[i].fill, rows[i].text);
}

void eval_draw_calibration(FILE *out, const eval_result *result)
{
    const res2net_calibration_bin *bins = result->found->calibration;
    int64_t largest = 0;
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++)
        if (bins[i].images > largest)
            largest = bins[i].images;
    write_head(out, result->found, eval_ran(result->found));
    write_axes(out);
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++)
        if (bins[i].images > 0)
            write_bin(out, &bins[i], i, largest);
    fprintf(out,
            "<path d=\"M%d %dL%d %d\" stroke=\"#888\" stroke-dasharray=\"5 4\"/>\n"
            "<path d=\"M%d %dv%dh%d\" fill=\"none\" stroke=\"#888\"/>"
            "<path d=\"M%d %dv%dh%d\" fill=\"none\" stroke=\"#888\"/>\n",
            LEFT, TOP + SIDE, LEFT + SIDE, TOP, LEFT, TOP, SIDE, SIDE, LEFT, COUNTS_TOP,
            COUNTS_HEIGHT, SIDE);
    write_key(out);
    fputs("</svg>\n", out);
}
