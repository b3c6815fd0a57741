/* SPDX-License-Identifier: Apache-2.0 */
/* MODEL: the options that say which model, how pictures are prepared and how it runs. */
#ifndef CLI_MODEL_OPTIONS_H
#define CLI_MODEL_OPTIONS_H

#include "decode_options.h"
#include "options.h"
#include "res2net/res2net.h"

/* Rows for a verb's table. */
#define MODEL_OPTIONS                                                                              \
    {.name = "model",                                                                              \
     .letter = 'm',                                                                                \
     .kind = OPTION_FILE,                                                                          \
     .argument = "FILE",                                                                           \
     .default_note = "the embedded model",                                                         \
     .environment = "RES2NET_MODEL",                                                               \
     .help = "the model: .r2n, .pdparams, .pth, .safetensors, .onnx, or a Paddle inference model " \
             "(its folder, .tar, .pdmodel or .json; with --arch its .pdiparams), told apart by "   \
             "content"},                                                                           \
        {.name = "weights",                                                                        \
         .kind = OPTION_FILE,                                                                      \
         .argument = "FILE",                                                                       \
         .help = "the same as --model"},                                                           \
        {.name = "verify",                                                                         \
         .kind = OPTION_FLAG,                                                                      \
         .help = "also checks the checksums over the data of a .r2n"},                             \
        {.name = "arch",                                                                           \
         .kind = OPTION_ARCHITECTURE,                                                              \
         .argument = "NAME",                                                                       \
         .default_note = "what the file says",                                                     \
         .help = "the architecture, any case; `res2net models` lists them"},                       \
        {.name = "family",                                                                         \
         .kind = OPTION_CHOICE,                                                                    \
         .choices = "paddle|torch",                                                                \
         .default_note = "by the tensors' names",                                                  \
         .help = "whose network the weights were made for"},                                       \
        {.name = "transforms",                                                                     \
         .kind = OPTION_FILE,                                                                      \
         .argument = "FILE",                                                                       \
         .help = "a PaddleClas transform_ops list in YAML, in place of the preset"},               \
    {                                                                                              \
        .name = "labels", .kind = OPTION_FILE, .argument = "FILE",                                 \
        .default_note = "what the file says", .help = "class names, one a line or `number name`"   \
    }

/* clang-format off */
#define THREADS_OPTION                                                                             \
    {.name = "threads",                                                                            \
     .kind = OPTION_INTEGER,                                                                       \
     .argument = "N",                                                                              \
     .minimum = 1,                                                                                 \
     .maximum = 256,                                                                               \
     .default_note = "what affinity and cgroup allow",                                             \
     .environment = "RES2NET_THREADS",                                                             \
     .help = "threads of a run"}
#define PRECISION_OPTION                                                                           \
    {.name = "precision",                                                                          \
     .kind = OPTION_CHOICE,                                                                        \
     .fallback = "f32",                                                                            \
     .choices = "f32|bf16x3|bf16|int8",                                                            \
     .help = "arithmetic of the network"}
#define ISA_OPTION                                                                                 \
    {.name = "isa",                                                                                \
     .kind = OPTION_CHOICE,                                                                        \
     .argument = "NAME",                                                                           \
     .choices = "reference|avx2|avx512|amx|neon",                                                  \
     .default_note = "the best of this CPU",                                                       \
     .environment = "RES2NET_ISA",                                                                 \
     .help = "ceiling of the instructions in use, one of"}
#define RUN_OPTIONS THREADS_OPTION, PRECISION_OPTION, ISA_OPTION
/* clang-format on */

#define PICTURE_OPTIONS                                                                            \
    {.name = "preset",                                                                             \
     .kind = OPTION_CHOICE,                                                                        \
     .choices = "paddle|torch",                                                                    \
     .default_note = "the model's",                                                                \
     .help = "how pictures are prepared: OpenCV's rules or Pillow's"},                             \
        {.name = "exif",                                                                           \
         .kind = OPTION_CHOICE,                                                                    \
         .choices = "apply|ignore",                                                                \
         .default_note = "the preset's",                                                           \
         .help = "the orientation tag of pictures"},                                               \
        {.name = "resize-short",                                                                   \
         .kind = OPTION_INTEGER,                                                                   \
         .argument = "N",                                                                          \
         .minimum = 1,                                                                             \
         .maximum = 16384,                                                                         \
         .default_note = "the preset's, 256",                                                      \
         .help = "short side after resizing"},                                                     \
        {.name = "crop",                                                                           \
         .kind = OPTION_INTEGER,                                                                   \
         .argument = "N",                                                                          \
         .minimum = 1,                                                                             \
         .maximum = 16384,                                                                         \
         .default_note = "the preset's, 224",                                                      \
         .help = "side of the centre crop"},                                                       \
        DECODE_OPTIONS

#define FAST_DECODE_OPTION                                                                         \
    {                                                                                              \
        .name = "fast-decode", .kind = OPTION_FLAG,                                                \
        .help = "JPEG by faster arithmetic, large ones at a fraction of their size: pictures and " \
                "answers are then no longer those of the originals to the bit"                     \
    }

/* Loads what MODEL_OPTIONS say. EXIT_DONE, or the exit status after saying what is wrong. */
int open_model(const command_line *line, res2net_model **model);
/* What stands in for MODEL_OPTIONS that are not given; NULL for nothing. */
typedef struct model_fallback {
    const char *path;
    const char *architecture;
    const char *recipe; /* in place of --transforms, as res2net_load_options has it */
} model_fallback;
int open_model_or(const command_line *line, const model_fallback *fallback, res2net_model **model);
/* The same for verbs that need no true weights: --arch alone gives weights from a formula. */
int open_model_or_formula(const command_line *line, res2net_model **model);

/* A model from `path`, or the embedded one where it is NULL; for verbs with their own options. */
int load_model(const char *path, const res2net_load_options *options, res2net_model **model);

/* The file that open_model reads, or NULL for the embedded model. */
const char *model_path(const command_line *line);

/* EXIT_DONE when the library knows the name, else EXIT_USAGE after saying so. */
int check_architecture(const command_line *line, const char *name);
res2net_family family_option(const command_line *line);

/* What THREADS_OPTION and ISA_OPTION say; PICTURE_OPTIONS and FAST_DECODE_OPTION where `pictures`
 * is 1, with a word about what that one costs. Once a run. */
res2net_session_options session_settings(const command_line *line, int pictures);
/* Says what of them is no fault, but not what one may have thought. Once a run. */
void tell_of_settings(const command_line *line);
/* A session by these and --precision. */
int open_session(const command_line *line, const res2net_model *model, int pictures,
                 res2net_session **session);

/* For verbs that need no true weights and no pictures: opens both, calls `work`, closes both. */
typedef int session_work(const command_line *line, const res2net_model *model,
                         res2net_session *session);
int run_with_session(const command_line *line, session_work *work);

/* The ISA that runs, for reports. */
const char *isa_in_force(const command_line *line);

const char *family_name(res2net_family family);

#endif
