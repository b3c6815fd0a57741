/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row a variant. spec: shared/spec/paddleclas.md 1.
 *
 * A Res2Net is told by a handful of numbers; `r2n_architecture` holds them, whether they come from
 * a row, from a specification in text, or from the tensors of a weights file.
 */
#ifndef R2N_MODEL_CATALOGUE_H
#define R2N_MODEL_CATALOGUE_H

#include "base/report.h"

/* Two families of Res2Net: the same tensors, two different networks (spec 1.7).
 * PADDLE: the first block of stage 1 (stride 1) adds hierarchically like every stride-1 block and
 *         passes its last group on; the 3x3 average pool divides by the cells inside the picture.
 * TORCH:  the first block of every stage does not add and pools its last group (stride 1 in stage
 * 1); that pool always divides by 9. */
typedef enum r2n_family { R2N_FAMILY_UNKNOWN, R2N_FAMILY_PADDLE, R2N_FAMILY_TORCH } r2n_family;

typedef enum r2n_stem {
    R2N_STEM_7X7,  /* 7x7 stride 2, then max pool: the paper */
    R2N_STEM_DEEP, /* 3x3 stride 2, 3x3, 3x3, then max pool: vd, v1b, d */
    R2N_STEM_3X3   /* 3x3 stride 1, no max pool: 32x32 pictures */
} r2n_stem;

enum { R2N_MAXIMUM_STAGES = 4, R2N_NAME_BYTES = 96 };

typedef struct r2n_architecture {
    char name[R2N_NAME_BYTES]; /* canonical spelling: "Res2Net50_26w_4s" */
    r2n_stem stem;
    int32_t stem_channels; /* 64; 32 in the small nets. A deep stem's first two have half of it */
    int32_t stages;        /* 4, or 3 in the small nets */
    int32_t depths[R2N_MAXIMUM_STAGES];
    int32_t planes;          /* of stage 1; doubles every stage. Output channels are 4 * planes */
    int32_t base_width;      /* group width = floor(planes * base_width / 64) */
    int32_t scale;           /* groups; 1 is a plain ResNet bottleneck (v1.5: stride in the 3x3) */
    int32_t pooled_shortcut; /* vd, v1b, d: average pool 2x2 before a striding shortcut */
    int32_t classes;         /* 1000 in the rows */
    int32_t picture_size;    /* 224, or 32 */
} r2n_architecture;

/* A row: the architecture, its other names, and what the seed page says. */
typedef struct r2n_catalogue_row {
    r2n_architecture architecture;
    const char *const *aliases; /* NULL-terminated: Paddle's, timm's, torchvision's, the authors' */
    const char *origin;         /* "PaddleClas", "paper and timm", "torchvision and timm", ... */
    double page_top1, page_top5;       /* per cent as on the seed page, 0 where it says nothing */
    double page_gflops, page_millions; /* the page's FLOPs (G) and parameters (M), 0 for none */
    const char *note;                  /* where the page is wrong, or NULL */
    const char *published;             /* where its weights are published, or NULL */
} r2n_catalogue_row;

size_t r2n_catalogue_count(void);
const r2n_catalogue_row *r2n_catalogue_get(size_t index);

/* By name or alias, any case; '-' and '_' are the same; an "_ssld" suffix and timm's tags (".in1k",
 * ".a1_in1k") are dropped. Also a net by specification,
 *     "cifar:planes=32,depths=2-2-2,width=26,scale=4[,stem=32][,classes=100]"
 * where `stem` is the stem's channels (else as many as planes). "plain:" and "vd:" in place of
 * "cifar:" are the 7x7 and the deep stem (stem 64, classes 1000 where left out). NOT_FOUND names
 * the nearest spelling; a bad specification is INVALID_ARGUMENT and says where. */
res2net_status r2n_architecture_find(const char *name, r2n_architecture *out,
                                     res2net_report *report);
/* The nearest name or alias (for "did you mean"), or NULL when none is near. */
const char *r2n_architecture_nearest(const char *name);
/* The family of the weights published for it: PADDLE for PaddleClas' rows, TORCH for the rest. */
r2n_family r2n_architecture_origin_family(const r2n_architecture *a);

/* floor(planes * base_width / 64) of stage `stage` (from 0), and its other widths. */
int32_t r2n_group_width(const r2n_architecture *a, int32_t stage);
int32_t r2n_stage_planes(const r2n_architecture *a, int32_t stage);

/* The ranges of every field (for what comes from files and text): 1 to 16 groups, 1 to 99 blocks a
 * stage, at most 32768 channels anywhere, a pooled shortcut exactly where the stem is deep
 * (Paddle's names do not tell them apart). INVALID_ARGUMENT, one problem a field. */
res2net_status r2n_architecture_validate(const r2n_architecture *a, const char *file,
                                         res2net_report *report);

/* ---- the tensors a network needs ------------------------------------------------------------- */

/* Canonical names are the paper's PyTorch code's: "layer1.0.convs.2.weight", "bn1.running_var",
 * "fc.weight" [classes, features]. In scale 1: torchvision's "layer1.0.conv2.weight". A pooled
 * shortcut has "downsample.1", "downsample.2" in every stage; deep stems "conv1.0", "conv1.1", ...
 * "conv1.6", "bn1". */
typedef struct r2n_tensor_spec {
    char name[R2N_NAME_BYTES];             /* canonical (torch) */
    char paddle_name[R2N_NAME_BYTES];      /* structured: "bb_0_0.res2a_branch2b_1._conv.weight" */
    char paddle_parameter[R2N_NAME_BYTES]; /* "res2a_branch2b_1_weights" (.pdiparams) */
    int32_t rank;
    int64_t shape[4];  /* canonical: conv [out, in, kh, kw]; fc.weight [classes, features] */
    int32_t trainable; /* 0 for running mean and variance */
} r2n_tensor_spec;

/* Every tensor in Paddle's state-dict order (spec 1.5). The array is the caller's: r2n_free. NULL
 * without memory. */
r2n_tensor_spec *r2n_architecture_tensors(const r2n_architecture *a, size_t *count);

/* ---- from a file's tensors to an architecture ---- */

/* One tensor as a file lists it. */
typedef struct r2n_tensor_shape {
    const char *name;
    int32_t rank;
    int64_t shape[4];
} r2n_tensor_shape;

/* The family that names speak of: "bb_0_0.conv0._conv.weight" is Paddle, "layer1.0.conv1.weight"
 * torch. UNKNOWN when neither. */
r2n_family r2n_family_from_names(const r2n_tensor_shape *tensors, size_t count);

/* Reads stem, stages, depths, planes, width, scale, shortcut and classes off names and shapes
 * (either naming), and takes the row's name where one is equal (else a specification
 * that r2n_architecture_find reads back). Looks at what tells the architecture only: whether every
 * tensor is there and fits is for r2n_architecture_tensors' user. MISMATCH with the reason where
 * the tensors are no Res2Net. */
res2net_status r2n_architecture_from_tensors(const r2n_tensor_shape *tensors, size_t count,
                                             const char *file, r2n_architecture *out,
                                             res2net_report *report);

#endif
