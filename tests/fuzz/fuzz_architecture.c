/* SPDX-License-Identifier: Apache-2.0 */
/* The first line as an architecture's name or specification; then the tensors that lines such as
 * "layer1.0.conv1.weight 104 64 1 1" tell. What is accepted must be sound, and must be found again
 * by its own name and by its own tensors. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/catalogue_rows.h"
#include "model/graph.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_graph(const r2n_architecture *a, r2n_family family)
{
    r2n_graph *graph = NULL;
    require(r2n_graph_create(a, family, &graph, NULL) == RES2NET_OK);
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    require(shapes != NULL);
    require(r2n_graph_shapes(graph, a->picture_size, a->picture_size + 1, shapes, NULL) ==
            RES2NET_OK);
    for (int32_t i = 0; i < graph->count; i++)
        require(r2n_node_macs(graph, shapes, i) >= 0);
    r2n_free(shapes);
    r2n_graph_destroy(graph);
}

static void check_tensors(const r2n_architecture *a)
{
    size_t count = 0;
    r2n_architecture again;
    r2n_tensor_spec *specs = r2n_architecture_tensors(a, &count);
    r2n_tensor_shape *shapes = r2n_allocate(count, sizeof(*shapes));
    require(specs != NULL && shapes != NULL);
    for (size_t i = 0; i < count; i++) {
        shapes[i] = (r2n_tensor_shape){.name = specs[i].name, .rank = specs[i].rank};
        memcpy(shapes[i].shape, specs[i].shape, sizeof shapes[i].shape);
    }
    require(r2n_architecture_from_tensors(shapes, count, "fuzz", &again, NULL) == RES2NET_OK);
    require(r2n_architecture_parameters(&again) == r2n_architecture_parameters(a));
    require(r2n_architecture_statistics(&again) == r2n_architecture_statistics(a));
    r2n_free(shapes);
    r2n_free(specs);
}

/* Larger networks have only more of the same, and take milliseconds each. */
enum { MOST_BLOCKS = 8 };

static int32_t blocks(const r2n_architecture *a)
{
    int32_t sum = 0;
    for (int32_t s = 0; s < a->stages; s++)
        sum += a->depths[s];
    return sum;
}

static void check(const r2n_architecture *a)
{
    r2n_architecture again;
    require(r2n_architecture_validate(a, NULL, NULL) == RES2NET_OK);
    require(r2n_architecture_find(a->name, &again, NULL) == RES2NET_OK);
    again.classes = a->classes; /* a row's name does not hold them */
    require(r2n_architecture_parameters(&again) == r2n_architecture_parameters(a));
    if (blocks(a) > MOST_BLOCKS)
        return;
    check_graph(a, R2N_FAMILY_PADDLE);
    check_graph(a, R2N_FAMILY_TORCH);
    check_tensors(a);
}

enum { MAXIMUM_TENSORS = 256 };

/* Lines of a name and up to four numbers; spoils `text`. */
static size_t read_tensors(char *text, r2n_tensor_shape *tensors)
{
    size_t count = 0;
    for (char *line = text; line != NULL && count < MAXIMUM_TENSORS;) {
        char *next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        r2n_tensor_shape tensor = {.name = line, .rank = 0};
        for (char *at = line; (at = strchr(at, ' ')) != NULL && tensor.rank < 4;) {
            *at++ = '\0';
            tensor.shape[tensor.rank++] = strtoll(at, NULL, 10);
        }
        tensors[count++] = tensor;
        line = next;
    }
    return count;
}

/* The search for a misspelt name compares with every name there is and costs more than all else
 * here: one name in 32 is enough of it. Specifications are always read. */
static int is_sought(const char *name)
{
    unsigned sum = 0;
    for (const char *at = name; *at != '\0'; at++)
        sum = sum * 31 + (uint8_t)*at;
    return r2n_specification_is(name) || sum % 32 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static r2n_tensor_shape tensors[MAXIMUM_TENSORS];
    r2n_architecture a;
    res2net_report *report = res2net_report_create();
    char *text = r2n_copy_bytes(data, size);
    if (report != NULL && text != NULL) {
        char *rest = strchr(text, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        if (is_sought(text)) {
            if (r2n_architecture_find(text, &a, report) == RES2NET_OK)
                check(&a);
            else
                require(res2net_report_count(report) > 0);
        }
        const size_t count = rest == NULL ? 0 : read_tensors(rest, tensors);
        if (count > 0 &&
            r2n_architecture_from_tensors(tensors, count, "fuzz", &a, report) == RES2NET_OK)
            check(&a);
    }
    r2n_free(text);
    res2net_report_destroy(report);
    return 0;
}
