/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net bench`: latency and throughput on noise. A cell is one batch size. */
#include <stdlib.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "model_options.h"
#include "platform.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "batch",
     .kind = OPTION_INTEGERS,
     .argument = "N,N,...",
     .fallback = "1,4,8",
     .minimum = 1,
     .maximum = 1024,
     .help = "pictures that run together; a cell each"},
    {.name = "size",
     .kind = OPTION_SIZE,
     .argument = "N|HxW",
     .minimum = 1,
     .maximum = 16384,
     .default_note = "the architecture's, 224 or 32",
     .help = "the pictures' size"},
    RUN_OPTIONS,
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    {.name = NULL},
};

enum { LEAST_RUNS = 3, MOST_RUNS = 20000 };
static const double SECONDS_A_CELL = 1.0;

typedef struct cell {
    int32_t batch;
    double minimum_ms, median_ms;
    double images_per_second; /* at the median */
    uint64_t peak_memory_bytes;
} cell;

typedef struct bench_run {
    const command_line *line;
    const char *architecture;
    int32_t classes, height, width;
    int threads;
    cell cells[MOST_INTEGERS];
    size_t cell_count;
} bench_run;

/* Even numbers in [-2, 2), the same in every run and on every machine. */
static void fill_with_noise(float *values, size_t count)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        values[i] = (float)(state >> 40) * 0x1p-22f - 2.0f;
    }
}

static int compare_times(const void *a, const void *b)
{
    const double first = *(const double *)a;
    const double second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static void sum_up(cell *cell, double *seconds, size_t runs)
{
    qsort(seconds, runs, sizeof *seconds, compare_times);
    const double median = (seconds[(runs - 1) / 2] + seconds[runs / 2]) / 2;
    cell->minimum_ms = 1000 * seconds[0];
    cell->median_ms = 1000 * median;
    cell->images_per_second = cell->batch / median;
    cell->peak_memory_bytes = res2net_peak_memory_bytes();
}

/* A warm-up run, then whole batches until a second has gone. */
static int measure(const bench_run *bench, res2net_session *session, cell *cell)
{
    const size_t floats = 3 * (size_t)bench->height * (size_t)bench->width * (size_t)cell->batch;
    float *input = platform_allocate(floats, sizeof *input);
    float *logits = platform_allocate((size_t)cell->batch * (size_t)bench->classes, sizeof *logits);
    double *seconds = platform_allocate(MOST_RUNS, sizeof *seconds);
    double total = 0;
    size_t runs = 0;
    int result = EXIT_DONE;
    res2net_report *report = res2net_report_create();
    fill_with_noise(input, floats);
    for (size_t i = 0;
         result == EXIT_DONE && runs < MOST_RUNS && (runs < LEAST_RUNS || total < SECONDS_A_CELL);
         i++) {
        const double start = res2net_seconds();
        const res2net_status status = res2net_session_run(
            session, input, cell->batch, bench->height, bench->width, logits, report);
        const double elapsed = res2net_seconds() - start;
        if (status != RES2NET_OK)
            result = exit_status_of(status);
        else if (platform_interrupted())
            result = EXIT_INTERRUPTED;
        if (i == 0)
            continue;
        seconds[runs++] = elapsed;
        total += elapsed;
    }
    if (result == EXIT_DONE)
        sum_up(cell, seconds, runs);
    print_problems(report);
    res2net_report_destroy(report);
    free(input);
    free(logits);
    free(seconds);
    return result;
}

static int measure_all(bench_run *bench, res2net_session *session)
{
    int32_t batches[MOST_INTEGERS];
    const size_t count = option_integers(bench->line, "batch", batches);
    res2net_plan_report plan;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_session_explain(session, batches[0], bench->height, bench->width, 0, &plan, report);
    int result = exit_status_of(status);
    print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK) {
        bench->threads = plan.threads;
        res2net_plan_report_free(&plan);
    }
    for (size_t i = 0; i < count && result == EXIT_DONE; i++) {
        bench->cells[i].batch = batches[i];
        result = measure(bench, session, &bench->cells[i]);
        if (result == EXIT_DONE)
            bench->cell_count++;
    }
    return result;
}

static void print_text(const bench_run *bench)
{
    char memory[FORMAT_BYTES];
    res2net_system system;
    res2net_system_describe(&system);
    printf("%s, %s, %dx%d, %s, %d thread%s, %s\n\n", bench->architecture,
           option_text(bench->line, "precision"), bench->height, bench->width,
           isa_in_force(bench->line), bench->threads, bench->threads == 1 ? "" : "s", system.cpu);
    printf("%5s  %10s  %10s  %10s  %s\n", "batch", "min ms", "median ms", "images/s",
           "peak memory");
    for (size_t i = 0; i < bench->cell_count; i++) {
        const cell *cell = &bench->cells[i];
        printf("%5d  %10.3f  %10.3f  %10.2f  %s\n", cell->batch, cell->minimum_ms, cell->median_ms,
               cell->images_per_second, format_bytes(memory, cell->peak_memory_bytes));
    }
}

static void print_json(const bench_run *bench)
{
    res2net_system system;
    json_writer json = json_begin(stdout);
    res2net_system_describe(&system);
    json_open_object(&json, JSON_ROWS);
    json_text_member(&json, "cpu", system.cpu);
    json_text_member(&json, "isa", isa_in_force(bench->line));
    json_integer_member(&json, "threads", bench->threads);
    json_key(&json, "results");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < bench->cell_count; i++) {
        const cell *cell = &bench->cells[i];
        json_open_object(&json, JSON_LINE);
        json_text_member(&json, "arch", bench->architecture);
        json_text_member(&json, "precision", option_text(bench->line, "precision"));
        json_integer_member(&json, "batch", cell->batch);
        json_key(&json, "size");
        json_open_array(&json, JSON_LINE);
        json_integer(&json, bench->height);
        json_integer(&json, bench->width);
        json_close_array(&json);
        json_double_member(&json, "min_ms", cell->minimum_ms);
        json_double_member(&json, "median_ms", cell->median_ms);
        json_double_member(&json, "images_per_second", cell->images_per_second);
        json_integer_member(&json, "peak_memory_bytes", (int64_t)cell->peak_memory_bytes);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}

static int bench_model(const command_line *line, const res2net_model *model,
                       res2net_session *session)
{
    res2net_model_info info;
    res2net_model_describe(model, &info);
    bench_run bench = {.line = line, .architecture = info.architecture, .classes = info.classes};
    option_size(line, "size", &bench.height, &bench.width);
    if (bench.height == 0)
        bench.height = bench.width = info.picture_size;
    const int result = measure_all(&bench, session);
    if (bench.cell_count == 0)
        return result;
    if (option_is(line, "format", "json"))
        print_json(&bench);
    else
        print_text(&bench);
    return result;
}

static int run(const command_line *line)
{
    return run_with_session(line, bench_model);
}

const verb verb_bench = {
    .name = "bench",
    .operands = "",
    .summary = "latency and throughput of a model on this machine",
    .description =
        "Runs fixed noise: one warm-up, then about a second for each batch size (three runs at "
        "least). Times are of whole batches; images a second are at the median. Peak memory is the "
        "process' so far, so later rows include earlier ones.\n\n"
        "--arch NAME without a model runs weights from a formula, which cost the same time.",
    .examples = "  res2net bench\n"
                "  res2net bench --arch Res2Net50_26w_4s --batch 1,4,8 --threads 4\n"
                "  res2net bench -m net.r2n --size 288x384 --format json\n",
    .options = options,
    .run = run,
};
