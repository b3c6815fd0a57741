/* SPDX-License-Identifier: Apache-2.0 */
/* A path -> which reader, and the files that it needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "formats/tar_reader.h"
#include "import/choose.h"
#include "import/readers.h"

static const uint64_t MAXIMUM_FILE_BYTES = (uint64_t)1 << 33;
enum { MAXIMUM_YAML_BYTES = 1 << 18 };

/* A model's bytes: those of a Paddle model's parameters are NULL for ONNX. */
typedef struct model_bytes {
    const uint8_t *program, *parameters;
    size_t program_size, parameters_size;
    const char *file, *parameters_file; /* for messages */
    const char *folder;   /* of ONNX' external data and of a file a parameter, or NULL */
    r2n_file_bytes pages; /* the mapped file that the weights are in, or nothing */
} model_bytes;

void r2n_imported_free(r2n_imported *imported)
{
    r2n_tensor_set_destroy(imported->weights);
    r2n_free(imported->yaml);
    *imported = (r2n_imported){.weights = NULL};
}

static res2net_status no_memory(const char *file, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory to open the model");
}

/* ---- one model ------------------------------------------------------------------------------- */

static int is_program(const void *data, size_t size)
{
    return size > 0 && (r2n_looks_like_pdmodel(data, size) || r2n_looks_like_pir(data, size));
}

static res2net_status read_graph(const model_bytes *bytes, r2n_foreign_graph *graph)
{
    const r2n_paddle_files files = {bytes->program,         bytes->program_size,
                                    bytes->parameters,      bytes->parameters_size,
                                    bytes->parameters_file, bytes->folder};
    if (bytes->parameters == NULL && bytes->parameters_file == NULL)
        return r2n_read_onnx(bytes->program, bytes->program_size, bytes->folder, graph);
    if (is_program(bytes->program, bytes->program_size))
        return r2n_looks_like_pir(bytes->program, bytes->program_size)
                   ? r2n_read_pir(&files, graph)
                   : r2n_read_pdmodel(&files, graph);
    return r2n_fail(
        graph->report, RES2NET_UNSUPPORTED, bytes->file, 0,
        "no program of Paddle's (a .pdmodel or a .json that begins with \"base_code\")");
}

static res2net_status import_bytes(const model_bytes *bytes, r2n_imported *out,
                                   res2net_report *report)
{
    r2n_foreign_graph graph = r2n_foreign_graph_begin(bytes->file, report);
    graph.pages = bytes->pages;
    res2net_status status = read_graph(bytes, &graph);
    if (status == RES2NET_OK)
        status = r2n_match(&graph, out);
    r2n_foreign_graph_free(&graph);
    return status;
}

/* The text of inference.yml goes along, for those who read YAML. */
static res2net_status take_yaml(const void *data, size_t size, const char *file, r2n_imported *out,
                                res2net_report *report)
{
    if (size > MAXIMUM_YAML_BYTES || memchr(data, '\0', size) != NULL)
        return RES2NET_OK; /* no text of ours; the network is whole without it */
    out->yaml = r2n_copy_bytes(data, size);
    if (out->yaml != NULL)
        return RES2NET_OK;
    r2n_imported_free(out);
    return no_memory(file, report);
}

/* ---- archives -------------------------------------------------------------------------------- */

static res2net_status import_entries(const r2n_tar *tar, const char *const *names, const char *file,
                                     r2n_imported *out, res2net_report *report)
{
    r2n_choice choice;
    res2net_status status = r2n_choose_model(names, tar->count, file, &choice, report);
    if (status != RES2NET_OK)
        return status;
    const r2n_tar_entry *program = &tar->entries[choice.program];
    if (choice.apart)
        return r2n_fail(report, RES2NET_UNSUPPORTED, file, program->offset,
                        "\"%.200s\" has its parameters in a file each: such a model is read from "
                        "a folder; unpack the archive",
                        program->name);
    model_bytes bytes = {.program = program->data, .program_size = program->size, .file = file};
    if (choice.parameters >= 0) {
        bytes.parameters = tar->entries[choice.parameters].data;
        bytes.parameters_size = tar->entries[choice.parameters].size;
        bytes.parameters_file = file;
    }
    status = import_bytes(&bytes, out, report);
    if (status != RES2NET_OK)
        return r2n_fail(report, status, file, program->offset,
                        "in the archive's \"%.200s\", which begins here and whose places those "
                        "above are",
                        program->name);
    if (choice.yaml < 0)
        return RES2NET_OK;
    const r2n_tar_entry *yaml = &tar->entries[choice.yaml];
    return take_yaml(yaml->data, yaml->size, file, out, report);
}

static res2net_status import_tar(const void *data, size_t size, const char *file, r2n_imported *out,
                                 res2net_report *report)
{
    r2n_tar *tar;
    res2net_status status = r2n_tar_open(data, size, file, &tar, report);
    if (status != RES2NET_OK)
        return status;
    const char **names = r2n_allocate(tar->count, sizeof *names);
    if (names == NULL) {
        status = no_memory(file, report);
    } else {
        for (size_t i = 0; i < tar->count; i++)
            names[i] = tar->entries[i].name;
        status = import_entries(tar, names, file, out, report);
    }
    r2n_free(names);
    r2n_tar_close(tar);
    return status;
}

/* Is a model of Paddle's or an ONNX file among the names? PyTorch's tar files are others' to tell.
 */
static int is_model_archive(const void *data, size_t size)
{
    r2n_tar *tar;
    int found = 0;
    if (!r2n_tar_recognises(data, size))
        return 0;
    if (r2n_tar_open(data, size, NULL, &tar, NULL) != RES2NET_OK)
        return 1; /* to be told why */
    for (size_t i = 0; i < tar->count; i++) {
        const char *name = tar->entries[i].name;
        found |= strstr(name, ".pdmodel") != NULL || strstr(name, ".pdiparams") != NULL ||
                 strstr(name, "__model__") != NULL || strstr(name, ".onnx") != NULL;
    }
    r2n_tar_close(tar);
    return found;
}

/* ---- files ----------------------------------------------------------------------------------- */

int r2n_import_recognises_memory(const void *data, size_t size)
{
    return size > 0 && (r2n_looks_like_onnx(data, size) || r2n_looks_like_pdmodel(data, size) ||
                        r2n_looks_like_pir(data, size) || r2n_looks_like_pdiparams(data, size) ||
                        is_model_archive(data, size));
}

int r2n_import_recognises(const char *path)
{
    r2n_file_bytes file;
    if (r2n_os_is_directory(path))
        return 1;
    if (!r2n_os_is_regular(path) ||
        r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, NULL) != RES2NET_OK)
        return 0;
    const int found = r2n_import_recognises_memory(file.data, file.size);
    r2n_file_release(&file);
    return found;
}

/* Parameters without their program. */
static res2net_status import_parameters(const void *data, size_t size, const char *file,
                                        const r2n_architecture *architecture, r2n_imported *out,
                                        res2net_report *report)
{
    if (architecture != NULL)
        return r2n_read_parameters_alone(data, size, file, architecture, out, report);
    return r2n_fail(
        report, RES2NET_UNSUPPORTED, file, -1,
        "the parameters of a Paddle inference model without its program: they have no "
        "names; put the .pdmodel or .json beside it, or say which network it is (--arch "
        "NAME)");
}

res2net_status r2n_import_memory_as(const void *data, size_t size, const char *name,
                                    const r2n_architecture *architecture, r2n_imported *out,
                                    res2net_report *report)
{
    *out = (r2n_imported){.weights = NULL};
    if (size > 0 && r2n_tar_recognises(data, size))
        return import_tar(data, size, name, out, report);
    if (is_program(data, size))
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, 0,
                        "a program of Paddle's without its parameters (.pdiparams)");
    if (r2n_looks_like_pdiparams(data, size))
        return import_parameters(data, size, name, architecture, out, report);
    const model_bytes bytes = {.program = data, .program_size = size, .file = name};
    return import_bytes(&bytes, out, report);
}

res2net_status r2n_import_memory(const void *data, size_t size, const char *name, r2n_imported *out,
                                 res2net_report *report)
{
    return r2n_import_memory_as(data, size, name, NULL, out, report);
}

/* The path with its last part taken off: "." for a plain name. */
static char *folder_of(const char *path)
{
    const char *base = r2n_base_name(path);
    if (base == path)
        return r2n_copy_string(".");
    return base == path + 1 ? r2n_copy_string("/")
                            : r2n_copy_bytes(path, (size_t)(base - path) - 1);
}

static char *joined(const char *folder, const char *name)
{
    const size_t room = strlen(folder) + strlen(name) + 2;
    char *path = r2n_allocate(room, 1);
    if (path != NULL)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static res2net_status import_onnx(const char *path, const r2n_file_bytes *program,
                                  r2n_imported *out, res2net_report *report)
{
    char *folder = folder_of(path);
    if (folder == NULL)
        return no_memory(path, report);
    const model_bytes bytes = {.program = program->data,
                               .program_size = program->size,
                               .file = path,
                               .folder = folder,
                               .pages = *program};
    const res2net_status status = import_bytes(&bytes, out, report);
    r2n_free(folder);
    return status;
}

static res2net_status take_yaml_file(const char *path, r2n_imported *out, res2net_report *report)
{
    r2n_file_bytes file;
    if (path == NULL || !r2n_os_is_regular(path) ||
        r2n_file_read(path, MAXIMUM_YAML_BYTES, &file, NULL) != RES2NET_OK)
        return RES2NET_OK;
    const res2net_status status = take_yaml(file.data, file.size, path, out, report);
    r2n_file_release(&file);
    return status;
}

/* A program and the parameters that lie beside it: in the file `beside`, or, of an old one that has
 * none, in a file each. */
static res2net_status import_with_parameters(const model_bytes *program, const char *beside,
                                             r2n_imported *out, res2net_report *report)
{
    model_bytes bytes = *program;
    r2n_file_bytes parameters;
    if (strcmp(r2n_base_name(program->file), "__model__") == 0 && !r2n_os_exists(beside)) {
        bytes.parameters_file = program->folder;
        return import_bytes(&bytes, out, report);
    }
    res2net_status status = r2n_file_read(beside, MAXIMUM_FILE_BYTES, &parameters, report);
    if (status != RES2NET_OK)
        return r2n_fail(report, status, program->file, -1, "its parameters have to lie beside it");
    bytes.parameters = parameters.data;
    bytes.parameters_size = parameters.size;
    bytes.parameters_file = beside;
    bytes.pages = parameters;
    status = import_bytes(&bytes, out, report);
    r2n_file_release(&parameters);
    return status;
}

/* A program with its parameters, and inference.yml, beside it. */
static res2net_status import_paddle(const char *path, const r2n_file_bytes *program,
                                    r2n_imported *out, res2net_report *report)
{
    char *folder = folder_of(path);
    char *yaml = folder == NULL ? NULL : joined(folder, "inference.yml");
    const size_t room = strlen(path) + sizeof ".pdiparams";
    char *beside = r2n_allocate(room, 1);
    const model_bytes bytes = {
        .program = program->data, .program_size = program->size, .file = path, .folder = folder};
    res2net_status status;
    if (yaml == NULL || beside == NULL)
        status = no_memory(path, report);
    else if (!r2n_parameters_name(path, beside, room))
        status = r2n_fail(report, RES2NET_UNSUPPORTED, path, -1,
                          "a program of Paddle's is called NAME.pdmodel or NAME.json, with "
                          "NAME.pdiparams beside it, or __model__ with __params__");
    else
        status = import_with_parameters(&bytes, beside, out, report);
    if (status == RES2NET_OK)
        status = take_yaml_file(yaml, out, report);
    r2n_free(folder);
    r2n_free(yaml);
    r2n_free(beside);
    return status;
}

/* Is the file called as a program of Paddle's, and are there parameters beside it? */
static int has_parameters(const char *path)
{
    char beside[1024];
    return r2n_parameters_name(path, beside, sizeof beside) && r2n_os_is_regular(beside);
}

/* Opens the program that lies beside parameters. 0: there is none. */
static int find_program(const char *parameters, char *program, size_t room)
{
    for (int kind = 0; kind < R2N_PROGRAM_NAMES; kind++)
        if (r2n_program_name(parameters, kind, program, room) && r2n_os_is_regular(program))
            return 1;
    return 0;
}

static res2net_status import_program(const char *path, r2n_imported *out, res2net_report *report)
{
    r2n_file_bytes file;
    res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = import_paddle(path, &file, out, report);
    r2n_file_release(&file);
    return status;
}

static res2net_status import_file(const char *path, const r2n_architecture *architecture,
                                  r2n_imported *out, res2net_report *report)
{
    r2n_file_bytes file;
    char program[1024];
    res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    if (file.size > 0 && r2n_tar_recognises(file.data, file.size))
        status = import_tar(file.data, file.size, path, out, report);
    else if (is_program(file.data, file.size) || has_parameters(path))
        status = import_paddle(path, &file, out, report);
    else if (!r2n_looks_like_pdiparams(file.data, file.size))
        status = import_onnx(path, &file, out, report);
    else if (find_program(path, program, sizeof program))
        status = import_program(program, out, report);
    else
        status = import_parameters(file.data, file.size, path, architecture, out, report);
    r2n_file_release(&file);
    return status;
}

static res2net_status import_folder(const char *path, r2n_imported *out, res2net_report *report)
{
    char **names;
    size_t count;
    r2n_choice choice;
    res2net_status status = r2n_os_list_directory(path, &names, &count, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_choose_model((const char *const *)names, count, path, &choice, report);
    char *program = status == RES2NET_OK ? joined(path, names[choice.program]) : NULL;
    if (status == RES2NET_OK)
        status =
            program == NULL ? no_memory(path, report) : import_file(program, NULL, out, report);
    for (size_t i = 0; i < count; i++)
        r2n_free(names[i]);
    r2n_free(names);
    r2n_free(program);
    return status;
}

res2net_status r2n_import_as(const char *path, const r2n_architecture *architecture,
                             r2n_imported *out, res2net_report *report)
{
    *out = (r2n_imported){.weights = NULL};
    return r2n_os_is_directory(path) ? import_folder(path, out, report)
                                     : import_file(path, architecture, out, report);
}

res2net_status r2n_import(const char *path, r2n_imported *out, res2net_report *report)
{
    return r2n_import_as(path, NULL, out, report);
}
