/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every reader of a PaddleClas configuration shares: the keys that may stand in it, and a few
 * of its habits. spec: shared/spec/paddleclas.md 2.2, 2.3. Keys of ours are marked in the tables;
 * docs/configuration.md says what each means.
 */
#ifndef R2N_DATA_PADDLECLAS_H
#define R2N_DATA_PADDLECLAS_H

#include "formats/yaml_reader.h"

/* `path` with PaddleClas' ".pdparams" unless it has an ending of a weights file, or is a folder and
 * there is no such file; r2n_free, NULL without memory. */
char *r2n_paddleclas_weights_name(const char *path);

#ifdef R2N_HAVE_YAML

/* NULL-terminated, for r2n_yaml_check_keys. */
extern const char *const r2n_paddleclas_top_keys[];
extern const char *const r2n_paddleclas_global_keys[];
extern const char *const r2n_paddleclas_arch_keys[];
extern const char *const r2n_paddleclas_data_keys[];    /* DataLoader */
extern const char *const r2n_paddleclas_loading_keys[]; /* DataLoader.Train, .Eval */
extern const char *const r2n_paddleclas_dataset_keys[];
extern const char *const r2n_paddleclas_sampler_keys[];
extern const char *const r2n_paddleclas_loader_keys[];
extern const char *const r2n_paddleclas_metric_keys[]; /* Metric */

/* Values that may stand there. */
extern const char *const r2n_paddleclas_datasets[];
extern const char *const r2n_paddleclas_samplers[];
extern const char *const r2n_paddleclas_bad_image_rules[]; /* on_bad_image: stop, skip */

/* The value of a key, NULL where it is absent or nothing. PaddleClas evaluates texts in mappings as
 * Python, so that None is nothing too. */
yaml_node_t *r2n_paddleclas_find(const r2n_yaml *yaml, const yaml_node_t *mapping, const char *key);

/* A copy of a text; *copy is untouched where the key is absent or null. */
res2net_status r2n_paddleclas_text(const r2n_yaml *yaml, const yaml_node_t *mapping,
                                   const char *key, char **copy);
/* The same for `delimiter`, which stands within a line. NULL also for the usual blank: that is our
 * lists' own rule, which reads more. */
res2net_status r2n_paddleclas_delimiter(const r2n_yaml *yaml, const yaml_node_t *dataset,
                                        char **delimiter);

/* `key` (Train, Eval) of Metric is absent, or a list of "TopkAcc: {topk: [1, 5]}", which is what is
 * counted here; UNSUPPORTED for other metrics. */
res2net_status r2n_paddleclas_check_metric(const r2n_yaml *yaml, const yaml_node_t *metric,
                                           const char *key);

#endif
#endif
