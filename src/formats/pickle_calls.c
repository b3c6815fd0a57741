/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/pickle_machine.h"

#include <string.h>

#include "base/memory.h"
#include "formats/utf8.h"

enum { MAXIMUM_NAME = 256 }; /* bytes of a module or a name */

/* ---- the allow-list ------------------------------------------------------------------------ */

static int printable(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] > 0x7E)
            return 0;
    return size > 0 && size <= MAXIMUM_NAME;
}

static res2net_status push_global(r2n_pickle_machine *m, const uint8_t *module, size_t module_size,
                                  const uint8_t *name, size_t name_size)
{
    if (!printable(module, module_size) || !printable(name, name_size))
        return r2n_pickle_bad(m, "the name of a Python object is not plain text");
    for (const r2n_pickle_global *row = m->allowed; row->module != NULL; row++) {
        if (strlen(row->module) != module_size || strlen(row->name) != name_size ||
            memcmp(row->module, module, module_size) != 0 ||
            memcmp(row->name, name, name_size) != 0)
            continue;
        r2n_pickle_value *value = r2n_pickle_new(m, R2N_PICKLE_GLOBAL);
        if (value != NULL)
            value->global = row;
        return r2n_pickle_push(m, value);
    }
    return R2N_PICKLE_FAIL(
        m, RES2NET_UNSUPPORTED,
        "the pickle refers to the Python object %.*s.%.*s, which is not on the list of "
        "what weights need; nothing was executed. Do not load this file with Python unless "
        "you trust who made it; save the plain state dict (name -> tensor) instead",
        (int)module_size, (const char *)module, (int)name_size, (const char *)name);
}

static const uint8_t *take_line(r2n_pickle_machine *m, size_t *size)
{
    const uint8_t *start = m->cursor.data + m->cursor.position;
    size_t left = r2n_cursor_left(&m->cursor);
    if (left > MAXIMUM_NAME + 1)
        left = MAXIMUM_NAME + 1;
    const uint8_t *end = left == 0 ? NULL : memchr(start, '\n', left);
    if (end == NULL)
        return NULL;
    *size = (size_t)(end - start);
    r2n_cursor_skip(&m->cursor, *size + 1);
    return start;
}

res2net_status r2n_pickle_global_lines(r2n_pickle_machine *m)
{
    size_t module_size = 0, name_size = 0;
    const uint8_t *module = take_line(m, &module_size);
    const uint8_t *name = module == NULL ? NULL : take_line(m, &name_size);
    if (name == NULL)
        return r2n_pickle_bad(m, "the name of a Python object is cut off or too long");
    return push_global(m, module, module_size, name, name_size);
}

res2net_status r2n_pickle_stack_global(r2n_pickle_machine *m)
{
    const r2n_pickle_value *module = r2n_pickle_top(m, 1);
    const r2n_pickle_value *name = r2n_pickle_top(m, 0);
    if (module == NULL || module->kind != R2N_PICKLE_TEXT || name->kind != R2N_PICKLE_TEXT)
        return r2n_pickle_bad(m, "the name of a Python object is no text");
    m->stack_count -= 2;
    return push_global(m, module->bytes, module->size, name->bytes, name->size);
}

/* ---- calls --------------------------------------------------------------------------------- */

/* Protocol 2 writes bytes as a text of characters 0 to 255. */
static res2net_status decode_latin1(r2n_pickle_machine *m, const r2n_pickle_value *arguments)
{
    const r2n_pickle_value *text = arguments->count == 2 ? arguments->items[0] : NULL;
    if (text == NULL || text->kind != R2N_PICKLE_TEXT ||
        !r2n_pickle_is_text(arguments->items[1], "latin1"))
        return r2n_pickle_bad(m, "_codecs.encode of something else than (text, 'latin1')");
    /* Each text is decoded once: more than the pickle's own bytes is an attack on memory. */
    m->pickle->block_bytes += text->size;
    if (m->pickle->block_bytes > m->cursor.size)
        return r2n_pickle_bad(m, "it decodes the same text again and again");
    r2n_pickle_block *decoded = r2n_allocate(1, sizeof *decoded + text->size);
    if (decoded == NULL)
        return r2n_pickle_no_memory(m);
    decoded->previous = m->pickle->blocks;
    m->pickle->blocks = decoded;
    size_t size = 0;
    for (size_t at = 0; at < text->size;) {
        uint32_t character = 0;
        at += r2n_utf8_decode(text->bytes + at, text->size - at, &character);
        if (character > 0xFF)
            return r2n_pickle_bad(m, "a character above 255 in bytes written as latin-1 text");
        decoded->bytes[size++] = (uint8_t)character;
    }
    r2n_pickle_value *value = r2n_pickle_new(m, R2N_PICKLE_BYTES);
    if (value != NULL) {
        value->bytes = decoded->bytes;
        value->size = size;
    }
    return r2n_pickle_push(m, value);
}

static res2net_status push_call(r2n_pickle_machine *m, const r2n_pickle_global *global,
                                r2n_pickle_value *arguments)
{
    r2n_pickle_value *call = r2n_pickle_new(m, R2N_PICKLE_CALL);
    if (call == NULL || !r2n_grow((void **)&call->items, &call->capacity, 2, sizeof *call->items))
        return r2n_pickle_no_memory(m);
    m->pickle->item_count += R2N_PICKLE_CONTAINER_ITEMS;
    call->global = global;
    call->items[0] = arguments;
    call->items[1] = NULL;
    call->count = 2;
    return r2n_pickle_push(m, call);
}

static res2net_status refuse_call(r2n_pickle_machine *m, const r2n_pickle_global *global)
{
    return R2N_PICKLE_FAIL(m, RES2NET_UNSUPPORTED,
                           "pickle: %s.%s is called in a way that weights never do", global->module,
                           global->name);
}

/* Python 2 gives OrderedDict its pairs as a list of lists. */
static res2net_status push_dict(r2n_pickle_machine *m, const r2n_pickle_global *global,
                                const r2n_pickle_value *arguments)
{
    static const r2n_pickle_value nothing = {.kind = R2N_PICKLE_LIST};
    const r2n_pickle_value *pairs = arguments->count == 0 ? &nothing : arguments->items[0];
    if (arguments->count > 1 || pairs->kind != R2N_PICKLE_LIST)
        return refuse_call(m, global);
    r2n_pickle_value *dict = r2n_pickle_new(m, R2N_PICKLE_DICT);
    res2net_status status = r2n_pickle_push(m, dict);
    for (size_t i = 0; status == RES2NET_OK && i < pairs->count; i++) {
        const r2n_pickle_value *pair = pairs->items[i];
        if ((pair->kind != R2N_PICKLE_LIST && pair->kind != R2N_PICKLE_TUPLE) || pair->count != 2)
            return refuse_call(m, global);
        for (size_t k = 0; status == RES2NET_OK && k < 2; k++)
            status = r2n_pickle_push(m, (r2n_pickle_value *)(uintptr_t)pair->items[k]);
        if (status == RES2NET_OK)
            status = r2n_pickle_take(m, dict, 2);
    }
    return status;
}

res2net_status r2n_pickle_call(r2n_pickle_machine *m)
{
    const r2n_pickle_value *callee = r2n_pickle_top(m, 1);
    r2n_pickle_value *arguments = r2n_pickle_top(m, 0);
    if (callee == NULL || callee->kind != R2N_PICKLE_GLOBAL || arguments->kind != R2N_PICKLE_TUPLE)
        return r2n_pickle_bad(m, "a call of something that cannot be called");
    m->stack_count -= 2;
    const r2n_pickle_global *global = callee->global;
    switch (global->role) {
    case R2N_PICKLE_ROLE_CALL:
        return push_call(m, global, arguments);
    case R2N_PICKLE_ROLE_DICT:
        return push_dict(m, global, arguments);
    case R2N_PICKLE_ROLE_TUPLE:
        if (arguments->count == 1 && (arguments->items[0]->kind == R2N_PICKLE_TUPLE))
            return r2n_pickle_push(m, (r2n_pickle_value *)(uintptr_t)arguments->items[0]);
        break;
    case R2N_PICKLE_ROLE_LATIN1:
        return decode_latin1(m, arguments);
    case R2N_PICKLE_ROLE_MARKER:
        break;
    }
    return refuse_call(m, global);
}

/* Gives the newest value as state to the object below it. A dict's (torch's _metadata) is dropped.
 */
res2net_status r2n_pickle_build(r2n_pickle_machine *m)
{
    r2n_pickle_value *target = r2n_pickle_top(m, 1);
    if (target == NULL || (target->kind != R2N_PICKLE_CALL && target->kind != R2N_PICKLE_DICT))
        return r2n_pickle_bad(m, "a state for something that takes none");
    if (target->kind == R2N_PICKLE_CALL)
        target->items[1] = r2n_pickle_top(m, 0);
    m->stack_count--;
    return RES2NET_OK;
}

res2net_status r2n_pickle_push_persistent(r2n_pickle_machine *m)
{
    r2n_pickle_value *value = r2n_pickle_new(m, R2N_PICKLE_PERSISTENT);
    if (r2n_pickle_top(m, 0) == NULL)
        return r2n_pickle_bad(m, "a persistent id of nothing");
    const res2net_status status = r2n_pickle_take(m, value, 1);
    if (status != RES2NET_OK)
        return status;
    r2n_pickle *pickle = m->pickle;
    if (!r2n_grow((void **)&pickle->persistent, &pickle->persistent_capacity,
                  pickle->persistent_count + 1, sizeof *pickle->persistent))
        return r2n_pickle_no_memory(m);
    pickle->persistent[pickle->persistent_count++] = value;
    return r2n_pickle_push(m, value);
}
