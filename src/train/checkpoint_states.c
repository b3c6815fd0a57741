/* SPDX-License-Identifier: Apache-2.0 */
/* {"metric": 0.7, "epoch": 3, "res2net": {...}}: Paddle looks at the first two only. */
#include <stddef.h>
#include <string.h>

#include "formats/pickle_opcodes.h"
#include "formats/pickle_reader.h"
#include "formats/pickle_writer.h"
#include "train/checkpoint_internal.h"

enum { VERSION = 1, SCALAR = 1, DTYPE };
static const size_t MAXIMUM_FILE_BYTES = (size_t)1 << 20;

/* What PaddleClas has measured may be one of numpy's numbers. */
static const r2n_pickle_global allowed[] = {
    {"numpy.core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, SCALAR},
    {"numpy._core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, SCALAR},
    {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, DTYPE},
    {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, 0},
    {"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, 0},
    {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

/* Our own numbers of a run. */
static const struct {
    const char *key;
    size_t offset;
    int is_float;
} fields[] = {{"iteration", offsetof(r2n_run_state, iteration), 0},
              {"steps", offsetof(r2n_run_state, steps), 0},
              {"best_epoch", offsetof(r2n_run_state, best_epoch), 0},
              {"seed", offsetof(r2n_run_state, seed), 0},
              {"skipped_steps", offsetof(r2n_run_state, skipped_steps), 0},
              {"bad_streak", offsetof(r2n_run_state, bad_streak), 0},
              {"last_rate", offsetof(r2n_run_state, last_rate), 1},
              {"beta1_power", offsetof(r2n_run_state, beta1_power), 1},
              {"beta2_power", offsetof(r2n_run_state, beta2_power), 1},
              {"epoch_loss", offsetof(r2n_run_state, epoch_loss), 1}};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* ---- writing --------------------------------------------------------------------------------- */

static void put_integer(r2n_pickle_writer *pickle, const char *key, int64_t number)
{
    r2n_pickle_put_text(pickle, key);
    r2n_pickle_put_integer(pickle, number);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

static void put_float(r2n_pickle_writer *pickle, const char *key, double number)
{
    r2n_pickle_put_text(pickle, key);
    r2n_pickle_put_float(pickle, number);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

static void put_marks(r2n_pickle_writer *pickle, const r2n_save_marks *marks)
{
    r2n_pickle_put_text(pickle, "files");
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_EMPTY_DICT);
    for (int i = 0; i < R2N_SAVE_STATES; i++) {
        if (!marks->files[i].there)
            continue;
        r2n_pickle_put_text(pickle, r2n_save_ending((r2n_save_file)i));
        r2n_pickle_put_integer(pickle, marks->files[i].bytes);
        r2n_pickle_put_integer(pickle, (int64_t)marks->files[i].hash);
        r2n_pickle_put_opcode(pickle, R2N_PICKLE_TUPLE2);
        r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
    }
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
}

static void put_states(r2n_pickle_writer *pickle, const r2n_run_state *run,
                       const r2n_save_marks *marks)
{
    r2n_pickle_put_start(pickle);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_EMPTY_DICT);
    put_float(pickle, "metric", run->best_metric);
    put_integer(pickle, "epoch", run->epoch);
    r2n_pickle_put_text(pickle, "res2net");
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_EMPTY_DICT);
    put_integer(pickle, "version", VERSION);
    for (int i = 0; i < FIELDS; i++) {
        const char *at = (const char *)run + fields[i].offset;
        int64_t integer;
        double number;
        memcpy(&integer, at, sizeof integer);
        memcpy(&number, at, sizeof number);
        if (fields[i].is_float)
            put_float(pickle, fields[i].key, number);
        else
            put_integer(pickle, fields[i].key, integer);
    }
    put_marks(pickle, marks);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_SETITEM);
    r2n_pickle_put_opcode(pickle, R2N_PICKLE_STOP);
}

res2net_status r2n_states_write(const char *path, const r2n_run_state *run,
                                const r2n_save_marks *marks, res2net_report *report)
{
    r2n_pickle_writer pickle = {0};
    const res2net_status status = r2n_writer_open(path, &pickle.file, report);
    if (status != RES2NET_OK)
        return status;
    put_states(&pickle, run, marks);
    return r2n_writer_close(pickle.file, report);
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct states_reader {
    const char *path;
    res2net_report *report;
} states_reader;

static res2net_status damaged(const states_reader *reader, const r2n_pickle_value *value,
                              const char *key)
{
    return r2n_fail(reader->report, RES2NET_DAMAGED, reader->path, value->offset,
                    "\"%s\" is missing or of another kind than a run saves", key);
}

static int is_call(const r2n_pickle_value *value, int id)
{
    return value->kind == R2N_PICKLE_CALL && value->global->id == id;
}

/* numpy's scalar(dtype, bytes), of f4 or f8. */
static int numpy_number(const r2n_pickle_value *value, double *number)
{
    const r2n_pickle_value *arguments = value->items[0];
    if (arguments->count != 2 || !is_call(arguments->items[0], DTYPE) ||
        arguments->items[1]->kind != R2N_PICKLE_BYTES)
        return 0;
    const r2n_pickle_value *type = arguments->items[0]->items[0], *bytes = arguments->items[1];
    float single;
    if (type->count == 0)
        return 0;
    if (r2n_pickle_is_text(type->items[0], "f8") && bytes->size == sizeof *number) {
        memcpy(number, bytes->bytes, sizeof *number);
        return 1;
    }
    if (!r2n_pickle_is_text(type->items[0], "f4") || bytes->size != sizeof single)
        return 0;
    memcpy(&single, bytes->bytes, sizeof single);
    *number = (double)single;
    return 1;
}

static int take_float(const r2n_pickle_value *dict, const char *key, double *number)
{
    const r2n_pickle_value *value = r2n_pickle_member(dict, key);
    if (value == NULL)
        return 0;
    if (is_call(value, SCALAR))
        return numpy_number(value, number);
    *number = value->kind == R2N_PICKLE_INTEGER ? (double)value->integer : value->number;
    return value->kind == R2N_PICKLE_INTEGER || value->kind == R2N_PICKLE_FLOAT;
}

static int take_integer(const r2n_pickle_value *dict, const char *key, int64_t *number)
{
    const r2n_pickle_value *value = r2n_pickle_member(dict, key);
    if (value == NULL || value->kind != R2N_PICKLE_INTEGER)
        return 0;
    *number = value->integer;
    return 1;
}

static res2net_status read_marks(const states_reader *reader, const r2n_pickle_value *ours,
                                 r2n_save_marks *marks)
{
    const r2n_pickle_value *files = r2n_pickle_member(ours, "files");
    if (files == NULL || files->kind != R2N_PICKLE_DICT)
        return damaged(reader, ours, "files");
    for (int i = 0; i < R2N_SAVE_STATES; i++) {
        const char *ending = r2n_save_ending((r2n_save_file)i);
        const r2n_pickle_value *mark = r2n_pickle_member(files, ending);
        if (mark == NULL)
            continue;
        if (mark->kind != R2N_PICKLE_TUPLE || mark->count != 2 ||
            mark->items[0]->kind != R2N_PICKLE_INTEGER ||
            mark->items[1]->kind != R2N_PICKLE_INTEGER)
            return damaged(reader, mark, ending);
        marks->files[i] = (r2n_save_mark){.there = 1,
                                          .bytes = mark->items[0]->integer,
                                          .hash = (uint64_t)mark->items[1]->integer};
    }
    if (!marks->files[R2N_SAVE_WEIGHTS].there || !marks->files[R2N_SAVE_OPTIMISER].there)
        return damaged(reader, files, "files");
    return RES2NET_OK;
}

static res2net_status read_ours(const states_reader *reader, const r2n_pickle_value *ours,
                                r2n_run_state *run, r2n_save_marks *marks)
{
    int64_t version;
    if (ours->kind != R2N_PICKLE_DICT || !take_integer(ours, "version", &version))
        return damaged(reader, ours, "version");
    if (version != VERSION)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->path, ours->offset,
                        "a save of version %lld; this program knows version %d", (long long)version,
                        (int)VERSION);
    for (int i = 0; i < FIELDS; i++) {
        char *at = (char *)run + fields[i].offset;
        int64_t integer = 0;
        double number = 0;
        const int taken = fields[i].is_float ? take_float(ours, fields[i].key, &number)
                                             : take_integer(ours, fields[i].key, &integer);
        if (!taken)
            return damaged(reader, ours, fields[i].key);
        if (fields[i].is_float)
            memcpy(at, &number, sizeof number);
        else
            memcpy(at, &integer, sizeof integer);
    }
    if (run->iteration < 0 || run->steps < 0 || run->skipped_steps < 0 || run->bad_streak < 0)
        return damaged(reader, ours, "steps");
    run->has_ours = 1;
    return read_marks(reader, ours, marks);
}

static res2net_status read_root(const states_reader *reader, const r2n_pickle_value *root,
                                r2n_run_state *run, r2n_save_marks *marks)
{
    if (root->kind != R2N_PICKLE_DICT)
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->path, root->offset,
                        "this is %s, not the dict of a .pdstates",
                        r2n_pickle_kind_name(root->kind));
    if (!take_float(root, "metric", &run->best_metric))
        return damaged(reader, root, "metric");
    if (!take_integer(root, "epoch", &run->epoch) || run->epoch < 0)
        return damaged(reader, root, "epoch");
    const r2n_pickle_value *ours = r2n_pickle_member(root, "res2net");
    return ours == NULL ? RES2NET_OK : read_ours(reader, ours, run, marks);
}

res2net_status r2n_states_read_memory(const void *data, size_t size, const char *name,
                                      r2n_run_state *run, r2n_save_marks *marks,
                                      res2net_report *report)
{
    const states_reader reader = {name, report};
    r2n_pickle *pickle;
    *run = (r2n_run_state){0};
    *marks = (r2n_save_marks){0};
    res2net_status status = r2n_pickle_parse(data, size, name, 0, allowed, &pickle, report);
    if (status != RES2NET_OK)
        return status;
    status = read_root(&reader, r2n_pickle_root(pickle), run, marks);
    r2n_pickle_destroy(pickle);
    return status;
}

res2net_status r2n_states_read(const char *path, r2n_run_state *run, r2n_save_marks *marks,
                               res2net_report *report)
{
    r2n_file_bytes file;
    res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_states_read_memory(file.data, file.size, path, run, marks, report);
    r2n_file_release(&file);
    return status;
}
