/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paddle Serving's GeneralModelConfig (spec 6.3): what goes in and comes out. The aliases are those
 * that PaddleClas' classification service asks for.
 */
#include "base/memory.h"
#include "export/paddle_internal.h"
#include "formats/protobuf_writer.h"

enum { FEED_VARIABLE = 2, FETCH_VARIABLE = 3 };
enum { NAME = 1, ALIAS = 2, HAS_LEVELS = 3, ELEMENT_TYPE = 4, SHAPE = 5 };
enum { FLOAT32 = 1 }; /* of their element types */

typedef struct variable {
    const char *message, *type_field, *name, *alias;
    uint32_t field;
    size_t rank;
    int64_t shape[3]; /* without the images */
} variable;

static void make_variables(const r2n_paddle_export *e, variable variables[2])
{
    int64_t shape[4];
    r2n_paddle_value_shape(e, 0, shape);
    variables[0] = (variable){.message = "feed_var",
                              .type_field = "feed_type",
                              .field = FEED_VARIABLE,
                              .name = R2N_PADDLE_INPUT,
                              .alias = "inputs",
                              .rank = 3,
                              .shape = {shape[1], shape[2], shape[3]}};
    variables[1] = (variable){.message = "fetch_var",
                              .type_field = "fetch_type",
                              .field = FETCH_VARIABLE,
                              .name = e->options.softmax ? R2N_PADDLE_SOFTMAX : R2N_PADDLE_LOGITS,
                              .alias = "prediction",
                              .rank = 1,
                              .shape = {e->model->graph->architecture.classes}};
}

static void put_string_line(r2n_text *text, const char *name, const char *value)
{
    r2n_text_put(text, "  ");
    r2n_text_put(text, name);
    r2n_text_put(text, ": \"");
    r2n_text_put(text, value);
    r2n_text_put(text, "\"\n");
}

static void put_number_line(r2n_text *text, const char *name, int64_t value)
{
    r2n_text_put(text, "  ");
    r2n_text_put(text, name);
    r2n_text_put(text, ": ");
    r2n_json_put_integer(text, value);
    r2n_text_put(text, "\n");
}

void r2n_paddle_put_serving_text(const r2n_paddle_export *export, r2n_text *text)
{
    variable variables[2];
    make_variables(export, variables);
    for (int i = 0; i < 2; i++) {
        r2n_text_put(text, variables[i].message);
        r2n_text_put(text, " {\n");
        put_string_line(text, "name", variables[i].name);
        put_string_line(text, "alias_name", variables[i].alias);
        r2n_text_put(text, "  is_lod_tensor: false\n");
        put_number_line(text, variables[i].type_field, FLOAT32);
        for (size_t at = 0; at < variables[i].rank; at++)
            put_number_line(text, "shape", variables[i].shape[at]);
        r2n_text_put(text, "}\n");
    }
}

void r2n_paddle_put_serving_binary(const r2n_paddle_export *export, r2n_text *text)
{
    variable variables[2];
    r2n_text message = {0};
    make_variables(export, variables);
    for (int i = 0; i < 2; i++) {
        r2n_protobuf_put_string(&message, NAME, variables[i].name);
        r2n_protobuf_put_string(&message, ALIAS, variables[i].alias);
        r2n_protobuf_put_integer(&message, HAS_LEVELS, 0);
        r2n_protobuf_put_integer(&message, ELEMENT_TYPE, FLOAT32);
        r2n_protobuf_put_repeated(&message, SHAPE, variables[i].shape, variables[i].rank);
        r2n_protobuf_put_message(text, variables[i].field, &message);
    }
    r2n_free(message.data);
}
