/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe as one flat JSON object, as .r2n files hold it. All keys are there, none other is;
 * only "decoder" may be missing. */
#include <string.h>

#include "base/memory.h"
#include "base/report.h"
#include "formats/json.h"
#include "formats/json_writer.h"
#include "image/image.h"

static const char *const decoders[] = {"opencv", "pillow", NULL};
static const char *const size_rules[] = {"paddle", "torch", NULL};
static const char *const resizers[] = {"opencv", "pillow", NULL};
static const char *const interpolations[] = {"nearest", "bilinear", "bicubic", NULL};
static const char *const crop_rules[] = {"paddle", "torch", NULL};
static const char *const normalise_rules[] = {"paddle", "torch", NULL};

typedef enum field_kind { INTEGER, CHOICE, FLOATS } field_kind;

/* A field in plain numbers: integers and choices in `integer`, floats in `floats`. */
typedef struct field {
    const char *key;
    field_kind kind;
    const char *const *choices;
    int32_t integer;
    int count; /* FLOATS: 1 is a number, 3 an array */
    float floats[3];
} field;

enum { FIELDS = 15, DECODER = 14, SIZE_RULE = 4 };

/* Reading and writing both go through this list, so that neither can miss a field. */
static void to_fields(const r2n_recipe *r, field fields[FIELDS])
{
    const field all[FIELDS] = {
        {"apply_exif", INTEGER, NULL, r->apply_exif, 0, {0}},
        {"resize_short", INTEGER, NULL, r->resize_short, 0, {0}},
        {"resize_width", INTEGER, NULL, r->resize_width, 0, {0}},
        {"resize_height", INTEGER, NULL, r->resize_height, 0, {0}},
        {"size_rule", CHOICE, size_rules, (int32_t)r->size_rule, 0, {0}},
        {"resizer", CHOICE, resizers, (int32_t)r->resizer, 0, {0}},
        {"interpolation", CHOICE, interpolations, (int32_t)r->interpolation, 0, {0}},
        {"crop_width", INTEGER, NULL, r->crop_width, 0, {0}},
        {"crop_height", INTEGER, NULL, r->crop_height, 0, {0}},
        {"crop_rule", CHOICE, crop_rules, (int32_t)r->crop_rule, 0, {0}},
        {"normalise_rule", CHOICE, normalise_rules, (int32_t)r->normalise_rule, 0, {0}},
        {"scale", FLOATS, NULL, 0, 1, {r->scale}},
        {"mean", FLOATS, NULL, 0, 3, {r->mean[0], r->mean[1], r->mean[2]}},
        {"std", FLOATS, NULL, 0, 3, {r->std[0], r->std[1], r->std[2]}},
        {"decoder", CHOICE, decoders, (int32_t)r->decoder, 0, {0}},
    };
    memcpy(fields, all, sizeof all);
}

static void from_fields(const field fields[FIELDS], r2n_recipe *r)
{
    *r = (r2n_recipe){
        .apply_exif = fields[0].integer,
        .resize_short = fields[1].integer,
        .resize_width = fields[2].integer,
        .resize_height = fields[3].integer,
        .size_rule = (r2n_size_rule)fields[4].integer,
        .resizer = (r2n_resizer)fields[5].integer,
        .interpolation = (r2n_interpolation)fields[6].integer,
        .crop_width = fields[7].integer,
        .crop_height = fields[8].integer,
        .crop_rule = (r2n_crop_rule)fields[9].integer,
        .normalise_rule = (r2n_normalise_rule)fields[10].integer,
        .scale = fields[11].floats[0],
        .decoder = (r2n_decoder)fields[DECODER].integer,
    };
    memcpy(r->mean, fields[12].floats, sizeof r->mean);
    memcpy(r->std, fields[13].floats, sizeof r->std);
}

static void put_field(r2n_text *text, const field *f)
{
    r2n_json_put_string(text, f->key);
    r2n_text_put(text, ": ");
    if (f->kind == INTEGER) {
        r2n_json_put_integer(text, f->integer);
    } else if (f->kind == CHOICE) {
        r2n_json_put_string(text, f->choices[f->integer]);
    } else {
        r2n_text_put(text, f->count > 1 ? "[" : "");
        for (int i = 0; i < f->count; i++) {
            r2n_text_put(text, i > 0 ? ", " : "");
            r2n_json_put_number(text, f->floats[i]);
        }
        r2n_text_put(text, f->count > 1 ? "]" : "");
    }
}

char *r2n_recipe_to_json(const r2n_recipe *recipe)
{
    field fields[FIELDS];
    r2n_text text = {0};
    if (r2n_recipe_validate(recipe, NULL, NULL) != RES2NET_OK)
        return NULL;
    to_fields(recipe, fields);
    r2n_text_put(&text, "{");
    for (int i = 0; i < FIELDS; i++) {
        r2n_text_put(&text, i > 0 ? ", " : "");
        put_field(&text, &fields[i]);
    }
    r2n_text_put(&text, "}");
    if (text.failed) {
        r2n_free(text.data);
        return NULL;
    }
    return text.data;
}

/* Where messages point to. */
typedef struct source {
    const char *name;
    res2net_report *report;
} source;

static res2net_status fail_value(const source *s, const r2n_json_value *value, const field *f,
                                 const char *expected)
{
    return r2n_fail(s->report, RES2NET_INVALID_ARGUMENT, s->name, (int64_t)value->start,
                    "the preprocessing's \"%s\" is not %s", f->key, expected);
}

static res2net_status read_choice(const source *s, const r2n_json_value *value, field *f)
{
    for (int i = 0; value->kind == R2N_JSON_STRING && f->choices[i] != NULL; i++) {
        if (strcmp(value->text, f->choices[i]) == 0) {
            f->integer = i;
            return RES2NET_OK;
        }
    }
    return fail_value(s, value, f, "one of its known choices");
}

static res2net_status read_floats(const source *s, const r2n_json_value *value, field *f)
{
    const r2n_json_value *item = value;
    if (f->count > 1) {
        if (value->kind != R2N_JSON_ARRAY || value->count != (size_t)f->count)
            return fail_value(s, value, f, "an array of three numbers");
        item = value->first;
    }
    for (int i = 0; i < f->count; i++) {
        if (item->kind != R2N_JSON_NUMBER)
            return fail_value(s, item, f, "made of numbers");
        f->floats[i] = (float)item->number;
        item = item->next;
    }
    return RES2NET_OK;
}

static res2net_status read_field(const source *s, const r2n_json_value *value, field *f)
{
    if (f->kind == CHOICE)
        return read_choice(s, value, f);
    if (f->kind == FLOATS)
        return read_floats(s, value, f);
    int64_t number;
    if (!r2n_json_integer(value, &number) || number < INT32_MIN || number > INT32_MAX)
        return fail_value(s, value, f, "a whole number");
    f->integer = (int32_t)number;
    return RES2NET_OK;
}

static int is_known(const field fields[FIELDS], const char *key)
{
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].key, key) == 0)
            return 1;
    return 0;
}

static res2net_status read_object(const source *s, const r2n_json_value *object, r2n_recipe *recipe)
{
    field fields[FIELDS];
    if (object->kind != R2N_JSON_OBJECT)
        return r2n_fail(s->report, RES2NET_INVALID_ARGUMENT, s->name, (int64_t)object->start,
                        "the preprocessing is %s where an object was expected",
                        r2n_json_kind_name(object->kind));
    r2n_recipe blank = {0};
    to_fields(&blank, fields);
    for (const r2n_json_value *value = object->first; value != NULL; value = value->next)
        if (!is_known(fields, value->key))
            return r2n_fail(s->report, RES2NET_INVALID_ARGUMENT, s->name, (int64_t)value->start,
                            "the preprocessing has an unknown key \"%.64s\": it may come from a "
                            "newer res2net",
                            value->key);
    for (int i = 0; i < FIELDS; i++) {
        const r2n_json_value *value = r2n_json_member(object, fields[i].key);
        if (value == NULL && i == DECODER) {
            /* The first files did not have it: the family's original decodes. */
            fields[i].integer = fields[SIZE_RULE].integer == R2N_SIZE_TORCH ? R2N_DECODER_PILLOW
                                                                            : R2N_DECODER_OPENCV;
            continue;
        }
        if (value == NULL)
            return r2n_fail(s->report, RES2NET_INVALID_ARGUMENT, s->name, (int64_t)object->start,
                            "the preprocessing lacks the key \"%s\"", fields[i].key);
        const res2net_status status = read_field(s, value, &fields[i]);
        if (status != RES2NET_OK)
            return status;
    }
    from_fields(fields, recipe);
    return r2n_recipe_validate(recipe, s->name, s->report);
}

res2net_status r2n_recipe_parse_json(const char *text, size_t size, const char *name,
                                     r2n_recipe *recipe, res2net_report *report)
{
    const source s = {name, report};
    r2n_json *document;
    r2n_recipe read;
    res2net_status status = r2n_json_parse(text, size, name, 0, &document, report);
    if (status != RES2NET_OK)
        return status;
    status = read_object(&s, r2n_json_root(document), &read);
    r2n_json_destroy(document);
    if (status == RES2NET_OK)
        *recipe = read;
    return status;
}
