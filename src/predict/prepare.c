/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded picture -> tensor, the same way for a file, standard input and memory. */
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "predict/session.h"

/* Whether the network can run what the preparation gave; the picture is to blame, by name. */
static res2net_status check_size(const res2net_session *session, const r2n_pixels *pixels,
                                 const char *name, res2net_report *report)
{
    const r2n_graph *graph = session->model->graph;
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof *shapes);
    if (shapes == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory for the picture");
    const res2net_status status =
        r2n_graph_shapes(graph, pixels->height, pixels->width, shapes, NULL);
    r2n_free(shapes);
    return status == RES2NET_OK
               ? RES2NET_OK
               : r2n_fail(report, RES2NET_BAD_PICTURE, name, -1,
                          "a picture of %dx%d after its preparation is too small or too large for "
                          "%s: let the transforms resize and crop it",
                          pixels->width, pixels->height, session->model->architecture.name);
}

res2net_status r2n_picture_options(int64_t maximum_pixels, int truncated, r2n_image_options *out,
                                   res2net_report *report)
{
    *out = R2N_IMAGE_OPTIONS_DEFAULT;
    if (maximum_pixels < 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "maximum_pixels must be 0 (the default) or more, not %lld",
                        (long long)maximum_pixels);
    if (truncated != RES2NET_TRUNCATED_REFUSE && truncated != RES2NET_TRUNCATED_TOLERATE)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "truncated must be 0 (refuse) or 1 (tolerate), not %d", truncated);
    if (maximum_pixels > 0)
        out->limits.pixels = maximum_pixels;
    out->tolerate_truncated = truncated == RES2NET_TRUNCATED_TOLERATE;
    return RES2NET_OK;
}

res2net_status r2n_session_prepare_pixels(const res2net_session *session, const r2n_pixels *pixels,
                                          const char *name, res2net_tensor *out,
                                          res2net_report *report)
{
    r2n_pixels cropped;
    *out = (res2net_tensor){0};
    if (!session->has_recipe)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "the weights file does not say how pictures are prepared for this network: "
                        "give its transforms (--transforms FILE) or a preset (--preset)");
    res2net_status status =
        r2n_recipe_apply_pixels(&session->recipe, pixels, name, &cropped, report);
    if (status != RES2NET_OK)
        return status;
    status = check_size(session, &cropped, name, report);
    if (status != RES2NET_OK) {
        r2n_pixels_free(&cropped);
        return status;
    }
    const int64_t plane = (int64_t)cropped.width * cropped.height;
    out->data = r2n_allocate(3 * (size_t)plane, sizeof(float));
    if (out->data == NULL) {
        r2n_pixels_free(&cropped);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory for the picture");
    }
    out->batch = 1;
    out->channels = 3;
    out->height = cropped.height;
    out->width = cropped.width;
    r2n_normalise(&session->recipe, &cropped, out->data, cropped.width, 1, plane);
    r2n_pixels_free(&cropped);
    return RES2NET_OK;
}

res2net_status r2n_session_prepare_record(const res2net_session *session,
                                          const r2n_dataset *dataset, size_t index,
                                          const char *name, res2net_tensor *out,
                                          res2net_report *report)
{
    uint8_t rgb[3 * R2N_CIFAR_SIDE * R2N_CIFAR_SIDE];
    r2n_dataset_cifar_pixels(dataset, index, rgb);
    const r2n_pixels pixels = {.width = R2N_CIFAR_SIDE, .height = R2N_CIFAR_SIDE, .rgb = rgb};
    return r2n_session_prepare_pixels(session, &pixels, name, out, report);
}

res2net_status res2net_session_prepare(const res2net_session *session, const void *bytes,
                                       size_t size, const char *name, res2net_tensor *out,
                                       res2net_report *report)
{
    r2n_pixels pixels;
    *out = (res2net_tensor){0};
    res2net_status status =
        r2n_image_decode(bytes, size, name, &session->pictures, &pixels, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_session_prepare_pixels(session, &pixels, name, out, report);
    r2n_pixels_free(&pixels);
    return status;
}

res2net_status res2net_session_prepare_file(const res2net_session *session, const char *path,
                                            res2net_tensor *out, res2net_report *report)
{
    r2n_file_bytes file;
    *out = (res2net_tensor){0};
    res2net_status status = r2n_file_read(path, R2N_PICTURE_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    status = res2net_session_prepare(session, file.data, file.size, name, out, report);
    r2n_file_release(&file);
    return status;
}
