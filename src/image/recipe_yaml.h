/* SPDX-License-Identifier: Apache-2.0 */
/* A transform_ops list inside a YAML document that another room has opened. */
#ifndef R2N_IMAGE_RECIPE_YAML_H
#define R2N_IMAGE_RECIPE_YAML_H

#include "formats/yaml_reader.h"
#include "image/image.h"

#ifdef R2N_HAVE_YAML

/* What r2n_recipe_parse_yaml does, from the list itself; problems go to the document's report. */
res2net_status r2n_recipe_read_ops(const r2n_yaml *yaml, const yaml_node_t *list,
                                   r2n_recipe *recipe);

/* ---- for lists that have other operators besides ---- */

typedef enum r2n_recipe_op {
    R2N_RECIPE_DECODE,
    R2N_RECIPE_RESIZE,
    R2N_RECIPE_CROP,
    R2N_RECIPE_NORMALISE,
    R2N_RECIPE_TO_CHW,
    R2N_RECIPE_OPS
} r2n_recipe_op;

/* The arguments (may be null) of one operator into `recipe`, after a check of their keys. `key` is
 * the operator's name; `chw`: ToCHWImage came before. */
res2net_status r2n_recipe_read_op(const r2n_yaml *yaml, r2n_recipe_op op, const yaml_node_t *key,
                                  const yaml_node_t *arguments, int chw, r2n_recipe *recipe);
/* `backend` and `interpolation`, as ResizeImage has them; `usual`: without a backend. */
res2net_status r2n_recipe_read_resizer(const r2n_yaml *yaml, const yaml_node_t *arguments,
                                       r2n_resizer usual, r2n_recipe *recipe);
/* `size`: one number for both sides, or [width, height]. */
res2net_status r2n_recipe_read_size(const r2n_yaml *yaml, const yaml_node_t *node, int32_t *width,
                                    int32_t *height);

#endif
#endif
