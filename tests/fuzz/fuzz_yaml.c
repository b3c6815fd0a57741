/* SPDX-License-Identifier: Apache-2.0 */
/* YAML documents with overrides (lines that begin with "-o "), read without any schema: every node
 * has a place, and every typed read gives a value in its range or a problem. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/yaml_override.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef R2N_HAVE_YAML

enum { MOST_OVERRIDES = 8, MOST_DEPTH = 6, MOST_NODES = 32 };

static void require(int holds)
{
    if (!holds)
        abort();
}

static void read_scalar(const r2n_yaml *yaml, const yaml_node_t *node)
{
    static const char *const choices[] = {"bilinear", "bicubic", "nearest", NULL};
    char excerpt[R2N_YAML_EXCERPT];
    int32_t integer = 0;
    int truth = -1, index = -1;
    double number = 0;
    require(strlen(r2n_yaml_excerpt(node, excerpt)) < R2N_YAML_EXCERPT);
    if (r2n_yaml_integer(yaml, node, "a", -5, 5000, &integer) == RES2NET_OK)
        require(integer >= -5 && integer <= 5000);
    if (r2n_yaml_boolean(yaml, node, "b", &truth) == RES2NET_OK)
        require(truth == 0 || truth == 1);
    if (r2n_yaml_number(yaml, node, "c", 1, &number) == RES2NET_OK)
        require(number - number == 0); /* finite */
    if (r2n_yaml_choice(yaml, node, "d", choices, &index) == RES2NET_OK)
        require(index >= 0 && index < 3);
    (void)r2n_yaml_nearest(node, choices);
}

static void look(const r2n_yaml *yaml, const yaml_node_t *node, int depth, int *left)
{
    static const char *const keys[] = {"Global", "Infer", "transforms", NULL};
    if (node == NULL || depth > MOST_DEPTH || --*left < 0)
        return;
    const r2n_yaml_place place = r2n_yaml_place_of(node);
    require(place.line == -1 || (place.line >= 1 && place.column >= 1));
    (void)r2n_yaml_is_null(node);
    read_scalar(yaml, node);
    if (node->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *item = node->data.sequence.items.start;
        for (; item < node->data.sequence.items.top; item++)
            look(yaml, r2n_yaml_node(yaml, *item), depth + 1, left);
    }
    if (node->type == YAML_MAPPING_NODE) {
        (void)r2n_yaml_find(yaml, node, "Global");
        (void)r2n_yaml_check_keys(yaml, node, "the fuzzer's mapping", keys);
        const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
        for (; pair < node->data.mapping.pairs.top; pair++) {
            look(yaml, r2n_yaml_node(yaml, pair->key), depth + 1, left);
            look(yaml, r2n_yaml_node(yaml, pair->value), depth + 1, left);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const open[] = {"Arch", "DataLoader.Eval", NULL};
    char *overrides[MOST_OVERRIDES];
    size_t count = 0;
    const uint8_t *end;
    r2n_yaml yaml;
    int left = MOST_NODES;
    while (count < MOST_OVERRIDES && size > 3 && memcmp(data, "-o ", 3) == 0 &&
           (end = memchr(data, '\n', size)) != NULL) {
        overrides[count] = r2n_copy_bytes(data + 3, (size_t)(end - data) - 3);
        require(overrides[count] != NULL);
        count++;
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    res2net_report *report = res2net_report_create();
    if (r2n_yaml_open((const char *)data, size, "anything", "fuzz", &yaml, report) == RES2NET_OK) {
        require(res2net_report_count(report) == 0);
        const res2net_status status =
            r2n_yaml_override(&yaml, (const char *const *)overrides, count, open);
        require((status == RES2NET_OK) == (res2net_report_count(report) == 0));
        look(&yaml, r2n_yaml_node(&yaml, 1), 0, &left);
        r2n_yaml_close(&yaml);
    } else {
        require(res2net_report_count(report) > 0);
    }
    res2net_report_destroy(report);
    while (count > 0)
        r2n_free(overrides[--count]);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}

#endif
