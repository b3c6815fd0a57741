/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its first bytes; and, where it is no weights file, what it is then. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "weights/r2n_format.h"
#include "weights/torch_state.h"

static int begins(const uint8_t *data, size_t size, const char *text, size_t length)
{
    return size >= length && memcmp(data, text, length) == 0;
}

#define BEGINS(data, size, text) begins(data, size, text, sizeof(text) - 1)

static int is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] < 0x20 || data[i] > 0x7E)
            return 0;
    return 1;
}

r2n_weights_format r2n_weights_sniff(const void *bytes, size_t size)
{
    const uint8_t *data = bytes;
    if (BEGINS(data, size, R2N_FORMAT_MAGIC))
        return R2N_WEIGHTS_R2N;
    if (BEGINS(data, size, "PK\x03\x04") || BEGINS(data, size, "PK\x05\x06") ||
        r2n_is_legacy_pth(data, size))
        return R2N_WEIGHTS_PTH;
    if (size >= 2 && data[0] == 0x80 && data[1] <= 5)
        return R2N_WEIGHTS_PDPARAMS;
    if (size >= 9 && data[8] == '{' && !is_text(data, 8))
        return R2N_WEIGHTS_SAFETENSORS;
    return R2N_WEIGHTS_UNKNOWN;
}

r2n_weights_format r2n_weights_format_from_path(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot == NULL)
        return R2N_WEIGHTS_UNKNOWN;
    if (strcasecmp(dot, ".pdparams") == 0)
        return R2N_WEIGHTS_PDPARAMS;
    if (strcasecmp(dot, ".pth") == 0 || strcasecmp(dot, ".pt") == 0)
        return R2N_WEIGHTS_PTH;
    if (strcasecmp(dot, ".safetensors") == 0)
        return R2N_WEIGHTS_SAFETENSORS;
    if (strcasecmp(dot, ".r2n") == 0)
        return R2N_WEIGHTS_R2N;
    return R2N_WEIGHTS_UNKNOWN;
}

static int is_html(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size && (data[at] == ' ' || (data[at] >= '\t' && data[at] <= '\r')))
        at++;
    if (BEGINS(data + at, size - at, "\xEF\xBB\xBF"))
        at += 3;
    return size - at >= 9 && data[at] == '<' &&
           (strncasecmp((const char *)data + at, "<!doctype", 9) == 0 ||
            strncasecmp((const char *)data + at, "<html", 5) == 0 ||
            strncasecmp((const char *)data + at, "<?xml", 5) == 0 ||
            strncasecmp((const char *)data + at, "<head", 5) == 0);
}

static const char *describe(const uint8_t *data, size_t size)
{
    if (size == 0)
        return "the file is empty";
    if (is_html(data, size))
        return "this is an HTML page, not weights: the link led to a web page (a login or an "
               "error, "
               "perhaps); download the file itself";
    if (BEGINS(data, size, "version https://git-lfs"))
        return "this is a Git LFS pointer, not the weights: run \"git lfs pull\" in its "
               "repository, "
               "or download the file itself";
    if (BEGINS(data, size, "\x1F\x8B"))
        return "a gzip archive: unpack it first";
    if (size > 262 && memcmp(data + 257, "ustar", 5) == 0)
        return "a tar archive, not a weights file: unpack it and give what is inside";
    if (BEGINS(data, size, "\x89HDF"))
        return "an HDF5 file (Keras?); .pdparams, .pth, .safetensors and .r2n can be read";
    if (BEGINS(data, size, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"))
        return "this begins like a Paddle inference model's .pdiparams (or is all zeros); the "
               "training weights are in a .pdparams";
    if (data[0] == '{')
        return "a JSON text, not weights";
    return NULL;
}

res2net_status r2n_explain_unknown(const r2n_weights_reader *reader)
{
    const char *text = describe(reader->data, reader->size);
    if (text != NULL)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, 0, "%s", text);
    char first[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < reader->size; i++)
        snprintf(first + 3 * i, sizeof first - 3 * i, " %02x", reader->data[i]);
    return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, 0,
                    "not a weights file (it begins with%s); .pdparams, .pth, .safetensors and .r2n "
                    "can be read",
                    first);
}
