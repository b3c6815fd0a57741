/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference.yml as PaddleClas' export_for_fd writes it: the preprocessing after decoding, and the
 * class names. Its operators cannot tell everything that a recipe of ours does (rounding of sizes,
 * EXIF), so the recipe itself goes along in comments, under the keys of other formats' metadata.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/paddle_internal.h"
#include "formats/json.h"
#include "formats/utf8.h"
#include "weights/metadata.h"

enum { MOST_TOPS = 5 };

/* ---- scalars --------------------------------------------------------------------------------- */

/* The shortest number that reads back to the same float. YAML 1.1 wants a point in a number with an
 * exponent, and so does not every locale. */
static void put_float(r2n_text *text, float number)
{
    enum { FEWEST = 6, MOST = 9 };
    char digits[40];
    for (int precision = FEWEST; precision <= MOST; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
        if (strtof(digits, NULL) == number)
            break;
    }
    int pointed = 0;
    for (const char *at = digits; *at != '\0'; at++) {
        const int known = strchr("0123456789+-e", *at) != NULL;
        if (*at == 'e' && !pointed)
            r2n_text_put(text, ".0");
        if (known)
            r2n_text_put_bytes(text, at, 1);
        else if (!pointed)
            r2n_text_put(text, ".");
        pointed |= !known || *at == 'e';
    }
}

/* JSON's strings are YAML's but for what YAML does not print. */
static void put_string(r2n_text *text, const char *string)
{
    const uint8_t *at = (const uint8_t *)string;
    size_t left = strlen(string), done = 0;
    r2n_text whole = {0};
    r2n_json_put_string_bytes(&whole, string, left);
    at = (const uint8_t *)whole.data;
    left = whole.failed ? 0 : whole.size;
    for (size_t i = 0; i < left;) {
        uint32_t character = 0;
        char escape[8];
        const size_t size = r2n_utf8_decode(at + i, left - i, &character);
        if ((character >= 0x80 && character < 0xA0) || character == 0xFEFF ||
            (character & 0xFFFE) == 0xFFFE) {
            r2n_text_put_bytes(text, at + done, i - done);
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(character & 0xFFFF));
            r2n_text_put(text, escape);
            done = i + size;
        }
        i += size;
    }
    r2n_text_put_bytes(text, at + done, left - done);
    text->failed |= whole.failed;
    r2n_free(whole.data);
}

static void put_comment(r2n_text *text, const char *key, const char *value)
{
    r2n_text_put(text, "# ");
    r2n_text_put(text, key);
    r2n_text_put(text, ": ");
    r2n_text_put(text, value);
    r2n_text_put(text, "\n");
}

/* ---- the recipe ------------------------------------------------------------------------------ */

typedef struct recipe {
    const r2n_json_value *root;
    r2n_text *text;
} recipe;

static int64_t number_of(const recipe *r, const char *key)
{
    const r2n_json_value *value = r2n_json_member(r->root, key);
    int64_t number = 0;
    return value != NULL && r2n_json_integer(value, &number) ? number : 0;
}

static int is(const recipe *r, const char *key, const char *word)
{
    const r2n_json_value *value = r2n_json_member(r->root, key);
    return value != NULL && value->kind == R2N_JSON_STRING && strcmp(value->text, word) == 0;
}

static void put_line(const recipe *r, const char *key, int64_t number)
{
    r2n_text_put(r->text, key);
    r2n_json_put_integer(r->text, number);
    r2n_text_put(r->text, "\n");
}

static void put_size(const recipe *r, int64_t width, int64_t height)
{
    r2n_text_put(r->text, "      size: [");
    r2n_json_put_integer(r->text, width);
    r2n_text_put(r->text, ", ");
    r2n_json_put_integer(r->text, height);
    r2n_text_put(r->text, "]\n");
}

static void put_resize(const recipe *r)
{
    const int64_t shorter = number_of(r, "resize_short"), width = number_of(r, "resize_width");
    if (shorter == 0 && width == 0)
        return;
    r2n_text_put(r->text, "  - ResizeImage:\n");
    if (shorter > 0)
        put_line(r, "      resize_short: ", shorter);
    else
        put_size(r, width, number_of(r, "resize_height"));
    if (is(r, "resizer", "pillow")) {
        r2n_text_put(r->text, "      interpolation: ");
        r2n_text_put(r->text, is(r, "interpolation", "bicubic") ? "bicubic" : "bilinear");
        r2n_text_put(r->text, "\n      backend: pil\n");
    }
}

static void put_crop(const recipe *r)
{
    const int64_t width = number_of(r, "crop_width"), height = number_of(r, "crop_height");
    if (width == 0)
        return;
    r2n_text_put(r->text, "  - CropImage:\n");
    if (width == height)
        put_line(r, "      size: ", width);
    else
        put_size(r, width, height);
}

static void put_three(const recipe *r, const char *key)
{
    const r2n_json_value *list = r2n_json_member(r->root, key);
    r2n_text_put(r->text, "      ");
    r2n_text_put(r->text, key);
    r2n_text_put(r->text, ":");
    for (const r2n_json_value *at = list == NULL ? NULL : list->first; at != NULL; at = at->next) {
        r2n_text_put(r->text, at == list->first ? " [" : ", ");
        put_float(r->text, (float)at->number);
    }
    r2n_text_put(r->text, "]\n");
}

static void put_normalise(const recipe *r)
{
    const r2n_json_value *scale = r2n_json_member(r->root, "scale");
    const int by_scale = is(r, "normalise_rule", "paddle") && scale != NULL;
    r2n_text_put(r->text, "  - NormalizeImage:\n      scale: ");
    put_float(r->text, by_scale ? (float)scale->number : (float)(1.0 / 255.0));
    r2n_text_put(r->text, "\n");
    put_three(r, "mean");
    put_three(r, "std");
    r2n_text_put(r->text, "      order: ''\n      channel_num: 3\n");
}

static int is_recipe(const r2n_json_value *root)
{
    static const char *const keys[] = {"resize_short", "crop_width", "scale", "mean", "std"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const r2n_json_value *value = r2n_json_member(root, keys[i]);
        if (value == NULL || (i >= 3 && (value->kind != R2N_JSON_ARRAY || value->count != 3)))
            return 0;
    }
    return 1;
}

static res2net_status put_preprocessing(const r2n_paddle_export *e, r2n_text *text)
{
    const char *json = e->model->preprocessing;
    r2n_json *document;
    if (json == NULL) {
        r2n_text_put(text, "# How pictures are prepared for this network is not known.\n"
                           "PreProcess:\n  transform_ops: []\n");
        return RES2NET_OK;
    }
    const res2net_status status =
        r2n_json_parse(json, strlen(json), "the preprocessing", 0, &document, e->report);
    if (status != RES2NET_OK)
        return status;
    const recipe r = {.root = r2n_json_root(document), .text = text};
    const int known = is_recipe(r.root);
    r2n_text_put(text, "PreProcess:\n  transform_ops:\n");
    if (known) {
        put_resize(&r);
        put_crop(&r);
        put_normalise(&r);
    }
    r2n_text_put(text, "  - ToCHWImage: null\n");
    r2n_json_destroy(document);
    return known ? RES2NET_OK
                 : r2n_fail(e->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "the preprocessing is no recipe that r2n_recipe_to_json wrote");
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void put_labels(const r2n_paddle_export *e, r2n_text *text)
{
    const int32_t classes = e->model->graph->architecture.classes;
    r2n_text_put(text, "PostProcess:\n  Topk:\n    topk: ");
    r2n_json_put_integer(text, classes < MOST_TOPS ? classes : MOST_TOPS);
    r2n_text_put(text, e->model->label_count > 0 ? "\n    label_list:\n" : "\n");
    for (int32_t i = 0; i < e->model->label_count; i++) {
        r2n_text_put(text, "    - ");
        put_string(text, e->model->labels[i]);
        r2n_text_put(text, "\n");
    }
}

res2net_status r2n_paddle_put_yml(const r2n_paddle_export *export, r2n_text *text)
{
    const r2n_graph *graph = export->model->graph;
    put_comment(text, R2N_KEY_ARCHITECTURE, graph->architecture.name);
    put_comment(text, R2N_KEY_FAMILY, r2n_family_name(graph->family));
    if (export->model->preprocessing != NULL)
        put_comment(text, R2N_KEY_RECIPE, export->model->preprocessing);
    const res2net_status status = put_preprocessing(export, text);
    put_labels(export, text);
    return status;
}
