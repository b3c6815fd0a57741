/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue and summaries, as the public API tells them. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "drawing/drawing.h"
#include "model/graph.h"
#include "predict/model.h"

size_t res2net_catalogue_count(void)
{
    return r2n_catalogue_count();
}

const char *res2net_catalogue_nearest(const char *name)
{
    return r2n_architecture_nearest(name);
}

static res2net_status count_macs(const r2n_graph *graph, int32_t rows, int32_t columns,
                                 r2n_shape **shapes, int64_t *macs, res2net_report *report)
{
    *macs = 0;
    *shapes = r2n_allocate((size_t)graph->count, sizeof **shapes);
    if (*shapes == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the shapes");
    const res2net_status status = r2n_graph_shapes(graph, rows, columns, *shapes, report);
    for (int32_t i = 0; status == RES2NET_OK && i < graph->count; i++)
        *macs += r2n_node_macs(graph, *shapes, i);
    return status;
}

/* Both families have the same convolutions, so the same count. */
static int64_t architecture_macs(const r2n_architecture *architecture)
{
    r2n_graph *graph;
    r2n_shape *shapes;
    int64_t macs;
    if (r2n_graph_create(architecture, R2N_FAMILY_TORCH, &graph, NULL) != RES2NET_OK)
        return 0;
    if (count_macs(graph, architecture->picture_size, architecture->picture_size, &shapes, &macs,
                   NULL) != RES2NET_OK)
        macs = 0;
    r2n_free(shapes);
    r2n_graph_destroy(graph);
    return macs;
}

void res2net_catalogue_get(size_t index, res2net_catalogue_entry *entry)
{
    const r2n_catalogue_row *row = r2n_catalogue_get(index);
    const r2n_architecture *architecture = &row->architecture;
    *entry = (res2net_catalogue_entry){.name = architecture->name,
                                       .aliases = row->aliases,
                                       .origin = row->origin,
                                       .parameters = r2n_architecture_parameters(architecture),
                                       .statistics = r2n_architecture_statistics(architecture),
                                       .macs = architecture_macs(architecture),
                                       .picture_size = architecture->picture_size,
                                       .classes = architecture->classes,
                                       .page_top1 = row->page_top1,
                                       .page_top5 = row->page_top5,
                                       .page_gflops = row->page_gflops,
                                       .page_millions = row->page_millions,
                                       .note = row->note,
                                       .published = row->published};
}

/* ---- summary ---- */

static char *kind_text(const r2n_node *node)
{
    char text[R2N_NODE_KIND_BYTES];
    r2n_node_kind_text(node, text);
    return r2n_copy_string(text);
}

void res2net_summary_free(res2net_summary *summary)
{
    for (size_t i = 0; i < summary->layer_count; i++) {
        r2n_free((void *)(uintptr_t)summary->layers[i].name);
        r2n_free((void *)(uintptr_t)summary->layers[i].kind);
    }
    r2n_free(summary->layers);
    *summary = (res2net_summary){0};
}

static res2net_status fill_layers(const r2n_graph *graph, const r2n_shape *shapes,
                                  res2net_summary *out, res2net_report *report)
{
    out->layers = r2n_allocate_zeroed((size_t)graph->count, sizeof *out->layers);
    for (int32_t i = 0; out->layers != NULL && i < graph->count; i++) {
        res2net_layer *layer = &out->layers[out->layer_count++];
        layer->name = r2n_copy_string(graph->nodes[i].name);
        layer->kind = kind_text(&graph->nodes[i]);
        layer->channels = shapes[i].channels;
        layer->rows = shapes[i].rows;
        layer->columns = shapes[i].columns;
        layer->parameters = r2n_node_parameters(graph, i);
        layer->macs = r2n_node_macs(graph, shapes, i);
        if (layer->name == NULL || layer->kind == NULL)
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the summary");
    }
    return out->layers != NULL
               ? RES2NET_OK
               : r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the summary");
}

static res2net_status summarise(const r2n_graph *graph, int32_t height, int32_t width,
                                res2net_summary *out, res2net_report *report)
{
    const r2n_architecture *architecture = &graph->architecture;
    r2n_shape *shapes;
    *out = (res2net_summary){.family = (res2net_family)graph->family,
                             .height = height > 0 ? height : architecture->picture_size,
                             .width = width > 0 ? width : architecture->picture_size,
                             .classes = architecture->classes,
                             .parameters = r2n_architecture_parameters(architecture),
                             .statistics = r2n_architecture_statistics(architecture)};
    snprintf(out->architecture, sizeof out->architecture, "%s", architecture->name);
    res2net_status status = count_macs(graph, out->height, out->width, &shapes, &out->macs, report);
    if (status == RES2NET_OK)
        status = fill_layers(graph, shapes, out, report);
    r2n_free(shapes);
    if (status != RES2NET_OK)
        res2net_summary_free(out);
    return status;
}

static res2net_status create_graph(const char *architecture, res2net_family family,
                                   r2n_graph **graph, res2net_report *report)
{
    r2n_architecture found;
    const res2net_status status = r2n_architecture_find(architecture, &found, report);
    if (status != RES2NET_OK)
        return status;
    return r2n_graph_create(&found,
                            family == RES2NET_FAMILY_UNKNOWN
                                ? r2n_architecture_origin_family(&found)
                                : (r2n_family)family,
                            graph, report);
}

res2net_status res2net_summary_create(const char *architecture, res2net_family family,
                                      int32_t height, int32_t width, res2net_summary *out,
                                      res2net_report *report)
{
    r2n_graph *graph;
    *out = (res2net_summary){0};
    res2net_status status = create_graph(architecture, family, &graph, report);
    if (status != RES2NET_OK)
        return status;
    status = summarise(graph, height, width, out, report);
    r2n_graph_destroy(graph);
    return status;
}

res2net_status res2net_summary_of_model(const res2net_model *model, int32_t height, int32_t width,
                                        res2net_summary *out, res2net_report *report)
{
    return summarise(model->graph, height, width, out, report);
}

/* ---- the same as a picture ---- */

static res2net_status draw(const r2n_graph *graph, int32_t height, int32_t width, const char *path,
                           res2net_report *report)
{
    const int32_t own = graph->architecture.picture_size;
    return r2n_draw_graph(graph, height > 0 ? height : own, width > 0 ? width : own, path, report);
}

res2net_status res2net_summary_draw(const char *architecture, res2net_family family, int32_t height,
                                    int32_t width, const char *path, res2net_report *report)
{
    r2n_graph *graph;
    res2net_status status = create_graph(architecture, family, &graph, report);
    if (status != RES2NET_OK)
        return status;
    status = draw(graph, height, width, path, report);
    r2n_graph_destroy(graph);
    return status;
}

res2net_status res2net_summary_draw_model(const res2net_model *model, int32_t height, int32_t width,
                                          const char *path, res2net_report *report)
{
    return draw(model->graph, height, width, path, report);
}
