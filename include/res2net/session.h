/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: what runs a model.
 *
 * A session owns the memory of a run and belongs to one thread at a time; make one a thread.
 * Sessions of a model share its packed weights. All sessions of a process share one pool of
 * threads.
 *
 * The same picture gives the same bits alone or in a batch, and with any number of threads, on a
 * given ISA.
 */
#ifndef RES2NET_SESSION_H
#define RES2NET_SESSION_H

#include "res2net/model.h"
#include "res2net/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct res2net_session res2net_session;

typedef enum res2net_preset {
    RES2NET_PRESET_OF_MODEL = 0, /* the transforms stored with the weights, else by family */
    RES2NET_PRESET_PADDLE = 1,   /* OpenCV's bilinear, EXIF applied */
    RES2NET_PRESET_TORCH = 2     /* Pillow's antialiased bilinear, EXIF ignored */
} res2net_preset;

enum { RES2NET_EXIF_OF_PRESET = 0, RES2NET_EXIF_APPLY = 1, RES2NET_EXIF_IGNORE = 2 };

/* Pictures whose end is missing: refused, or taken with a warning in the report, what is missing
 * being grey (JPEG) or black. A picture without its header, or without a single row, is refused
 * either way. */
enum { RES2NET_TRUNCATED_REFUSE = 0, RES2NET_TRUNCATED_TOLERATE = 1 };

/* All zero is the default. Strings are read during the call only. */
typedef struct res2net_session_options {
    int threads;           /* 0: RES2NET_THREADS, else what affinity and cgroup allow */
    const char *precision; /* "f32" (also NULL), "bf16" (needs AMX or AVX-512 BF16), "bf16x3"
                              (needs AMX), or "int8" (a calibrated model) */
    const char *isa; /* a ceiling: "reference", "avx2", "avx512", "amx", "neon"; the best that this
                        CPU has up to it runs. NULL: RES2NET_ISA, else no ceiling */
    res2net_preset preset;
    int exif;               /* RES2NET_EXIF_... */
    int resize_short;       /* 0: the preset's */
    int crop;               /* 0: the preset's */
    int truncated;          /* RES2NET_TRUNCATED_... */
    int64_t maximum_pixels; /* of a picture as stored; 0: 178,956,970. Larger ones are refused from
                               their header */
    int fast_decode; /* 1: JPEG by faster, inexact arithmetic, and large ones at a fraction of
                        their size: pictures, and so answers, differ a little from the
                        exact ones */
} res2net_session_options;

/* `options` may be NULL. The model must outlive the session. UNAVAILABLE with what is missing when
 * the CPU lacks the precision, or the ISA is another architecture's ("neon" on x86);
 * INVALID_ARGUMENT, OUT_OF_MEMORY. */
RES2NET_API res2net_status res2net_session_create(const res2net_model *model,
                                                  const res2net_session_options *options,
                                                  res2net_session **out, res2net_report *report);
RES2NET_API void res2net_session_destroy(res2net_session *session); /* NULL is allowed */

/* Runs `batch` ready pictures: input float32 [batch][3][height][width]; logits float32
 * [batch][classes], before any softmax. Sizes from 32 up (8 up for the 32x32 nets). Memory is
 * allocated when batch or size are larger than ever before in this session. INVALID_ARGUMENT,
 * LIMIT_EXCEEDED, OUT_OF_MEMORY; NOT_FINITE when a logit is not a number. */
RES2NET_API res2net_status res2net_session_run(res2net_session *session, const float *input,
                                               int32_t batch, int32_t height, int32_t width,
                                               float *logits, res2net_report *report);

/* Decodes and preprocesses one encoded picture (JPEG, PNG, WebP, BMP, PNM) into out
 * [1][3][height][width], which is the caller's (`res2net_tensor_free`). `name` is for messages. */
RES2NET_API res2net_status res2net_session_prepare(const res2net_session *session,
                                                   const void *bytes, size_t size, const char *name,
                                                   res2net_tensor *out, res2net_report *report);
/* The same from a file; "-" is standard input. */
RES2NET_API res2net_status res2net_session_prepare_file(const res2net_session *session,
                                                        const char *path, res2net_tensor *out,
                                                        res2net_report *report);

/* ---- many pictures ---- */

/* One of: a file, bytes in memory, an item of a list. */
typedef struct res2net_input {
    const char *path;  /* a file, "-" for standard input; for `bytes` what messages call them */
    const void *bytes; /* an encoded picture, or NULL */
    size_t size;
    const struct res2net_list *list; /* (evaluate.h) its item `index`; path and bytes are then not
                                        read; or NULL */
    size_t index;
} res2net_input;

typedef struct res2net_prepared {
    res2net_status status;
    res2net_tensor tensor;  /* as from res2net_session_prepare, the caller's; empty unless OK */
    res2net_report *report; /* the caller's, set before the call; NULL allowed. Problems of this
                               picture alone are added to it */
} res2net_prepared;

/* Prepares `count` pictures on the session's threads, each as res2net_session_prepare would. A
 * folder goes fastest in turns of two calls: this one for a batch or more of pictures, then
 * res2net_session_run for batches of those that have one size; all threads work in both. */
RES2NET_API void res2net_session_prepare_many(const res2net_session *session,
                                              const res2net_input *inputs, size_t count,
                                              res2net_prepared *prepared);

typedef struct res2net_score {
    int32_t class_id;
    float score; /* softmax, 0 to 1 */
} res2net_score;

/* The k best classes of one picture's logits, best first, equal scores by rising class. Softmax in
 * double. k is clipped to `classes`; returns how many were written. */
RES2NET_API int32_t res2net_top_scores(const float *logits, int32_t classes, int32_t k,
                                       res2net_score *scores);

/* The whole way for one picture in memory: prepare, run, top scores. scores has room for k. */
RES2NET_API res2net_status res2net_session_classify(res2net_session *session, const void *bytes,
                                                    size_t size, const char *name, int32_t k,
                                                    res2net_score *scores, int32_t *count,
                                                    res2net_report *report);

/* ---- explain
 * ---------------------------------------------------------------------------------------- */

typedef struct res2net_plan_step {
    const char *name;    /* "layer1.0.convs.0 + relu + add" */
    const char *shape;   /* "1x56x56x26, K 234, 9 sources" */
    const char *kernel;  /* "gemm_f32_avx512" */
    const char *refused; /* "kernel: reason; ...": the better ones, or "" */
    int64_t macs;        /* of the whole batch */
    double microseconds; /* fastest of the timed runs; 0 when not timed */
} res2net_plan_step;

typedef struct res2net_plan_report {
    size_t step_count;
    res2net_plan_step *steps;
    int64_t memory_bytes;  /* the activation block */
    int64_t weights_bytes; /* packed */
    int threads;
    double ceiling_gmacs; /* multiply-accumulates a second (1e9) that registers reach, all threads,
                             measured in this call; 0 when not timed */
} res2net_plan_report;

/* What a run of this geometry does, step by step; `timed` also measures. Give it back with
 * `res2net_plan_report_free`. */
RES2NET_API res2net_status res2net_session_explain(res2net_session *session, int32_t batch,
                                                   int32_t height, int32_t width, int timed,
                                                   res2net_plan_report *out,
                                                   res2net_report *report);
RES2NET_API void res2net_plan_report_free(res2net_plan_report *plan);

/* Bytes of the activation block now held. */
RES2NET_API int64_t res2net_session_memory_bytes(const res2net_session *session);

/* Gives that block back to the system; the next run allocates what it needs. For sessions that rest
 * for long, or after a picture far larger than the usual ones. */
RES2NET_API void res2net_session_trim(res2net_session *session);

#ifdef __cplusplus
}
#endif
#endif
