/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LISTS -> ITEMS: list files, class folders, official CIFAR binaries, label maps.
 * spec: shared/spec/paddleclas.md 3, shared/spec/users.md A3.
 */
#ifndef R2N_DATA_DATASET_H
#define R2N_DATA_DATASET_H

#include "base/os.h"
#include "base/report.h"

typedef struct r2n_item {
    char *path;     /* joined with the root; NULL for a CIFAR record */
    int64_t record; /* CIFAR: number of the record; else -1 */
    int32_t label;  /* -1: not read (labels_optional) */
    int64_t line;   /* of the list file, or -1 */
    int absent;     /* set by r2n_dataset_find_absent */
} r2n_item;

typedef enum r2n_dataset_kind {
    R2N_DATASET_LIST,    /* "path label" lines */
    R2N_DATASET_FOLDERS, /* a folder of class folders; classes in byte order of their names */
    R2N_DATASET_CIFAR10, /* 3073-byte records: label, 1024 R, 1024 G, 1024 B */
    R2N_DATASET_CIFAR100 /* 3074-byte records: coarse, fine, pixels; label = fine */
} r2n_dataset_kind;

typedef struct r2n_dataset {
    r2n_dataset_kind kind;
    r2n_item *items;
    size_t count;
    int32_t class_count; /* largest label + 1; FOLDERS: those of empty folders too */
    char **folder_names; /* FOLDERS only, in byte order; else NULL */
    int32_t *folder_labels;
    int32_t folder_count;
    int64_t empty_folders;
    int64_t bad_lines;    /* LIST, with keep_good_lines */
    r2n_file_bytes cifar; /* CIFAR: the records */
} r2n_dataset;

/* All zero is the default. */
typedef struct r2n_dataset_options {
    const char *root; /* put before a list's relative paths; NULL: its own folder; "": nothing */
    const char *delimiter; /* between path and label; NULL or " ": the last run of blanks or tabs */
    int32_t classes;       /* > 0: labels at or above it are bad lines */
    const char *const *class_names; /* [classes] or NULL: class folders are looked up among them */
    int names_are_certain; /* some folders found and some not: an error, and not byte order */
    int labels_optional;   /* lists: lines may be paths alone; labels are not read */
    int keep_good_lines;   /* lists: bad lines are told and counted, and end nothing */
} r2n_dataset_options;

/* `source`: a list file ("-": standard input), a folder or a CIFAR binary, told apart by what it is
 * (a CIFAR binary by its size being a multiple of the record, all its labels being in range and its
 * content no text). docs/lists.md has the rules of lists to the letter. Every bad line is reported
 * as file:line:reason, then BAD_LIST. Names are looked up only where the line leaves a choice (a
 * leading '#', backslashes).
 *
 * Folders: every file below a class folder is an item, in byte order, but for hidden names (".x").
 * Folders without a file are told. A picture beside the class folders is BAD_LIST, and so are more
 * than `classes` > 0 folders; fewer, where their names are no class names, are told.
 *
 * A source without an item is BAD_LIST. */
res2net_status r2n_dataset_open(const char *source, const r2n_dataset_options *options,
                                r2n_dataset **out, res2net_report *report);

/* What messages call a source: "<stdin>" for "-". */
const char *r2n_dataset_name(const char *source);

/* Marks items whose files do not exist, reports their number first and then each (NOT_FOUND), and
 * gives their number. */
int64_t r2n_dataset_find_absent(r2n_dataset *dataset, const char *source, res2net_report *report);

/* Paths that are listed more than once. */
typedef struct r2n_repeats {
    int64_t same_label;  /* items that repeat an earlier one */
    int64_t other_label; /* that contradict an earlier one */
} r2n_repeats;
/* Reports contradictions, and plain repetitions too unless `only_other`. OUT_OF_MEMORY. */
res2net_status r2n_dataset_find_repeats(const r2n_dataset *dataset, const char *source,
                                        int only_other, r2n_repeats *out, res2net_report *report);

void r2n_dataset_destroy(r2n_dataset *dataset); /* NULL is allowed */

enum { R2N_CIFAR_SIDE = 32 };
/* Pixels of a CIFAR record as RGB [32][32][3] into `rgb` (3072 bytes). */
void r2n_dataset_cifar_pixels(const r2n_dataset *dataset, size_t index, uint8_t *rgb);

/* A label file: one name a line, or "index name" lines in one of several forms; docs/lists.md has
 * the rules. With indices: gaps are an error that names the first missing one. Result: names joined
 * by '\n' in class order (r2n_free), *count of them. */
res2net_status r2n_labels_read(const char *path, char **names, int32_t *count,
                               res2net_report *report);

/* The built-in names of ImageNet-1k in class order: 1000 lines, static. */
const char *r2n_labels_imagenet(void);

#endif
