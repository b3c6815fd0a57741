/* SPDX-License-Identifier: Apache-2.0 */
#include "data/split.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "data/text_lines.h"

/* ---- who goes where ------------------------------------------------------------------------ */

static size_t first_share(size_t count, double share)
{
    size_t first = (size_t)((double)count * share + 0.5);
    if (count >= 2 && first == 0)
        first = 1;
    if (count >= 2 && first == count)
        first = count - 1;
    return first;
}

/* A class on the way through the items. */
typedef struct class_share {
    size_t left;    /* items not met yet */
    size_t to_take; /* of these */
    uint64_t state; /* of the random numbers */
} class_share;

/* Each item is taken with the chance of what is left to take. */
res2net_status r2n_split_choose(const r2n_dataset *dataset, double share, uint64_t seed,
                                uint8_t *second, res2net_report *report)
{
    class_share *classes = r2n_allocate_zeroed((size_t)dataset->class_count, sizeof *classes);
    if (classes == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to split the set");
    for (size_t i = 0; i < dataset->count; i++)
        classes[dataset->items[i].label].left++;
    for (int32_t label = 0; label < dataset->class_count; label++) {
        classes[label].to_take = first_share(classes[label].left, share);
        classes[label].state = seed ^ ((uint64_t)label + 1) * 0xd1342543de82ef95u;
    }
    for (size_t i = 0; i < dataset->count; i++) {
        class_share *own = &classes[dataset->items[i].label];
        const int taken = r2n_splitmix(own->state += R2N_SPLITMIX_STEP) % own->left < own->to_take;
        second[i] = (uint8_t)!taken;
        own->to_take -= (size_t)taken;
        own->left--;
    }
    r2n_free(classes);
    return RES2NET_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_text(r2n_file_writer *writer, const char *text)
{
    r2n_writer_put(writer, text, strlen(text));
}

/* What a reader would take for a comment, a quoted path, or blanks at the ends. */
static int needs_quotes(const char *path)
{
    return path[0] == '#' || path[0] == '"' || r2n_is_blank(path[0]) ||
           r2n_is_blank(path[strlen(path) - 1]) || strncmp(path, "\xef\xbb\xbf", 3) == 0;
}

static void put_path(r2n_file_writer *writer, const char *path)
{
    const int quoted = needs_quotes(path);
    if (quoted)
        put_text(writer, "\"");
    for (; *path != '\0'; path++) {
        if (quoted && *path == '"')
            put_text(writer, "\"");
        r2n_writer_put(writer, path, 1);
    }
    if (quoted)
        put_text(writer, "\"");
}

/* The path without the root before it. */
static const char *relative(const char *path, const char *root)
{
    const size_t bytes = strlen(root);
    if (bytes == 0 || strncmp(path, root, bytes) != 0)
        return path;
    path += bytes;
    while (*path == '/')
        path++;
    return path;
}

res2net_status r2n_split_write_list(const r2n_dataset *dataset, const char *root,
                                    const uint8_t *second, int part, const char *path,
                                    res2net_report *report)
{
    r2n_file_writer *writer;
    res2net_status status = r2n_writer_open(path, &writer, report);
    if (status != RES2NET_OK)
        return status;
    for (size_t i = 0; i < dataset->count; i++) {
        const char *item_path = dataset->items[i].path;
        char label[16];
        if (second[i] != part)
            continue;
        if (r2n_text_find_control(item_path, strlen(item_path)) != NULL)
            status = r2n_fail(report, RES2NET_BAD_LIST, item_path, -1,
                              "the name has a control character, which no list can hold");
        put_path(writer, relative(item_path, root));
        snprintf(label, sizeof label, " %d\n", dataset->items[i].label);
        put_text(writer, label);
    }
    if (status == RES2NET_OK)
        return r2n_writer_close(writer, report);
    r2n_writer_discard(writer);
    return status;
}

res2net_status r2n_split_write_labels(const r2n_dataset *dataset, const char *path,
                                      res2net_report *report)
{
    r2n_file_writer *writer;
    const res2net_status status = r2n_writer_open(path, &writer, report);
    if (status != RES2NET_OK)
        return status;
    for (int32_t i = 0; i < dataset->folder_count; i++) {
        char index[16];
        snprintf(index, sizeof index, "%d ", i);
        put_text(writer, index);
        put_text(writer, dataset->folder_names[i]);
        put_text(writer, "\n");
    }
    return r2n_writer_close(writer, report);
}
