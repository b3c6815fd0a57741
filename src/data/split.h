/* SPDX-License-Identifier: Apache-2.0 */
/* A labelled set in two lists, class by class. */
#ifndef R2N_DATA_SPLIT_H
#define R2N_DATA_SPLIT_H

#include "data/dataset.h"

/* second[i] = 1 for the items that do not belong to the first list. Of n items of a class,
 * round(share * n) go into the first, but never all nor none of two or more. Which ones depends on
 * the order of the items and `seed` only. OUT_OF_MEMORY. */
res2net_status r2n_split_choose(const r2n_dataset *dataset, double share, uint64_t seed,
                                uint8_t *second, res2net_report *report);

/* Writes the items with second[i] == `part` as "path label" lines that r2n_dataset_open reads back
 * with the root `root`: paths without it, quoted where they need it. BAD_LIST for a path with a
 * control character, which no list can hold; WRITE_FAILED. */
res2net_status r2n_split_write_list(const r2n_dataset *dataset, const char *root,
                                    const uint8_t *second, int part, const char *path,
                                    res2net_report *report);

/* "0 cat" lines, the names of class folders. */
res2net_status r2n_split_write_labels(const r2n_dataset *dataset, const char *path,
                                      res2net_report *report);

#endif
