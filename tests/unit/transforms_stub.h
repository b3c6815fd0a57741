/* SPDX-License-Identifier: Apache-2.0 */
/* Until src/train/transforms.c is there: lists of anything, so that configurations can be tested.
 * Weak, so that the real ones go before them. */
#ifndef R2N_TESTS_TRANSFORMS_STUB_H
#define R2N_TESTS_TRANSFORMS_STUB_H

#include "base/memory.h"
#include "train/transforms.h"

#ifdef R2N_HAVE_YAML

#define R2N_STUB __attribute__((weak))

static inline res2net_status stub_parse(const r2n_yaml *yaml, const yaml_node_t *list, void **out,
                                        res2net_report *report)
{
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT, "a list of operators");
    *out = r2n_allocate(1, 1);
    return *out != NULL ? RES2NET_OK
                        : r2n_fail(report, RES2NET_OUT_OF_MEMORY, yaml->name, -1, "no memory");
}

R2N_STUB res2net_status r2n_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                             r2n_transforms **out, res2net_report *report)
{
    return stub_parse(yaml, list, (void **)out, report);
}

R2N_STUB void r2n_transforms_destroy(r2n_transforms *transforms)
{
    r2n_free(transforms);
}

R2N_STUB char *r2n_transforms_describe(const r2n_transforms *transforms)
{
    (void)transforms;
    return r2n_copy_string("NormalizeImage");
}

R2N_STUB res2net_status r2n_batch_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                                   r2n_batch_transforms **out,
                                                   res2net_report *report)
{
    return stub_parse(yaml, list, (void **)out, report);
}

R2N_STUB void r2n_batch_transforms_destroy(r2n_batch_transforms *transforms)
{
    r2n_free(transforms);
}

#endif
#endif
