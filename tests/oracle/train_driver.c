/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window into training for the comparisons with PyTorch and Paddle, and for its benchmark. NET is
 * an architecture and a family; WEIGHTS a file, or a seed for formula weights; ISA may end in
 * /bf16.
 *
 * train_driver gradients NET WEIGHTS PICTURES.npy LABELS ISA THREADS OUT.safetensors
 *     One forward with batch statistics and one backward of the mean cross entropy: writes the
 *     gradients under the tensors' names and the new running statistics under theirs.
 *
 * train_driver steps NET WEIGHTS PICTURES.npy LABELS ISA THREADS STEPS RATE
 *     Prints the loss of every step of plain momentum (0.9, L2 1e-4); the pictures are cut into
 *     STEPS batches, which are taken in turn.
 *
 * train_driver speed NET BATCH SIZE CLASSES ISA THREADS SECONDS
 *     Prints the smallest seconds of forward, backward and both.
 *
 * train_driver loader CONFIG.yaml THREADS SECONDS
 *     Whole epochs of the configuration's training set, batches thrown away, until SECONDS are
 * over: prints pictures a second, and the processor's seconds a picture.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/os.h"
#include "formats/npy.h"
#include "kernels/cpu_features.h"
#include "train/config.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/optimiser.h"

enum { MOST_LABELS = 65536 };

static res2net_report *report;

static void fail(const char *what)
{
    fprintf(stderr, "train_driver: %s\n", what);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        fprintf(stderr, "  %s\n", res2net_report_problem(report, i)->text);
    exit(3);
}

static void expect(res2net_status status, const char *what)
{
    if (status != RES2NET_OK)
        fail(what);
}

static r2n_isa isa_named(const char *name)
{
    for (int isa = 0; isa < R2N_ISA_COUNT; isa++)
        if (strcmp(name, r2n_isa_name(isa)) == 0)
            return isa;
    fail("no such ISA");
    return R2N_ISA_REFERENCE;
}

typedef struct problem {
    r2n_architecture architecture;
    r2n_family family;
    r2n_graph *graph;
    r2n_network *network;
    int32_t images, rows, columns, classes;
    float *pictures; /* [images][rows][columns][3] */
    int32_t *labels;
    float *logits, *gradients;
    int threads;
} problem;

static void read_pictures(problem *p, const char *path)
{
    r2n_file_bytes file;
    r2n_npy npy;
    expect(r2n_file_read(path, (size_t)1 << 32, &file, report), path);
    expect(r2n_npy_parse(file.data, file.size, path, &npy, report), path);
    if (npy.rank != 4 || npy.shape[1] != 3)
        fail("pictures are N,3,H,W");
    p->images = (int32_t)npy.shape[0];
    p->rows = (int32_t)npy.shape[2];
    p->columns = (int32_t)npy.shape[3];
    p->pictures = r2n_allocate((size_t)npy.count, sizeof(float));
    const int64_t plane = (int64_t)p->rows * p->columns;
    for (int64_t i = 0; i < p->images; i++)
        for (int64_t c = 0; c < 3; c++)
            for (int64_t at = 0; at < plane; at++)
                p->pictures[(i * plane + at) * 3 + c] = npy.data[(i * 3 + c) * plane + at];
    r2n_free(npy.data);
    r2n_file_release(&file);
}

static void read_labels(problem *p, const char *text)
{
    p->labels = r2n_allocate((size_t)p->images, sizeof *p->labels);
    for (int32_t i = 0; i < p->images; i++) {
        char *end;
        p->labels[i] = (int32_t)strtol(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
}

static void make_network(problem *p, const char *architecture, const char *family, int32_t batch,
                         const char *isa)
{
    expect(r2n_architecture_find(architecture, &p->architecture, report), architecture);
    if (p->classes > 0)
        p->architecture.classes = p->classes;
    p->classes = p->architecture.classes;
    p->family = strcmp(family, "paddle") == 0 ? R2N_FAMILY_PADDLE : R2N_FAMILY_TORCH;
    expect(r2n_graph_create(&p->architecture, p->family, &p->graph, report), "graph");
    char name[16] = "";
    const size_t length = strcspn(isa, "/");
    memcpy(name, isa, length < sizeof name ? length : sizeof name - 1);
    const r2n_network_options options = {
        .batch = batch,
        .rows = p->rows,
        .columns = p->columns,
        .isa = isa_named(name),
        .precision = strcmp(isa + length, "/bf16") == 0 ? R2N_PRECISION_BF16 : R2N_PRECISION_F32};
    expect(r2n_network_create(p->graph, &options, &p->network, report), "network");
    p->logits = r2n_allocate_zeroed((size_t)batch * (size_t)p->classes, sizeof(float));
    p->gradients = r2n_allocate_zeroed((size_t)batch * (size_t)p->classes, sizeof(float));
}

/* A seed for formula weights, or a file. */
static void load_weights(problem *p, const char *from)
{
    r2n_tensor_set *set;
    if (strspn(from, "0123456789") == strlen(from)) {
        expect(r2n_weights_formula(&p->architecture, strtoull(from, NULL, 10), &set, report),
               "formula");
    } else {
        r2n_tensor_set *in;
        r2n_architecture architecture;
        r2n_family family;
        expect(r2n_weights_read(from, &in, report), from);
        expect(r2n_weights_canonicalise(in, &p->architecture, p->family, from, &set, &architecture,
                                        &family, report),
               from);
    }
    expect(r2n_network_load(p->network, set, report), "load");
    r2n_tensor_set_destroy(set);
}

static double learn(problem *p, int32_t first, int32_t images)
{
    const r2n_loss_options loss = {.weight = 1};
    const int64_t picture = (int64_t)p->rows * p->columns * 3;
    r2n_network_forward(p->network, p->pictures + first * picture, images, p->logits, p->threads);
    const double value = r2n_cross_entropy(&loss, images, p->classes, p->logits, p->labels + first,
                                           NULL, p->gradients, NULL);
    r2n_network_backward(p->network, p->gradients, p->threads);
    return value;
}

static void write_gradients(problem *p, const char *path)
{
    r2n_network_keep_statistics(p->network);
    r2n_tensor_set *set = r2n_network_tensors(p->network, r2n_network_gradients(p->network),
                                              r2n_network_statistics(p->network));
    expect(r2n_weights_write(path, R2N_WEIGHTS_SAFETENSORS, set, &p->architecture, p->family, 1,
                             report),
           path);
    r2n_tensor_set_destroy(set);
}

static void train(problem *p, int32_t steps, double rate)
{
    const r2n_optimiser_options options = {
        .kind = R2N_OPTIMISER_MOMENTUM, .momentum = 0.9, .decay = 1e-4};
    r2n_optimiser_progress progress = {.beta1_power = 1, .beta2_power = 1};
    const size_t count = r2n_network_tensor_count(p->network);
    r2n_parameter_range *ranges = r2n_allocate(count, sizeof *ranges);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (r2n_network_tensor(p->network, i)->trainable)
            ranges[used++] = r2n_network_range(p->network, i);
    float *velocity =
        r2n_allocate_zeroed((size_t)r2n_network_parameter_floats(p->network), sizeof *velocity);
    const int32_t batch = p->images / steps;
    for (int32_t step = 0; step < steps; step++) {
        printf("%.9g\n", learn(p, step * batch, batch));
        (void)r2n_optimiser_step(&options, ranges, used, rate, &progress,
                                 r2n_network_parameters(p->network),
                                 r2n_network_gradients(p->network), &velocity, p->threads);
        r2n_network_keep_statistics(p->network);
    }
    r2n_free(ranges);
    r2n_free(velocity);
}

static void fill_noise(problem *p)
{
    r2n_random random = r2n_random_stream(1, R2N_RANDOM_PICTURE, 0, 0);
    const int64_t count = (int64_t)p->images * p->rows * p->columns * 3;
    p->pictures = r2n_allocate((size_t)count, sizeof *p->pictures);
    p->labels = r2n_allocate_zeroed((size_t)p->images, sizeof *p->labels);
    for (int64_t i = 0; i < count; i++)
        p->pictures[i] = (float)r2n_random_between(&random, -2, 2);
}

static void time_steps(problem *p, double seconds)
{
    double forward = 1e9, backward = 1e9, both = 1e9;
    const double end = r2n_seconds() + seconds;
    for (int round = 0; round < 2 || r2n_seconds() < end; round++) {
        const double start = r2n_seconds();
        r2n_network_forward(p->network, p->pictures, p->images, p->logits, p->threads);
        const double middle = r2n_seconds();
        r2n_network_backward(p->network, p->gradients, p->threads);
        const double done = r2n_seconds();
        forward = middle - start < forward ? middle - start : forward;
        backward = done - middle < backward ? done - middle : backward;
        both = done - start < both ? done - start : both;
    }
    printf("forward %.4f s, backward %.4f s, both %.4f s, %.2f images/s\n", forward, backward, both,
           p->images / both);
}

/* ---- the loader alone ---- */

static double processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void time_epochs(r2n_loader *loader, double seconds)
{
    int64_t pictures = 0, epoch = 0;
    const double start = r2n_seconds(), processor = processor_seconds();
    do {
        const r2n_batch *batch;
        expect(r2n_loader_begin(loader, epoch++, 0, report), "begin");
        do {
            expect(r2n_loader_next(loader, &batch, report), "a batch");
            pictures += batch == NULL ? 0 : batch->images;
        } while (batch != NULL);
    } while (r2n_seconds() < start + seconds);
    printf("%" PRId64 " pictures, %.1f pictures/s, %.3f ms of the processor each\n", pictures,
           (double)pictures / (r2n_seconds() - start),
           1000 * (processor_seconds() - processor) / (double)pictures);
}

static void load_only(const char *path, int threads, double seconds)
{
    r2n_file_bytes file;
    r2n_train_config config;
    r2n_dataset *set;
    r2n_loader *loader;
    expect(r2n_file_read(path, (size_t)1 << 20, &file, report), path);
    expect(
        r2n_train_config_parse((const char *)file.data, file.size, path, NULL, 0, &config, report),
        path);
    const r2n_dataset_options data = {.root = config.train.root,
                                      .delimiter = config.train.delimiter,
                                      .classes = config.architecture.classes};
    expect(r2n_dataset_open(config.train.list, &data, &set, report), config.train.list);
    const r2n_loader_options options = {.batch = config.train.batch,
                                        .classes = config.architecture.classes,
                                        .seed = (uint64_t)config.seed,
                                        .workers = threads,
                                        .cache_bytes = config.train.cache_bytes,
                                        .transforms = config.train.transforms,
                                        .batch_transforms = config.train.batch_transforms};
    expect(r2n_loader_create(set, &options, &loader, report), "loader");
    time_epochs(loader, seconds);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(set);
    r2n_train_config_free(&config);
    r2n_file_release(&file);
}

int main(int argc, char **argv)
{
    problem p = {0};
    report = res2net_report_create();
    if (argc == 10 && strcmp(argv[1], "gradients") == 0) {
        read_pictures(&p, argv[5]);
        read_labels(&p, argv[6]);
        p.threads = atoi(argv[8]);
        make_network(&p, argv[2], argv[3], p.images, argv[7]);
        load_weights(&p, argv[4]);
        printf("%.9g\n", learn(&p, 0, p.images));
        write_gradients(&p, argv[9]);
    } else if (argc == 11 && strcmp(argv[1], "steps") == 0) {
        const int32_t steps = atoi(argv[9]);
        read_pictures(&p, argv[5]);
        read_labels(&p, argv[6]);
        p.threads = atoi(argv[8]);
        make_network(&p, argv[2], argv[3], p.images / steps, argv[7]);
        load_weights(&p, argv[4]);
        train(&p, steps, atof(argv[10]));
    } else if (argc == 10 && strcmp(argv[1], "speed") == 0) {
        p.images = atoi(argv[4]);
        p.rows = p.columns = atoi(argv[5]);
        p.classes = atoi(argv[6]);
        p.threads = atoi(argv[8]);
        make_network(&p, argv[2], argv[3], p.images, argv[7]);
        load_weights(&p, "1");
        fill_noise(&p);
        time_steps(&p, atof(argv[9]));
    } else if (argc == 5 && strcmp(argv[1], "loader") == 0) {
        load_only(argv[2], atoi(argv[3]), atof(argv[4]));
    } else {
        fprintf(stderr, "train_driver: see its source for how it is called\n");
        return 2;
    }
    r2n_network_destroy(p.network);
    r2n_graph_destroy(p.graph);
    r2n_free(p.pictures);
    r2n_free(p.labels);
    r2n_free(p.logits);
    r2n_free(p.gradients);
    res2net_report_destroy(report);
    return 0;
}
