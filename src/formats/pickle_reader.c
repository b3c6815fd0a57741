/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/pickle_reader.h"

#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/pickle_machine.h"
#include "formats/pickle_opcodes.h"
#include "formats/utf8.h"

/* ---- scalars and text ---------------------------------------------------------------------- */

static res2net_status push_integer(r2n_pickle_machine *m, int64_t number)
{
    r2n_pickle_value *value = r2n_pickle_new(m, R2N_PICKLE_INTEGER);
    if (value != NULL)
        value->integer = number;
    return r2n_pickle_push(m, value);
}

static res2net_status push_long(r2n_pickle_machine *m)
{
    const size_t bytes = r2n_cursor_u8(&m->cursor);
    if (bytes > 8) {
        r2n_cursor_skip(&m->cursor, bytes);
        return r2n_pickle_push(m, r2n_pickle_new(m, R2N_PICKLE_HUGE));
    }
    uint64_t number = r2n_cursor_little_endian(&m->cursor, bytes);
    if (bytes > 0 && bytes < 8 && number >> (8 * bytes - 1) != 0)
        number |= UINT64_MAX << (8 * bytes);
    return push_integer(m, (int64_t)number);
}

static res2net_status push_float(r2n_pickle_machine *m)
{
    const uint64_t bits = r2n_cursor_big_endian(&m->cursor, 8);
    r2n_pickle_value *value = r2n_pickle_new(m, R2N_PICKLE_FLOAT);
    if (value != NULL)
        memcpy(&value->number, &bits, sizeof bits);
    return r2n_pickle_push(m, value);
}

static res2net_status push_bytes(r2n_pickle_machine *m, r2n_pickle_kind kind, size_t size_bytes)
{
    const uint64_t size = r2n_cursor_little_endian(&m->cursor, size_bytes);
    const uint8_t *bytes = r2n_cursor_take(&m->cursor, size);
    if (m->cursor.failed)
        return r2n_pickle_cut_off(m);
    if (kind == R2N_PICKLE_TEXT && r2n_utf8_valid_bytes(bytes, (size_t)size) != size)
        return r2n_pickle_bad(m, "a text is not valid UTF-8");
    r2n_pickle_value *value = r2n_pickle_new(m, kind);
    if (value != NULL) {
        value->bytes = bytes;
        value->size = (size_t)size;
    }
    return r2n_pickle_push(m, value);
}

/* ---- opcodes ------------------------------------------------------------------------------- */

static res2net_status push_constant(r2n_pickle_machine *m, r2n_pickle_kind kind, int64_t integer)
{
    r2n_pickle_value *value = r2n_pickle_new(m, kind);
    if (value != NULL)
        value->integer = integer;
    return r2n_pickle_push(m, value);
}

static res2net_status to_mark_tuple(r2n_pickle_machine *m)
{
    if (m->mark_count == 0)
        return r2n_pickle_bad(m, "a tuple without a mark");
    const size_t count = r2n_pickle_available(m);
    m->mark_count--;
    return r2n_pickle_push_tuple(m, count);
}

static res2net_status pop(r2n_pickle_machine *m)
{
    if (r2n_pickle_available(m) > 0)
        m->stack_count--;
    else if (m->mark_count > 0)
        m->mark_count--;
    else
        return r2n_pickle_bad(m, "a pop of nothing");
    return RES2NET_OK;
}

static res2net_status stop(r2n_pickle_machine *m)
{
    if (m->stack_count != 1 || m->mark_count != 0)
        return r2n_pickle_bad(m, "it stops with other than one value");
    m->pickle->root = m->stack[0];
    m->pickle->bytes = m->cursor.position;
    m->stopped = 1;
    return RES2NET_OK;
}

static res2net_status protocol(r2n_pickle_machine *m)
{
    const uint8_t number = r2n_cursor_u8(&m->cursor);
    if (!m->cursor.failed && (number < 2 || number > 5))
        return R2N_PICKLE_FAIL(m, RES2NET_UNSUPPORTED, "pickle protocol %u; 2 to 5 can be read",
                               number);
    return RES2NET_OK;
}

static res2net_status step_containers(r2n_pickle_machine *m, uint8_t opcode)
{
    switch (opcode) {
    case R2N_PICKLE_MARK:
        return r2n_pickle_put_mark(m);
    case R2N_PICKLE_POP:
        return pop(m);
    case R2N_PICKLE_EMPTY_TUPLE:
        return r2n_pickle_push_tuple(m, 0);
    case R2N_PICKLE_TUPLE1:
        return r2n_pickle_push_tuple(m, 1);
    case R2N_PICKLE_TUPLE2:
        return r2n_pickle_push_tuple(m, 2);
    case R2N_PICKLE_TUPLE3:
        return r2n_pickle_push_tuple(m, 3);
    case R2N_PICKLE_TUPLE_TO_MARK:
        return to_mark_tuple(m);
    case R2N_PICKLE_EMPTY_LIST:
    case R2N_PICKLE_EMPTY_SET:
        return r2n_pickle_push(m, r2n_pickle_new(m, R2N_PICKLE_LIST));
    case R2N_PICKLE_EMPTY_DICT:
        return r2n_pickle_push(m, r2n_pickle_new(m, R2N_PICKLE_DICT));
    case R2N_PICKLE_APPEND:
        return r2n_pickle_add_items(m, R2N_PICKLE_LIST, 0);
    case R2N_PICKLE_APPENDS:
    case R2N_PICKLE_ADDITEMS:
        return r2n_pickle_add_items(m, R2N_PICKLE_LIST, 1);
    case R2N_PICKLE_SETITEM:
        return r2n_pickle_add_items(m, R2N_PICKLE_DICT, 0);
    case R2N_PICKLE_SETITEMS:
        return r2n_pickle_add_items(m, R2N_PICKLE_DICT, 1);
    case R2N_PICKLE_GLOBAL_LINES:
        return r2n_pickle_global_lines(m);
    case R2N_PICKLE_STACK_GLOBAL:
        return r2n_pickle_stack_global(m);
    case R2N_PICKLE_REDUCE:
    case R2N_PICKLE_NEWOBJ:
        return r2n_pickle_call(m);
    case R2N_PICKLE_BUILD:
        return r2n_pickle_build(m);
    case R2N_PICKLE_BINPERSID:
        return r2n_pickle_push_persistent(m);
    default:
        return R2N_PICKLE_FAIL(
            m, RES2NET_UNSUPPORTED,
            "pickle: the opcode 0x%02x is not one that weights files need; nothing was "
            "executed",
            opcode);
    }
}

static res2net_status step(r2n_pickle_machine *m, uint8_t opcode)
{
    r2n_byte_cursor *cursor = &m->cursor;
    switch (opcode) {
    case R2N_PICKLE_PROTO:
        return protocol(m);
    case R2N_PICKLE_FRAME:
        r2n_cursor_skip(cursor, 8);
        return RES2NET_OK;
    case R2N_PICKLE_STOP:
        return stop(m);
    case R2N_PICKLE_PUSH_NONE:
        return r2n_pickle_push(m, r2n_pickle_new(m, R2N_PICKLE_NONE));
    case R2N_PICKLE_NEWTRUE:
        return push_constant(m, R2N_PICKLE_BOOL, 1);
    case R2N_PICKLE_NEWFALSE:
        return push_constant(m, R2N_PICKLE_BOOL, 0);
    case R2N_PICKLE_BININT:
        return push_integer(m, (int32_t)r2n_cursor_u32le(cursor));
    case R2N_PICKLE_BININT1:
        return push_integer(m, r2n_cursor_u8(cursor));
    case R2N_PICKLE_BININT2:
        return push_integer(m, r2n_cursor_u16le(cursor));
    case R2N_PICKLE_LONG1:
        return push_long(m);
    case R2N_PICKLE_BINFLOAT:
        return push_float(m);
    case R2N_PICKLE_SHORT_BINUNICODE:
        return push_bytes(m, R2N_PICKLE_TEXT, 1);
    case R2N_PICKLE_BINUNICODE:
        return push_bytes(m, R2N_PICKLE_TEXT, 4);
    case R2N_PICKLE_BINUNICODE8:
        return push_bytes(m, R2N_PICKLE_TEXT, 8);
    case R2N_PICKLE_SHORT_BINSTRING:
    case R2N_PICKLE_SHORT_BINBYTES:
        return push_bytes(m, R2N_PICKLE_BYTES, 1);
    case R2N_PICKLE_BINSTRING:
    case R2N_PICKLE_BINBYTES:
        return push_bytes(m, R2N_PICKLE_BYTES, 4);
    case R2N_PICKLE_BINBYTES8:
    case R2N_PICKLE_BYTEARRAY8:
        return push_bytes(m, R2N_PICKLE_BYTES, 8);
    case R2N_PICKLE_BINPUT:
        return r2n_pickle_memo_put(m, r2n_cursor_u8(cursor));
    case R2N_PICKLE_LONG_BINPUT:
        return r2n_pickle_memo_put(m, r2n_cursor_u32le(cursor));
    case R2N_PICKLE_MEMOIZE:
        return r2n_pickle_memo_put(m, m->memo_count);
    case R2N_PICKLE_BINGET:
        return r2n_pickle_memo_get(m, r2n_cursor_u8(cursor));
    case R2N_PICKLE_LONG_BINGET:
        return r2n_pickle_memo_get(m, r2n_cursor_u32le(cursor));
    default:
        return step_containers(m, opcode);
    }
}

static res2net_status run(r2n_pickle_machine *m)
{
    if (r2n_cursor_left(&m->cursor) == 0)
        return R2N_PICKLE_FAIL(m, RES2NET_DAMAGED,
                               "nothing is where a pickle belongs: the file is cut off; fetch it "
                               "again");
    if (m->cursor.data[0] != R2N_PICKLE_PROTO)
        return R2N_PICKLE_FAIL(m, RES2NET_DAMAGED, "not a Python pickle of protocol 2 to 5");
    while (!m->stopped) {
        m->opcode_at = m->cursor.position;
        const uint8_t opcode = r2n_cursor_u8(&m->cursor);
        if (m->cursor.failed)
            return r2n_pickle_cut_off(m);
        const res2net_status status = step(m, opcode);
        if (status != RES2NET_OK)
            return status;
        if (m->cursor.failed)
            return r2n_pickle_cut_off(m);
    }
    return RES2NET_OK;
}

/* ---- the outside --------------------------------------------------------------------------- */

res2net_status r2n_pickle_parse(const void *data, size_t size, const char *file, int64_t base,
                                const r2n_pickle_global *allowed, r2n_pickle **out,
                                res2net_report *report)
{
    *out = NULL;
    r2n_pickle_machine m = {.cursor = r2n_cursor(data, size),
                            .file = file,
                            .base = base,
                            .report = report,
                            .allowed = allowed};
    m.pickle = r2n_allocate_zeroed(1, sizeof *m.pickle);
    const res2net_status status = m.pickle == NULL ? r2n_pickle_no_memory(&m) : run(&m);
    r2n_free(m.stack);
    r2n_free(m.memo);
    r2n_free(m.marks);
    if (status != RES2NET_OK)
        r2n_pickle_destroy(m.pickle);
    else
        *out = m.pickle;
    return status;
}

void r2n_pickle_destroy(r2n_pickle *pickle)
{
    if (pickle == NULL)
        return;
    while (pickle->chunks != NULL) {
        r2n_pickle_chunk *previous = pickle->chunks->previous;
        for (size_t i = 0; i < pickle->chunks->used; i++)
            r2n_free(pickle->chunks->values[i].items);
        r2n_free(pickle->chunks);
        pickle->chunks = previous;
    }
    while (pickle->blocks != NULL) {
        r2n_pickle_block *previous = pickle->blocks->previous;
        r2n_free(pickle->blocks);
        pickle->blocks = previous;
    }
    r2n_free(pickle->persistent);
    r2n_free(pickle);
}

const r2n_pickle_value *r2n_pickle_root(const r2n_pickle *pickle)
{
    return pickle->root;
}

size_t r2n_pickle_bytes(const r2n_pickle *pickle)
{
    return pickle->bytes;
}

const r2n_pickle_value *const *r2n_pickle_persistent(const r2n_pickle *pickle, size_t *count)
{
    *count = pickle->persistent_count;
    return pickle->persistent;
}

int r2n_pickle_is_text(const r2n_pickle_value *value, const char *text)
{
    return value != NULL && (value->kind == R2N_PICKLE_TEXT || value->kind == R2N_PICKLE_BYTES) &&
           strlen(text) == value->size && memcmp(text, value->bytes, value->size) == 0;
}

const r2n_pickle_value *r2n_pickle_member(const r2n_pickle_value *dict, const char *key)
{
    if (dict == NULL || dict->kind != R2N_PICKLE_DICT)
        return NULL;
    for (size_t pair = dict->count / 2; pair-- > 0;)
        if (r2n_pickle_is_text(dict->items[2 * pair], key))
            return dict->items[2 * pair + 1];
    return NULL;
}

const char *r2n_pickle_kind_name(r2n_pickle_kind kind)
{
    static const char *const names[] = {"None",          "a truth value", "an integer", "a float",
                                        "a text",        "bytes",         "a tuple",    "a list",
                                        "a dict",        "a Python type", "an object",  "a storage",
                                        "a huge integer"};
    return names[kind];
}
