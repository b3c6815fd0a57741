/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sections of a training configuration are read with: typed values by key, each of which
 * says, where a log is kept, what it is and where it came from.
 */
#ifndef R2N_TRAIN_CONFIG_READER_H
#define R2N_TRAIN_CONFIG_READER_H

#include "data/paddleclas.h"
#include "formats/json_writer.h"
#include "train/config.h"

#ifdef R2N_HAVE_YAML

typedef struct r2n_config_reader {
    r2n_yaml yaml;
    r2n_train_config *out;
    const yaml_node_t *root;
    size_t override_count;
    r2n_text *log; /* r2n_train_config_print's, or NULL */
} r2n_config_reader;

enum { R2N_CONFIG_PATH = 96 };

/* A mapping of the file, its node NULL where it is absent: everything in it is then as default. */
typedef struct r2n_config_section {
    const r2n_config_reader *reader;
    const yaml_node_t *node;
    const yaml_node_t *place;   /* for messages: the node, or the nearest mapping around it */
    char path[R2N_CONFIG_PATH]; /* "DataLoader.Train.sampler" */
} r2n_config_section;

/* The document itself. */
r2n_config_section r2n_config_root(const r2n_config_reader *reader);
/* The mapping `key` of `parent`. Its keys are among `keys` (NULL: not checked yet). */
res2net_status r2n_config_open(const r2n_config_section *parent, const char *key,
                               const char *const *keys, r2n_config_section *section);
res2net_status r2n_config_check_keys(const r2n_config_section *section, const char *const *keys);

/* NULL where it is absent, null or None. */
const yaml_node_t *r2n_config_find(const r2n_config_section *section, const char *key);
/* INVALID_ARGUMENT at the section: `key` is not there. `advice` says what to write. */
res2net_status r2n_config_missing(const r2n_config_section *section, const char *key,
                                  const char *advice);
res2net_status r2n_config_no_memory(const r2n_config_section *section);

/* ---- values: untouched where the key is absent, *value then being the default ---- */

res2net_status r2n_config_text(const r2n_config_section *section, const char *key, char **value);
res2net_status r2n_config_integer(const r2n_config_section *section, const char *key,
                                  int64_t minimum, int64_t maximum, int64_t *value);
res2net_status r2n_config_integer32(const r2n_config_section *section, const char *key,
                                    int32_t minimum, int32_t maximum, int32_t *value);
res2net_status r2n_config_boolean(const r2n_config_section *section, const char *key, int *value);
res2net_status r2n_config_number(const r2n_config_section *section, const char *key, double minimum,
                                 double maximum, double *value);
/* From 0 to less than 1. */
res2net_status r2n_config_fraction(const r2n_config_section *section, const char *key,
                                   double *value);
/* One of `choices`, upper or lower case; *index of the default, or -1 for none. */
res2net_status r2n_config_choice(const r2n_config_section *section, const char *key,
                                 const char *const *choices, int *index);
/* The same for names of PaddleClas' classes, exactly as they are spelt: UNSUPPORTED for those of
 * `absent`, with what is there. */
res2net_status r2n_config_class(const r2n_config_section *section, const char *key,
                                const char *const *present, const char *const *absent, int *index);
res2net_status r2n_config_class_of(const r2n_config_reader *reader, const yaml_node_t *name,
                                   const char *what, const char *const *present,
                                   const char *const *absent, int *index);
/* A list of at most `limit` numbers; *count is 0 where it is absent. */
res2net_status r2n_config_numbers(const r2n_config_section *section, const char *key,
                                  double minimum, double maximum, int32_t limit, double *values,
                                  int32_t *count);

/* ---- keys of PaddleClas' that a run here does not follow ---- */

/* Taken, whatever it says, for it changes no result: `reason` goes to the log. */
void r2n_config_taken(const r2n_config_section *section, const char *key, const char *reason);
/* UNSUPPORTED where it is True. */
res2net_status r2n_config_require_off(const r2n_config_section *section, const char *key,
                                      const char *reason);
/* UNSUPPORTED where it is anything but null. */
res2net_status r2n_config_require_absent(const r2n_config_section *section, const char *key,
                                         const char *reason);

/* ---- the log ---- */

/* "PATH.KEY: VALUE  # ORIGIN", with "; NOTE" where there is one. `node`: the value's, or NULL for a
 * default. `key` may be "" for the section itself. */
void r2n_config_log(const r2n_config_section *section, const char *key, const yaml_node_t *node,
                    const char *value, const char *note);
void r2n_config_log_number(const r2n_config_section *section, const char *key,
                           const yaml_node_t *node, double value, const char *note);

/* ---- the sections, one file each ---- */

res2net_status r2n_config_read_global(const r2n_config_section *root);
res2net_status r2n_config_read_precision(const r2n_config_section *root); /* AMP */
res2net_status r2n_config_read_average(const r2n_config_section *root);   /* EMA */
res2net_status r2n_config_read_arch(const r2n_config_section *root);
res2net_status r2n_config_read_loss(const r2n_config_section *root);
res2net_status r2n_config_read_optimiser(const r2n_config_section *root);
res2net_status r2n_config_read_schedule(const r2n_config_section *optimiser);
res2net_status r2n_config_read_data(const r2n_config_section *root);
res2net_status r2n_config_read_rest(const r2n_config_section *root); /* Metric, Infer, Slim, ... */

#endif
#endif
