/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle inference models: the bytes of every file, both families, fixed and free sizes. */
#include "unit/expect.h"
#include "unit/temporary_folder.h"

#include "export/export.h"
#include "formats/json.h"
#include "formats/pickle_reader.h"
#include "formats/protobuf_reader.h"

#define NET "cifar:planes=16,depths=1-1,width=26,scale=3,classes=7"
enum { CLASSES = 7, SCALE = 3 };
#define RECIPE                                                                                     \
    "{\"apply_exif\": 0, \"resize_short\": 36, \"resize_width\": 0, \"resize_height\": 0, "        \
    "\"size_rule\": \"torch\", \"resizer\": \"pillow\", \"interpolation\": \"bicubic\", "          \
    "\"crop_width\": 32, \"crop_height\": 24, \"crop_rule\": \"torch\", \"normalise_rule\": "      \
    "\"torch\", \"scale\": 1, \"mean\": [0.5, 0.25, 0.48500001430511475], "                        \
    "\"std\": [1, 0.00001, 0.2], \"decoder\": \"pillow\"}"

static const char *const labels[CLASSES] = {"cat",        "tench, Tinca tinca", "say \"no\"", "été",
                                            "\xC2\x85 x", "yes: 1 # x",         "0"};

typedef struct scene {
    r2n_graph *graph;
    r2n_tensor_set *weights;
    r2n_export_model model;
} scene;

static void make_scene(scene *s, r2n_family family)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(NET, &architecture, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &s->graph, NULL), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 7, &s->weights, NULL), RES2NET_OK);
    s->model = (r2n_export_model){.graph = s->graph,
                                  .weights = s->weights,
                                  .preprocessing = RECIPE,
                                  .labels = labels,
                                  .label_count = CLASSES};
}

static void free_scene(scene *s)
{
    r2n_tensor_set_destroy(s->weights);
    r2n_graph_destroy(s->graph);
}

/* The file `name` of the model that these options give. */
static r2n_file_bytes export_file(const scene *s, r2n_paddle_options options, const char *name)
{
    char path[128];
    assert_int_equal(r2n_export_paddle(&s->model, &options, in_folder("net"), NULL), RES2NET_OK);
    snprintf(path, sizeof path, "net/%s", name);
    return expect_file(in_folder(path));
}

/* ---- inference.pdiparams --------------------------------------------------------------------- */

typedef struct sorted_tensor {
    const r2n_tensor_spec *spec;
    const r2n_tensor *tensor;
} sorted_tensor;

static int by_parameter(const void *a, const void *b)
{
    return strcmp(((const sorted_tensor *)a)->spec->paddle_parameter,
                  ((const sorted_tensor *)b)->spec->paddle_parameter);
}

static sorted_tensor *sort_tensors(const scene *s, r2n_tensor_spec **specs, size_t *count)
{
    *specs = r2n_architecture_tensors(&s->graph->architecture, count);
    sorted_tensor *sorted = r2n_allocate(*count, sizeof *sorted);
    for (size_t i = 0; i < *count; i++)
        sorted[i] = (sorted_tensor){&(*specs)[i], &s->weights->tensors[i]};
    qsort(sorted, *count, sizeof *sorted, by_parameter);
    return sorted;
}

/* The head's bytes, and where the data begins. */
static size_t check_head(const uint8_t *at, const sorted_tensor *t)
{
    static const uint8_t zeros[16] = {0};
    assert_memory_equal(at, zeros, sizeof zeros); /* two versions and no levels */
    r2n_protobuf_reader reader = r2n_protobuf(at + 20, at[16], 0);
    r2n_protobuf_field field;
    int64_t shape[5], rank = 0;
    assert_true(r2n_protobuf_next(&reader, &field) && field.number == 1 && field.value == 5);
    while (r2n_protobuf_next(&reader, &field)) {
        assert_true(field.number == 2 && field.kind == R2N_PROTOBUF_VARINT);
        rank = r2n_protobuf_integers(&field, shape, rank, 5);
    }
    assert_int_equal(rank, t->spec->rank);
    for (int64_t i = 0; i < rank; i++)
        assert_int_equal(shape[i], t->spec->shape[rank == 2 ? 1 - i : i]);
    return 20 + (size_t)at[16];
}

static void check_data(const uint8_t *at, const r2n_tensor *tensor)
{
    if (tensor->rank != 2) {
        assert_memory_equal(at, tensor->data, (size_t)tensor->count * 4);
        return;
    }
    for (int64_t class = 0; class < tensor->shape[0]; class ++)
        for (int64_t i = 0; i < tensor->shape[1]; i++)
            assert_memory_equal(at + 4 * (i * tensor->shape[0] + class),
                                &tensor->data[class * tensor->shape[1] + i], 4);
}

static void test_parameters(void **state)
{
    static const uint8_t first[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,
                                    0, 0, 0, 0, 4, 0, 0, 0, 8, 5, 16, 64}; /* FP32, [64] */
    scene s;
    size_t count, at = 0;
    r2n_tensor_spec *specs;
    (void)state;
    make_scene(&s, R2N_FAMILY_PADDLE);
    sorted_tensor *sorted = sort_tensors(&s, &specs, &count);
    assert_string_equal(sorted[0].spec->paddle_parameter, "bn2a_branch1_mean");
    assert_string_equal(sorted[count - 1].spec->paddle_parameter, "res3a_branch2c_weights");
    r2n_file_bytes file = export_file(&s, (r2n_paddle_options){0}, "inference.pdiparams");
    assert_memory_equal(file.data, first, sizeof first);
    for (size_t i = 0; i < count; i++) {
        at += check_head(file.data + at, &sorted[i]);
        check_data(file.data + at, sorted[i].tensor);
        at += (size_t)sorted[i].tensor->count * 4;
    }
    assert_int_equal(at, file.size);
    r2n_file_release(&file);
    file = expect_file(in_folder("net/serving_server/inference.pdiparams"));
    assert_int_equal(at, file.size);
    r2n_file_release(&file);
    r2n_free(sorted);
    r2n_free(specs);
    free_scene(&s);
}

static void test_info(void **state)
{
    scene s;
    r2n_pickle *pickle;
    const r2n_pickle_global none[] = {{NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};
    (void)state;
    make_scene(&s, R2N_FAMILY_PADDLE);
    r2n_file_bytes file = export_file(&s, (r2n_paddle_options){0}, "inference.pdiparams.info");
    assert_int_equal(r2n_pickle_parse(file.data, file.size, "info", 0, none, &pickle, NULL),
                     RES2NET_OK);
    const r2n_pickle_value *root = r2n_pickle_root(pickle);
    assert_int_equal(root->count, 2 * s.weights->count);
    assert_true(r2n_pickle_is_text(root->items[0], "bn2a_branch1_mean"));
    const r2n_pickle_value *weights = r2n_pickle_member(root, "res2a_branch2b_2_weights");
    const r2n_pickle_value *mean = root->items[1];
    assert_true(r2n_pickle_is_text(r2n_pickle_member(weights, "structured_name"),
                                   "base_model.bb_0_0.res2a_branch2b_2._conv.weight"));
    assert_int_equal(r2n_pickle_member(weights, "trainable")->integer, 1);
    assert_int_equal(r2n_pickle_member(weights, "stop_gradient")->integer, 0);
    assert_int_equal(r2n_pickle_member(mean, "trainable")->integer, 0);
    assert_int_equal(r2n_pickle_member(mean, "stop_gradient")->integer, 1);
    r2n_pickle_destroy(pickle);
    r2n_file_release(&file);
    free_scene(&s);
}

/* ---- inference.pdmodel ----------------------------------------------------------------------- */

/* What the operations and variables of a program were found to be. */
typedef struct found {
    int operations, parameters, values;
    int convolutions, norms, relus, splits, concats, adds, pools, exclusive, softmaxes, fetches;
    int64_t input[4];
    char fetched[64];
} found;

static int next_message(r2n_protobuf_reader *reader, uint32_t number, r2n_protobuf_reader *inside)
{
    r2n_protobuf_field field;
    while (r2n_protobuf_next(reader, &field))
        if (field.number == number && field.kind == R2N_PROTOBUF_BYTES) {
            *inside = r2n_protobuf_open(reader, &field);
            return 1;
        }
    assert_false(reader->cursor.failed);
    return 0;
}

static void text_of(r2n_protobuf_reader reader, uint32_t number, char text[64])
{
    r2n_protobuf_field field;
    text[0] = '\0';
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == number)
            snprintf(text, 64, "%.*s", (int)field.size, (const char *)field.bytes);
}

static int64_t integer_of(r2n_protobuf_reader reader, uint32_t number)
{
    r2n_protobuf_field field;
    int64_t value = INT64_MIN;
    while (r2n_protobuf_next(&reader, &field))
        if (field.number == number)
            value = (int64_t)field.value;
    return value;
}

/* A boolean attribute; -1 where there is none. */
static int boolean_of(r2n_protobuf_reader operation, const char *name)
{
    r2n_protobuf_reader attribute;
    char text[64];
    while (next_message(&operation, 4, &attribute)) {
        text_of(attribute, 1, text);
        if (strcmp(text, name) == 0)
            return (int)integer_of(attribute, 10);
    }
    return -1;
}

static void look_at_operation(r2n_protobuf_reader operation, found *f)
{
    char type[64];
    r2n_protobuf_reader input, copy = operation;
    text_of(operation, 3, type);
    f->operations++;
    f->convolutions += strcmp(type, "conv2d") == 0;
    f->norms += strcmp(type, "batch_norm") == 0 && boolean_of(operation, "is_test") == 1;
    f->relus += strcmp(type, "relu") == 0;
    f->splits += strcmp(type, "split") == 0;
    f->concats += strcmp(type, "concat") == 0;
    f->adds += strcmp(type, "elementwise_add") == 0;
    f->softmaxes += strcmp(type, "softmax") == 0;
    f->pools += strcmp(type, "pool2d") == 0;
    f->exclusive += boolean_of(operation, "exclusive") == 1;
    if (strcmp(type, "fetch") == 0 && next_message(&copy, 1, &input)) {
        f->fetches++;
        text_of(input, 2, f->fetched);
    }
}

static void look_at_variable(r2n_protobuf_reader variable, found *f)
{
    char name[64];
    r2n_protobuf_reader type, dense, tensor, copy = variable;
    r2n_protobuf_field field;
    int64_t rank = 0;
    text_of(variable, 1, name);
    f->parameters += integer_of(variable, 3) == 1;
    f->values += integer_of(variable, 3) == 0;
    if (strcmp(name, "x") != 0)
        return;
    assert_true(next_message(&copy, 2, &type) && next_message(&type, 3, &dense) &&
                next_message(&dense, 1, &tensor));
    while (r2n_protobuf_next(&tensor, &field))
        if (field.number == 2)
            rank = r2n_protobuf_integers(&field, f->input, rank, 4);
    assert_int_equal(rank, 4);
}

static found look_at_program(const scene *s, r2n_paddle_options options)
{
    found f = {0};
    r2n_file_bytes file = export_file(s, options, "inference.pdmodel");
    r2n_protobuf_reader program = r2n_protobuf(file.data, file.size, 0), block, inside;
    assert_true(next_message(&program, 1, &block));
    for (r2n_protobuf_reader at = block; next_message(&at, 3, &inside);)
        look_at_variable(inside, &f);
    for (r2n_protobuf_reader at = block; next_message(&at, 4, &inside);)
        look_at_operation(inside, &f);
    r2n_file_release(&file);
    return f;
}

/* One block of stride 1 and one of stride 2, three groups each. */
static void test_program(void **state)
{
    (void)state;
    for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
        const int torch = family == R2N_FAMILY_TORCH;
        scene s;
        make_scene(&s, (r2n_family)family);
        const found f = look_at_program(&s, (r2n_paddle_options){.softmax = 1});
        const int convolutions = 1 + 2 * (1 + (SCALE - 1) + 1 + 1);
        assert_int_equal(f.convolutions, convolutions);
        assert_int_equal(f.norms, convolutions);
        assert_int_equal(f.relus, 1 + 2 * (1 + (SCALE - 1) + 1));
        assert_int_equal(f.splits, 2);
        assert_int_equal(f.concats, 2);
        /* Residuals, the classifier's offsets, and Paddle's hierarchical add in stage 1. */
        assert_int_equal(f.adds, 2 + 1 + (torch ? 0 : SCALE - 2));
        assert_int_equal(f.pools, 1 + (torch ? 2 : 1));
        assert_int_equal(f.exclusive, torch ? 1 : 2); /* torch's last groups count the border */
        assert_int_equal(f.softmaxes, 1);
        assert_int_equal(f.fetches, 1);
        assert_string_equal(f.fetched, "softmax_0.tmp_0");
        assert_int_equal(f.parameters, s.weights->count + 2);
        for (int i = 0; i < 4; i++)
            assert_int_equal(f.input[i], i == 1 ? 3 : -1);
        free_scene(&s);
    }
}

static void test_fixed_size(void **state)
{
    scene s;
    (void)state;
    make_scene(&s, R2N_FAMILY_PADDLE);
    const found f =
        look_at_program(&s, (r2n_paddle_options){.batch = 5, .rows = 48, .columns = 64});
    assert_true(f.input[0] == 5 && f.input[1] == 3 && f.input[2] == 48 && f.input[3] == 64);
    assert_int_equal(f.softmaxes, 0);
    assert_string_equal(f.fetched, "linear_0.tmp_1");
    r2n_file_bytes file = expect_file(in_folder("net/serving_server/serving_server_conf.prototxt"));
    static const char text[] =
        "feed_var {\n  name: \"x\"\n  alias_name: \"inputs\"\n  is_lod_tensor: false\n"
        "  feed_type: 1\n  shape: 3\n  shape: 48\n  shape: 64\n}\n"
        "fetch_var {\n  name: \"linear_0.tmp_1\"\n  alias_name: \"prediction\"\n"
        "  is_lod_tensor: false\n  fetch_type: 1\n  shape: 7\n}\n";
    assert_int_equal(file.size, sizeof text - 1);
    assert_memory_equal(file.data, text, sizeof text - 1);
    r2n_file_release(&file);
    static const uint8_t feed[] = {0x12, 0x15, 0x0a, 1,    'x',  0x12, 6,    'i',
                                   'n',  'p',  'u',  't',  's',  0x18, 0,    0x20,
                                   1,    0x28, 3,    0x28, 0x30, 0x28, 0x40, 0x1a};
    file = expect_file(in_folder("net/serving_client/serving_client_conf.stream.prototxt"));
    assert_memory_equal(file.data, feed, sizeof feed);
    r2n_file_release(&file);
    free_scene(&s);
}

/* ---- inference.json -------------------------------------------------------------------------- */

static int is_kind(const r2n_json_value *operation, const char *kind)
{
    return strcmp(r2n_json_member(operation, "#")->text, kind) == 0;
}

/* A value is made before it is used, and made once. Returns how many results. */
static int64_t check_values(const r2n_json_value *operation, int64_t made)
{
    const r2n_json_value *operands = r2n_json_member(operation, "I");
    const r2n_json_value *results = r2n_json_member(operation, "O");
    int64_t number;
    for (const r2n_json_value *at = operands == NULL ? NULL : operands->first; at; at = at->next) {
        assert_true(r2n_json_integer(r2n_json_member(at, "%"), &number));
        assert_in_range(number, 1, made);
    }
    const int list = results->kind == R2N_JSON_ARRAY;
    for (const r2n_json_value *at = list ? results->first : results; at != NULL;
         at = list ? at->next : NULL) {
        assert_true(r2n_json_integer(r2n_json_member(at, "%"), &number));
        assert_int_equal(number, ++made);
        assert_non_null(r2n_json_member(at, "TT"));
    }
    return made;
}

static void check_json(const scene *s, r2n_paddle_options options, const char *last)
{
    r2n_json *document;
    r2n_file_bytes file = export_file(s, options, "inference.json");
    assert_int_equal(r2n_json_parse(file.data, file.size, "json", 0, &document, NULL), RES2NET_OK);
    const r2n_json_value *program = r2n_json_member(r2n_json_root(document), "program");
    const r2n_json_value *region = r2n_json_member(program, "regions")->first;
    const r2n_json_value *block = r2n_json_member(region, "blocks")->first;
    const r2n_json_value *before = NULL, *end = NULL;
    int64_t made = 0;
    size_t parameters = 0, norms = 0, splits = 0;
    for (const r2n_json_value *at = r2n_json_member(block, "ops")->first; at; at = at->next) {
        made = check_values(at, made);
        parameters += is_kind(at, "p");
        norms += is_kind(at, "1.batch_norm_");
        splits += is_kind(at, "1.split_with_num");
        before = end;
        end = at;
    }
    assert_int_equal(parameters, s->weights->count);
    assert_int_equal(norms, 11);
    assert_int_equal(splits, 2);
    assert_true(is_kind(end, "1.fetch"));
    assert_true(is_kind(before, last));
    r2n_json_destroy(document);
    r2n_file_release(&file);
}

static void test_json(void **state)
{
    scene s;
    (void)state;
    make_scene(&s, R2N_FAMILY_TORCH);
    check_json(&s, (r2n_paddle_options){.softmax = 1}, "1.softmax");
    check_json(&s, (r2n_paddle_options){.rows = 32, .columns = 32}, "1.add");
    free_scene(&s);
}

/* ---- inference.yml --------------------------------------------------------------------------- */

static void check_yml(const scene *s, const char *text)
{
    r2n_file_bytes file = export_file(s, (r2n_paddle_options){0}, "inference.yml");
    char *found = r2n_copy_bytes(file.data, file.size);
    assert_string_equal(found, text);
    r2n_free(found);
    r2n_file_release(&file);
}

static void test_yml(void **state)
{
    scene s;
    (void)state;
    make_scene(&s, R2N_FAMILY_TORCH);
    char head[256];
    snprintf(head, sizeof head, "# res2net.architecture: %s\n# res2net.family: torch\n",
             s.graph->architecture.name);
    char text[4096];
    snprintf(
        text, sizeof text,
        "%s# res2net.recipe: %s\n"
        "PreProcess:\n  transform_ops:\n"
        "  - ResizeImage:\n      resize_short: 36\n      interpolation: bicubic\n"
        "      backend: pil\n"
        "  - CropImage:\n      size: [32, 24]\n"
        "  - NormalizeImage:\n      scale: 0.003921569\n      mean: [0.5, 0.25, 0.485]\n"
        "      std: [1, 1.0e-05, 0.2]\n      order: ''\n      channel_num: 3\n"
        "  - ToCHWImage: null\n"
        "PostProcess:\n  Topk:\n    topk: 5\n    label_list:\n"
        "    - \"cat\"\n    - \"tench, Tinca tinca\"\n    - \"say \\\"no\\\"\"\n    - \"été\"\n"
        "    - \"\\u0085 x\"\n    - \"yes: 1 # x\"\n    - \"0\"\n",
        head, RECIPE);
    check_yml(&s, text);
    s.model.preprocessing = NULL;
    s.model.label_count = 0;
    snprintf(text, sizeof text,
             "%s# How pictures are prepared for this network is not known.\n"
             "PreProcess:\n  transform_ops: []\nPostProcess:\n  Topk:\n    topk: 5\n",
             head);
    check_yml(&s, text);
    free_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_parameters), FOLDER_TEST(test_info),
                                       FOLDER_TEST(test_program),    FOLDER_TEST(test_fixed_size),
                                       FOLDER_TEST(test_json),       FOLDER_TEST(test_yml)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
