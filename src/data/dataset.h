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
    int32_t label;
    int64_t line; /* of the list file, or -1 */
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
    char **class_names;   /* FOLDERS only, else NULL */
    int32_t class_count;  /* FOLDERS: folders; else largest label + 1 */
    r2n_file_bytes cifar; /* CIFAR: the records */
} r2n_dataset;

/* `source`: a list file, a folder or a CIFAR binary, told apart by what it is (a CIFAR binary by
 * its size being a multiple of the record, all its labels being in range and its content no text).
 *
 * Lists: `root` is put before relative paths (NULL: the list's own folder; "": nothing). Blanks at
 * the ends of a line are dropped; path = everything before the last run of blanks or tabs, label =
 * the integer after it (0 to 999999). With a `delimiter` (not NULL) a line is split at it, as
 * PaddleClas does: path, label, and the rest is not read. CRLF, a UTF-8 byte-order mark, blank
 * lines and lines that begin with '#' are taken; UTF-16 is refused by name. A path with '\' and no
 * '/' gets '/' for them. Every bad line is reported as file:line:reason, then BAD_LIST. `classes` >
 * 0: labels at or above it are bad lines. Files are not opened here.
 *
 * Folders: every file below a class folder is an item, in byte order, but for hidden names (".x");
 * a picture beside the class folders is BAD_LIST, and so are more than `classes` > 0 folders.
 *
 * A source without an item is BAD_LIST. */
res2net_status r2n_dataset_open(const char *source, const char *root, const char *delimiter,
                                int32_t classes, r2n_dataset **out, res2net_report *report);
void r2n_dataset_destroy(r2n_dataset *dataset); /* NULL is allowed */

/* Pixels of a CIFAR record as RGB [32][32][3] into `rgb` (3072 bytes). */
void r2n_dataset_cifar_pixels(const r2n_dataset *dataset, size_t index, uint8_t *rgb);

/* A label file: one name a line, or "index name" lines (PaddleClas: everything after the first
 * blank; an optional trailing comma is kept as it is). With indices: gaps are an error that names
 * the first missing one. Result: names joined by '\n' in class order (r2n_free), *count of them. */
res2net_status r2n_labels_read(const char *path, char **names, int32_t *count,
                               res2net_report *report);

/* The built-in names of ImageNet-1k in class order: 1000 lines, static. */
const char *r2n_labels_imagenet(void);

#endif
