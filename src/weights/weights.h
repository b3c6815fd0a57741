/* SPDX-License-Identifier: Apache-2.0 */
/* FILES <-> NAMED TENSORS. spec: shared/spec/paddleclas.md 1.5, 1.7, 5.2; docs/format-r2n.md. */
#ifndef R2N_WEIGHTS_WEIGHTS_H
#define R2N_WEIGHTS_WEIGHTS_H

#include "base/os.h"
#include "model/catalogue.h"

enum { R2N_MAXIMUM_RANK = 8 };

typedef struct r2n_tensor {
    char *name;
    int32_t rank;
    int64_t shape[R2N_MAXIMUM_RANK];
    int64_t count;     /* product of the shape */
    const float *data; /* f32, row major; into the file's pages or a block of the set */
} r2n_tensor;

/* What a file holds beside its tensors; strings are owned by the set, NULL where the file says
 * nothing. */
typedef struct r2n_weights_metadata {
    char *architecture; /* a name or specification for r2n_architecture_find */
    char *recipe_json;  /* r2n_recipe_to_json */
    char *labels;       /* one name a line, class order */
    char *licence;
    char *source;      /* where the weights come from, for people */
    r2n_family family; /* UNKNOWN where the file says nothing */
    /* A calibration for int8: what a level of each value of the graph is worth (0 where none is
     * stored), in the graph's order; NULL where there is none. */
    float *activation_scales;
    int32_t activation_scale_count;
} r2n_weights_metadata;

/* The same weights once more, folded and laid out by a plan for one precision: docs/format-r2n.md.
 */
typedef struct r2n_packed_section {
    char precision[16]; /* "f32" */
    int64_t layout;     /* version of the layout */
    int64_t steps;      /* checksum of the plan's steps: another plan does not use the section */
    const void *data;   /* at a multiple of 64 bytes; into the file's pages or the writer's block */
    size_t bytes;
} r2n_packed_section;

typedef struct r2n_tensor_set {
    r2n_tensor *tensors; /* in the file's order */
    size_t count;
    size_t capacity;
    r2n_packed_section *packed;
    size_t packed_count, packed_capacity;
    int numbers_unchecked; /* large tensors were not looked through: packed sections stand for them,
                              and reading them all would cost the time that these save */
    r2n_weights_metadata metadata;
    r2n_file_bytes file;   /* kept while tensors point into it */
    const uint8_t *source; /* the bytes it was read from, the file's or the caller's; NULL once they
                              are not needed */
    size_t source_bytes;
    void **blocks; /* blocks of converted tensors */
    size_t block_count, block_capacity;
} r2n_tensor_set;

typedef enum r2n_weights_format {
    R2N_WEIGHTS_UNKNOWN,
    R2N_WEIGHTS_PDPARAMS,
    R2N_WEIGHTS_PTH,
    R2N_WEIGHTS_SAFETENSORS,
    R2N_WEIGHTS_R2N
} r2n_weights_format;

/* By content, never by extension. */
r2n_weights_format r2n_weights_sniff(const void *data, size_t size);
/* By extension, for writing: ".pdparams", ".safetensors", ".r2n". */
r2n_weights_format r2n_weights_format_from_path(const char *path);

/* Reads any of the formats: float tensors widened to f32; integer tensors such as
 * num_batches_tracked left out. Wrappers and prefixes are taken off as spec/users.md A4 says. The
 * whole file is checked before anything is returned: all or nothing. Names are the file's own. */
res2net_status r2n_weights_read(const char *path, r2n_tensor_set **out, res2net_report *report);
/* The same from memory, which must outlive the set. `name` is for messages. */
res2net_status r2n_weights_read_memory(const void *data, size_t size, const char *name,
                                       r2n_tensor_set **out, res2net_report *report);
void r2n_tensor_set_destroy(r2n_tensor_set *set); /* NULL is allowed */

/* Checks the checksums over the data of a set as read from .r2n (DAMAGED), before or after it was
 * made canonical; OK for other formats, which were checked whole when read. */
res2net_status r2n_weights_verify(const r2n_tensor_set *set, const char *name,
                                  res2net_report *report);

/* Looks through the tensors that were left out for packed sections: before they are packed or
 * written. NOT_FINITE lists what is wrong. */
res2net_status r2n_weights_check_numbers(const r2n_tensor_set *set, const char *file,
                                         res2net_report *report);

/* An empty set to build by hand (tests, converters). */
r2n_tensor_set *r2n_tensor_set_create(void);
/* Adds a tensor with a zeroed block of its own, to be filled through the returned pointer; NULL
 * without memory. */
float *r2n_tensor_set_add(r2n_tensor_set *set, const char *name, int32_t rank,
                          const int64_t *shape);
const r2n_tensor *r2n_tensor_set_find(const r2n_tensor_set *set, const char *name);

/* What the file's tensors are: family from the names, architecture from `architecture` (NULL: the
 * file's metadata, else shapes). Then gives a new set in canonical names, order and layout (spec of
 * r2n_architecture_tensors; Paddle's fc.weight transposed; data shared where layouts agree, so `in`
 * is consumed: owned by the result on success, destroyed on failure). The number of classes is the
 * file's: out_architecture->classes, unless the specification states one ("classes=10"), which the
 * file must then have. Subnormal numbers become zero, and a note says in which tensors. Missing,
 * unexpected, misshapen and non-finite tensors, and variances below zero or all zero, are all
 * listed in one report, after a line in words where the file looks like another network's. */
res2net_status r2n_weights_canonicalise(r2n_tensor_set *in, const r2n_architecture *architecture,
                                        r2n_family family, const char *file, r2n_tensor_set **out,
                                        r2n_architecture *out_architecture, r2n_family *out_family,
                                        res2net_report *report);

/* Writes a canonical set. `architecture` and `family` say what it is; metadata goes along where the
 * format can hold it (.r2n; safetensors' __metadata__), and so do packed sections (.r2n). .pdparams
 * are written with Paddle's names and layout and are read by paddle.load; a torch-family set needs
 * `keep_family`, which writes the key "res2net.family" that our reader honours, else MISMATCH.
 * Safetensors are written with torch names; a Paddle-family set likewise needs `keep_family`. */
res2net_status r2n_weights_write(const char *path, r2n_weights_format format,
                                 const r2n_tensor_set *set, const r2n_architecture *architecture,
                                 r2n_family family, int keep_family, res2net_report *report);

/* Deterministic weights from a formula (a hash of tensor name, index and `seed`), the same in
 * tests/golden/formula.py: He-like convolutions, BN scale near 1, offsets and means near 0,
 * variances in [0.5, 1.5]. For golden vectors, benchmarks and tests. */
res2net_status r2n_weights_formula(const r2n_architecture *architecture, uint64_t seed,
                                   r2n_tensor_set **out, res2net_report *report);

#endif
