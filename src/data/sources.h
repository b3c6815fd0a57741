/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of data set, each read by its own file; this room and the fuzz targets only. */
#ifndef R2N_DATA_SOURCES_H
#define R2N_DATA_SOURCES_H

#include "data/dataset.h"

enum { R2N_MAXIMUM_LABEL = 999999, R2N_MAXIMUM_PATH_BYTES = 4096 };

/* Appends an item; `path` (may be NULL) is taken over, also on failure. OUT_OF_MEMORY. */
res2net_status r2n_dataset_append(r2n_dataset *dataset, size_t *capacity, char *path,
                                  int64_t record, int32_t label, int64_t line,
                                  res2net_report *report);

/* What stands before the relative paths of the list `name`: the caller's `root`, else the list's
 * own folder. The first *bytes of the result. */
const char *r2n_list_root(const char *name, const char *root, size_t *bytes);

/* Each fills an empty dataset; after a failure it holds what r2n_dataset_destroy frees. */
res2net_status r2n_list_read(r2n_dataset *dataset, const void *data, size_t size, const char *name,
                             const r2n_dataset_options *options, res2net_report *report);
res2net_status r2n_class_folders_read(r2n_dataset *dataset, const char *folder,
                                      const r2n_dataset_options *options, res2net_report *report);
/* Gives every folder of the dataset its label: by name where the options have names and the folders
 * are among them, else by byte order. BAD_LIST. */
res2net_status r2n_class_folders_label(r2n_dataset *dataset, const char *folder,
                                       const r2n_dataset_options *options, res2net_report *report);
/* Labels out of range are refused with the record's number. *file is taken over on success. */
res2net_status r2n_cifar_read(r2n_dataset *dataset, r2n_dataset_kind kind, r2n_file_bytes *file,
                              const char *name, int32_t classes, res2net_report *report);
/* 1 and the kind when the size is a multiple of a record and all labels are in range. */
int r2n_cifar_sniff(const void *data, size_t size, r2n_dataset_kind *kind);

/* A list or CIFAR binary, told apart by content. *file is taken over where the dataset needs it. */
res2net_status r2n_dataset_read_file(r2n_dataset *dataset, r2n_file_bytes *file, const char *name,
                                     const r2n_dataset_options *options, res2net_report *report);

/* "root/path", or `path` alone where it is absolute or there is no root. NULL without memory. */
char *r2n_path_join(const char *root, size_t root_bytes, const char *path, size_t path_bytes);

/* What r2n_labels_read does, from memory. */
res2net_status r2n_labels_parse(const void *data, size_t size, const char *name, char **names,
                                int32_t *count, res2net_report *report);

#endif
