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

#endif
#endif
