/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PaddleClas' transform_ops of a training set: from decoded pixels to a float tensor, with chance.
 * spec: shared/spec/paddleclas.md 3.1, 4.1; docs/augmentation.md has every rule.
 */
#ifndef R2N_TRAIN_TRANSFORMS_H
#define R2N_TRAIN_TRANSFORMS_H

#include "formats/yaml_reader.h"
#include "image/image.h"
#include "train/random.h"

typedef struct r2n_transforms r2n_transforms; /* immutable, shared by threads */

#ifdef R2N_HAVE_YAML
/* A list as in the file. Unknown operators and keys: INVALID_ARGUMENT with the nearest known name,
 * at line and column; what is known of PaddleClas and not built: UNSUPPORTED. */
res2net_status r2n_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                    r2n_transforms **out, res2net_report *report);
#endif
void r2n_transforms_destroy(r2n_transforms *transforms); /* NULL is allowed */

/* The size of every tensor that the list gives, which must not depend on the picture: `rows` and
 * `columns` are 0 on entry, or those of the pictures where all have one size (CIFAR).
 * INVALID_ARGUMENT where it stays open. */
res2net_status r2n_transforms_output_size(const r2n_transforms *transforms, int32_t *rows,
                                          int32_t *columns, res2net_report *report);

/* How a file is decoded (DecodeImage; colours are RGB here). */
void r2n_transforms_decoding(const r2n_transforms *transforms, r2n_image_options *options);

/* Applies the whole list. `pixels` are the decoded picture, kept; `out` is
 * [rows][columns][3] floats. `random` is the picture's own stream. BAD_PICTURE where the picture
 * does not fit an operator. */
res2net_status r2n_transforms_apply(const r2n_transforms *transforms, const r2n_pixels *pixels,
                                    const char *name, r2n_random *random, float *out,
                                    res2net_report *report);

/* One line for people, "RandCropImage(size 224), RandFlipImage, ..." (r2n_free). */
char *r2n_transforms_describe(const r2n_transforms *transforms);

/* ---- batch_transform_ops: MixupOperator, CutmixOperator, OpSampler ---- */

typedef struct r2n_batch_transforms r2n_batch_transforms;

#ifdef R2N_HAVE_YAML
res2net_status r2n_batch_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                          r2n_batch_transforms **out, res2net_report *report);
#endif
void r2n_batch_transforms_destroy(r2n_batch_transforms *transforms);

/* pictures [images][rows][columns][3] and targets [images][classes] (one-hot on entry), in place;
 * `room`: another [images][rows][columns][3], from the heap: integers are kept in it too. */
void r2n_batch_transforms_apply(const r2n_batch_transforms *transforms, r2n_random *random,
                                int32_t images, int32_t rows, int32_t columns, int32_t classes,
                                float *pictures, float *targets, float *room);

#endif
