/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its first bytes; and, where it is no weights file, what it is then. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "formats/byte_cursor.h"
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

/* A safetensors file begins with its header's size, of which any bytes may be those of a pickle:
 * 128 bytes are 80 00, 640 are 80 02. */
static int begins_with_header(const uint8_t *data, size_t size)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    const uint64_t header = r2n_cursor_u64le(&cursor);
    return r2n_cursor_u8(&cursor) == '{' && !cursor.failed && header <= size - 8;
}

r2n_weights_format r2n_weights_sniff(const void *bytes, size_t size)
{
    const uint8_t *data = bytes;
    if (BEGINS(data, size, R2N_FORMAT_MAGIC))
        return R2N_WEIGHTS_R2N;
    if (BEGINS(data, size, "PK\x03\x04") || BEGINS(data, size, "PK\x05\x06"))
        return R2N_WEIGHTS_PTH;
    if (r2n_is_legacy_pth(data, size))
        return R2N_WEIGHTS_PTH;
    if (begins_with_header(data, size) && !is_text(data, 8))
        return R2N_WEIGHTS_SAFETENSORS;
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
            strncmp((const char *)data + at, "<!--", 4) == 0 ||
            strncasecmp((const char *)data + at, "<head", 5) == 0);
}

/* What the names in a tar archive say it is. */
static const char *describe_tar(const uint8_t *data, size_t size)
{
    enum { RECORD = 512, SIZE_AT = 124, SIZE_DIGITS = 11, NAME_BYTES = 100, MOST = 100 };
    const r2n_byte_cursor whole = r2n_cursor(data, size);
    uint64_t at = 0;
    int torch = 0;
    for (int i = 0; i < MOST; i++) {
        const r2n_byte_cursor header = r2n_cursor_window(&whole, at, RECORD);
        uint64_t bytes = 0;
        char name[NAME_BYTES + 1] = "";
        if (header.failed)
            break;
        memcpy(name, header.data, NAME_BYTES);
        for (int d = 0; d < SIZE_DIGITS; d++)
            if (header.data[SIZE_AT + d] >= '0' && header.data[SIZE_AT + d] <= '7')
                bytes = bytes * 8 + (uint64_t)(header.data[SIZE_AT + d] - '0');
        if (strstr(name, ".pdmodel") != NULL || strstr(name, ".pdiparams") != NULL)
            return "a tar archive with a Paddle inference model (an _infer.tar): a graph, not "
                   "weights alone";
        torch += strcmp(name, "storages") == 0 || strcmp(name, "tensors") == 0 ||
                 strcmp(name, "pickle") == 0;
        at += RECORD + (bytes + RECORD - 1) / RECORD * RECORD;
    }
    return torch == 3
               ? "a PyTorch file in the tar format from before 0.1.10, which is not read; in "
                 "Python, with a PyTorch that still can: torch.save(torch.load(FILE), "
                 "\"new.pth\")"
               : "a tar archive, not a weights file: unpack it and give what is inside";
}

/* Files that are told by how they begin. */
static const char *describe_beginning(const uint8_t *data, size_t size)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } rows[] = {
#define ROW(bytes, text) {bytes, sizeof(bytes) - 1, text}
        ROW("version https://git-lfs",
            "this is a Git LFS pointer, not the weights: run \"git lfs pull\" in its repository, "
            "or download the file itself"),
        ROW("\x1F\x8B", "a gzip archive (.gz, .tgz): unpack it first"),
        ROW("BZh", "a bzip2 archive: unpack it first"),
        ROW("\xFD"
            "7zXZ",
            "an xz archive: unpack it first"),
        ROW("\x28\xB5\x2F\xFD", "a zstd archive: unpack it first"),
        ROW("7z\xBC\xAF", "a 7z archive: unpack it first"),
        ROW("Rar!", "a RAR archive: unpack it first"),
        ROW("\x89HDF",
            "an HDF5 file (Keras?); .pdparams, .pth, .safetensors, .onnx and .r2n can be read"),
        ROW("\xFF\xD8\xFF", "a JPEG picture, not weights; pictures are given without -m"),
        ROW("\x89PNG", "a PNG picture, not weights; pictures are given without -m"),
        ROW("GIF8", "a GIF picture, not weights"),
        ROW("BM", "a BMP picture, not weights; pictures are given without -m"),
        ROW("RIFF", "a WebP picture (or another RIFF file), not weights"),
        ROW("II*\0", "a TIFF picture, not weights"),
        ROW("MM\0*", "a TIFF picture, not weights"),
        ROW("%PDF", "a PDF document, not weights"),
        ROW("\x93NUMPY", "a NumPy array (.npy), not weights; --input-npy takes such files"),
        ROW("GGUF", "a GGUF file; .pdparams, .pth, .safetensors and .r2n can be read"),
        ROW("\x7F"
            "ELF",
            "a program (ELF), not weights"),
        ROW("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "this begins like a Paddle inference model's .pdiparams (or is all zeros); give the "
            "folder that holds it, or the .pdmodel or .json beside it"),
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (begins(data, size, rows[i].bytes, rows[i].length))
            return rows[i].text;
    return NULL;
}

static const char *describe(const uint8_t *data, size_t size)
{
    if (size == 0)
        return "the file is empty: a download that did not begin? fetch it again";
    if (is_html(data, size))
        return "this is an HTML page, not weights: the link led to a web page (a login or an "
               "error, perhaps); download the file itself";
    const char *text = describe_beginning(data, size);
    if (text != NULL)
        return text;
    if (size > 262 && memcmp(data + 257, "ustar", 5) == 0)
        return describe_tar(data, size);
    if (data[0] == '{')
        return "a JSON text, not weights";
    if (size > 3 && data[0] == 0x08 && data[1] < 0x20 && (data[2] == 0x12 || data[2] == 0x3A))
        return "this begins like an ONNX model: a graph, not weights alone, or a damaged one";
    return NULL;
}

/* A few words of a text: "404: Not Found". */
static res2net_status explain_text(const r2n_weights_reader *reader)
{
    enum { SHOWN = 40 };
    char shown[SHOWN + 1];
    size_t length = 0;
    while (length < SHOWN && length < reader->size && reader->data[length] >= 0x20)
        length++;
    memcpy(shown, reader->data, length);
    shown[length] = '\0';
    return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, 0,
                    "a text, not a weights file; it begins with \"%s\" (an answer of the server it "
                    "was fetched from?)",
                    shown);
}

static int is_readable_text(const uint8_t *data, size_t size)
{
    if (size > 512)
        size = 512;
    for (size_t i = 0; i < size; i++)
        if (data[i] != '\n' && data[i] != '\r' && data[i] != '\t' &&
            (data[i] < 0x20 || data[i] > 0x7E))
            return 0;
    return data[0] > 0x20;
}

res2net_status r2n_explain_unknown(const r2n_weights_reader *reader)
{
    const char *text = describe(reader->data, reader->size);
    if (text != NULL)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, 0, "%s", text);
    if (is_readable_text(reader->data, reader->size))
        return explain_text(reader);
    char first[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < reader->size; i++)
        snprintf(first + 3 * i, sizeof first - 3 * i, " %02x", reader->data[i]);
    return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, 0,
                    "not a weights file (it begins with%s); .pdparams, .pth, .safetensors, .r2n, "
                    ".onnx and Paddle inference models can be read",
                    first);
}
