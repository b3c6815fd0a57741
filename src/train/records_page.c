/* SPDX-License-Identifier: Apache-2.0 */
/* report.html: one file with everything in it, well-formed as XML, readable without a script and
 * in light and dark. */
#include <math.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"
#include "formats/markup.h"
#include "train/records_internal.h"

enum { PERCENT = 100 };

static void put_head(r2n_text *page, const char *title)
{
    r2n_text_put(page, "<!DOCTYPE html>\n"
                       "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
                       "<meta charset=\"utf-8\"/>\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                       "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>");
    r2n_markup_put(page, title);
    r2n_text_put(
        page,
        "</title>\n<style>\n"
        ":root{--page:#fff;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;--mark:#fff3c4;"
        "--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37}\n"
        "@media (prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#e6edf3;--soft:#9aa4af;"
        "--rule:#30363d;--mark:#3d3200;--c0:#58a6ff;--c1:#f0883e;--c2:#3fb950}}\n"
        "body{margin:1.5rem auto;padding:0 1rem;max-width:84rem;background:var(--page);"
        "color:var(--ink);font:15px/1.45 system-ui,sans-serif}\n"
        "h1{font-size:1.35rem;margin:0 0 .3rem}\n.soft{color:var(--soft)}\n"
        ".curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));"
        "gap:1rem}\n"
        "figure{margin:0;padding:.8rem;border:1px solid var(--rule);border-radius:6px}\n"
        "figcaption{font-weight:600;margin-bottom:.3rem}\n"
        ".key{font-weight:400;margin-left:.8rem;white-space:nowrap}\n"
        ".key::before{content:\"\";display:inline-block;width:1.6rem;margin-right:.35rem;"
        "vertical-align:middle;border-top:2.5px solid}\n"
        ".k0::before{border-color:var(--c0)}\n"
        ".k1::before{border-color:var(--c1);border-top-style:dashed}\n"
        ".k2::before{border-color:var(--c2);border-top-style:dotted}\n"
        "svg{display:block;width:100%;height:auto}\nsvg text{font-size:12px;fill:var(--soft)}\n"
        "@media (max-width:40rem){svg text{font-size:17px}}\n"
        ".grid{stroke:var(--rule)}\n.tick{stroke:var(--soft)}\n"
        ".best{stroke:var(--soft);stroke-dasharray:2 4}\n"
        ".curve polyline{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}\n"
        ".curve circle{fill:currentColor}\n"
        ".c0{color:var(--c0)}\n.c1{color:var(--c1)}\n.c1 polyline{stroke-dasharray:7 4}\n"
        ".c2{color:var(--c2)}\n.c2 polyline{stroke-dasharray:2 3}\n"
        ".table{overflow-x:auto}\n"
        "table{border-collapse:collapse;margin-top:1.2rem;font-variant-numeric:tabular-nums}\n"
        "caption{text-align:left;font-weight:600;padding-bottom:.3rem}\n"
        "th,td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid var(--rule);"
        "white-space:nowrap}\n"
        "th{color:var(--soft);font-weight:600}\ntr.top td{background:var(--mark);font-weight:600}\n"
        "</style>\n</head>\n<body>\n<h1>");
    r2n_markup_put(page, title);
    r2n_text_put(page, "</h1>\n");
}

static void put_percent(r2n_text *page, double share)
{
    r2n_put_fixed(page, share * PERCENT, 2);
    r2n_text_put(page, " %");
}

/* " 12 pictures were left out so far." */
static void put_count(r2n_text *page, int64_t count, const char *one, const char *many)
{
    if (count == 0)
        return;
    r2n_text_put(page, " ");
    r2n_json_put_integer(page, count);
    r2n_text_put(page, count == 1 ? one : many);
}

static void put_summary(r2n_text *page, int64_t epochs, const r2n_history *history)
{
    if (history->count == 0) {
        r2n_text_put(page, "<p>No epoch is done yet.</p>\n");
        return;
    }
    const r2n_epoch_record *last = &history->rows[history->count - 1];
    const int64_t best = r2n_history_best(history);
    double seconds = 0;
    for (size_t i = 0; i < history->count; i++)
        seconds += isfinite(history->rows[i].seconds) ? history->rows[i].seconds : 0;
    r2n_text_put(page, "<p>Epoch ");
    r2n_json_put_integer(page, last->epoch);
    r2n_text_put(page, " of ");
    r2n_json_put_integer(page, epochs);
    r2n_text_put(page, ", step ");
    r2n_json_put_integer(page, last->step);
    r2n_text_put(page, ", ");
    r2n_put_duration(page, seconds);
    r2n_text_put(page, " of work.");
    if (best >= 0) {
        r2n_text_put(page, " Best top-1: <strong>");
        put_percent(page, history->rows[best].eval_top1);
        r2n_text_put(page, "</strong> in epoch ");
        r2n_json_put_integer(page, history->rows[best].epoch);
        r2n_text_put(page, " (dotted line).");
    }
    put_count(page, last->skipped_steps, " step with numbers that are not finite was skipped.",
              " steps with numbers that are not finite were skipped.");
    put_count(page, last->left_out, " picture could not be read and was left out.",
              " pictures could not be read and were left out.");
    r2n_text_put(page, "</p>\n");
}

/* ---- curves --------------------------------------------------------------------------------- */

static double train_loss(const r2n_epoch_record *row)
{
    return row->train_loss;
}

static double eval_loss(const r2n_epoch_record *row)
{
    return row->evaluated ? row->eval_loss : NAN;
}

static double top1(const r2n_epoch_record *row)
{
    return row->evaluated ? row->eval_top1 * PERCENT : NAN;
}

static double top5(const r2n_epoch_record *row)
{
    return row->evaluated ? row->eval_top5 * PERCENT : NAN;
}

static double average_top1(const r2n_epoch_record *row)
{
    return row->average_top1 >= 0 ? row->average_top1 * PERCENT : NAN;
}

static double rate(const r2n_epoch_record *row)
{
    return row->rate;
}

static double images_per_second(const r2n_epoch_record *row)
{
    return row->images_per_second;
}

static void put_figures(r2n_text *page, const r2n_history *history)
{
    static const r2n_curve losses[] = {{"training", train_loss}, {"evaluation", eval_loss}};
    static const r2n_curve accuracy[] = {
        {"top-1", top1}, {"top-5", top5}, {"top-1 of averaged weights", average_top1}};
    static const r2n_curve rates[] = {{"learning rate", rate}};
    static const r2n_curve speed[] = {{"pictures a second", images_per_second}};
    static const r2n_figure figures[] = {
        {.title = "Loss", .curves = losses, .count = 2, .unit = ""},
        {.title = "Accuracy, %", .curves = accuracy, .count = 3, .unit = " %"},
        {.title = "Learning rate", .curves = rates, .count = 1, .from_zero = 1, .unit = ""},
        {.title = "Training speed", .curves = speed, .count = 1, .from_zero = 1, .unit = ""},
    };
    r2n_text_put(page, "<div class=\"curves\">\n");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        r2n_put_figure(page, &figures[i], history);
    r2n_text_put(page, "</div>\n");
}

/* ---- the table ------------------------------------------------------------------------------ */

static void put_row(r2n_text *page, const r2n_epoch_record *row, int best)
{
    r2n_text_put(page, best ? "<tr class=\"top\"><td>" : "<tr><td>");
    r2n_text_put(page, best ? "best&#160;&#9733; " : "");
    r2n_json_put_integer(page, row->epoch);
    r2n_text_put(page, "</td><td>");
    r2n_json_put_integer(page, row->step);
    r2n_text_put(page, "</td><td>");
    r2n_put_general(page, row->rate, 6);
    r2n_text_put(page, "</td><td>");
    r2n_put_fixed(page, row->train_loss, 5);
    r2n_text_put(page, "</td><td>");
    if (row->evaluated)
        r2n_put_fixed(page, row->eval_loss, 5);
    r2n_text_put(page, "</td><td>");
    if (row->evaluated)
        put_percent(page, row->eval_top1);
    r2n_text_put(page, "</td><td>");
    if (row->evaluated)
        put_percent(page, row->eval_top5);
    r2n_text_put(page, "</td><td>");
    r2n_put_fixed(page, row->images_per_second, 1);
    r2n_text_put(page, "</td><td>");
    r2n_put_duration(page, row->seconds);
    r2n_text_put(page, "</td></tr>\n");
}

static void put_table(r2n_text *page, const r2n_history *history)
{
    const int64_t best = r2n_history_best(history);
    r2n_text_put(page, "<div class=\"table\">\n<table>\n<caption>Epochs</caption>\n"
                       "<thead><tr><th>epoch</th><th>step</th><th>learning rate</th>"
                       "<th>training loss</th><th>evaluation loss</th><th>top-1</th><th>top-5</th>"
                       "<th>pictures/s</th><th>time</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < history->count; i++)
        put_row(page, &history->rows[i], (int64_t)i == best);
    r2n_text_put(page, "</tbody>\n</table>\n</div>\n");
}

res2net_status r2n_page_write(const char *path, const char *title, int64_t epochs,
                              const r2n_history *history, res2net_report *report)
{
    r2n_text page = {0};
    r2n_file_writer *writer = NULL;
    put_head(&page, title);
    put_summary(&page, epochs, history);
    if (history->count > 0) {
        put_figures(&page, history);
        put_table(&page, history);
    }
    r2n_text_put(&page, "</body>\n</html>\n");
    res2net_status status =
        page.failed ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory for the page")
                    : r2n_writer_open(path, &writer, report);
    if (status == RES2NET_OK) {
        r2n_writer_put(writer, page.data, page.size);
        status = r2n_writer_close(writer, report);
    }
    r2n_free(page.data);
    return status;
}
