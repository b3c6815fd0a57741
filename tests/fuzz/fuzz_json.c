/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is read can be written again and then reads the same. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/json.h"
#include "formats/json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(r2n_text *text, const r2n_json_value *value)
{
    int64_t integer;
    if (value->key != NULL) {
        r2n_json_put_string(text, value->key);
        r2n_text_put(text, ":");
    }
    if (r2n_json_integer(value, &integer) && (double)integer != value->number)
        abort();
    if (value->kind == R2N_JSON_STRING)
        r2n_json_put_string_bytes(text, value->text, value->length);
    else if (value->kind == R2N_JSON_NUMBER)
        r2n_json_put_number(text, value->number);
    else if (value->kind < R2N_JSON_NUMBER)
        r2n_text_put(text, r2n_json_kind_name(value->kind));
    else {
        r2n_text_put(text, value->kind == R2N_JSON_ARRAY ? "[" : "{");
        for (const r2n_json_value *v = value->first; v != NULL; v = v->next) {
            r2n_text_put(text, v == value->first ? "" : ",");
            write_value(text, v); /* the reader caps the depth */
        }
        r2n_text_put(text, value->kind == R2N_JSON_ARRAY ? "]" : "}");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_json *json, *again;
    r2n_text first = {0}, second = {0};
    if (r2n_json_parse(data, size, "fuzz", 0, &json, NULL) != RES2NET_OK)
        return 0;
    write_value(&first, r2n_json_root(json));
    if (r2n_json_parse(first.data, first.size, "fuzz", 0, &again, NULL) != RES2NET_OK)
        abort();
    write_value(&second, r2n_json_root(again));
    if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
        abort();
    r2n_free(first.data);
    r2n_free(second.data);
    r2n_json_destroy(json);
    r2n_json_destroy(again);
    return 0;
}
