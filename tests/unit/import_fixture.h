/* SPDX-License-Identifier: Apache-2.0 */
/* Small networks with weights from the formula, to be written as graphs of other programs. */
#ifndef R2N_TESTS_IMPORT_FIXTURE_H
#define R2N_TESTS_IMPORT_FIXTURE_H

#include "unit/expect.h"

#include <stdio.h>

#include "base/memory.h"
#include "import/import.h"
#include "model/graph.h"
#include "weights/weights.h"

#define TINY_CIFAR     "cifar:planes=4,depths=1-2,width=16,scale=3,classes=5"
#define TINY_PLAIN     "plain:planes=2,depths=2-1,width=32,scale=2,stem=4,classes=3"
#define TINY_VD        "vd:planes=2,depths=1-2,width=32,scale=4,stem=4,classes=3"
#define TINY_ONE_GROUP "cifar:planes=2,depths=1-1,width=64,scale=1,classes=3"

typedef struct network {
    r2n_graph *graph;
    r2n_tensor_set *weights;
} network;

static inline network network_make(const char *specification, r2n_family family)
{
    network n = {NULL, NULL};
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(specification, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &n.graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 11, &n.weights, NULL), RES2NET_OK);
    return n;
}

static inline void network_free(network *n)
{
    r2n_graph_destroy(n->graph);
    r2n_tensor_set_destroy(n->weights);
}

/* The tensor "prefix.what" of a node. */
static inline const r2n_tensor *network_tensor(const network *n, const r2n_node *node,
                                               const char *what)
{
    char name[R2N_NAME_BYTES + 16];
    snprintf(name, sizeof name, "%s.%s", node->tensor, what);
    const r2n_tensor *tensor = r2n_tensor_set_find(n->weights, name);
    assert_non_null(tensor);
    return tensor;
}

/* The tensors of what was read are those of the network, to the bit or nearly. */
static inline void expect_tensors(const network *n, const r2n_imported *imported, float tolerance)
{
    assert_string_equal(imported->architecture.name, n->graph->architecture.name);
    assert_int_equal(imported->architecture.classes, n->graph->architecture.classes);
    assert_int_equal(imported->weights->count, n->weights->count);
    for (size_t i = 0; i < n->weights->count; i++) {
        const r2n_tensor *ours = &n->weights->tensors[i], *theirs = &imported->weights->tensors[i];
        assert_string_equal(ours->name, theirs->name);
        assert_int_equal(ours->count, theirs->count);
        assert_memory_equal(ours->shape, theirs->shape, sizeof ours->shape);
        for (int64_t j = 0; j < ours->count; j++)
            if (!(ours->data[j] - theirs->data[j] <= tolerance &&
                  theirs->data[j] - ours->data[j] <= tolerance))
                fail_msg("%s[%d]: %.9g, not %.9g", ours->name, (int)j, (double)theirs->data[j],
                         (double)ours->data[j]);
    }
}

#endif
