/* SPDX-License-Identifier: Apache-2.0 */
/* One row a variant: what docs/catalogue.md prints. */
#include "model/catalogue_rows.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ALIASES   ((const char *const[]){NULL})

/* The four-stage networks for 224-pixel pictures and 1000 classes. */
#define PLAIN(row_name, depths_1, depths_2, depths_3, depths_4, width, groups)                     \
    {                                                                                              \
        .name = (row_name), .stem = R2N_STEM_7X7, .stem_channels = 64, .stages = 4,                \
        .depths = {(depths_1), (depths_2), (depths_3), (depths_4)}, .planes = 64,                  \
        .base_width = (width), .scale = (groups), .pooled_shortcut = 0, .classes = 1000,           \
        .picture_size = 224                                                                        \
    }
#define VD(row_name, depths_1, depths_2, depths_3, depths_4, width, groups)                        \
    {                                                                                              \
        .name = (row_name), .stem = R2N_STEM_DEEP, .stem_channels = 64, .stages = 4,               \
        .depths = {(depths_1), (depths_2), (depths_3), (depths_4)}, .planes = 64,                  \
        .base_width = (width), .scale = (groups), .pooled_shortcut = 1, .classes = 1000,           \
        .picture_size = 224                                                                        \
    }

#define SWAPPED                                                                                    \
    "PaddleClas' page has the FLOPs and parameters of Res2Net50_vd_26w_4s and Res2Net50_14w_8s "   \
    "swapped, and its FLOPs are 2 x multiply-accumulates"
#define TWICE "the FLOPs on PaddleClas' page are 2 x multiply-accumulates"

const r2n_catalogue_row r2n_catalogue_rows[] = {
    /* ---- the five of the PaddleClas page ---- */
    {.architecture = PLAIN("Res2Net50_26w_4s", 3, 4, 6, 3, 26, 4),
     .aliases = ALIASES("res2net50"),
     .origin = "PaddleClas, the paper and timm",
     .page_top1 = 79.3,
     .page_top5 = 94.6,
     .page_gflops = 8.52,
     .page_millions = 25.70,
     .note = TWICE,
     .published = "PaddleClas model zoo, Res2Net50_26w_4s_pretrained.pdparams; "
                  "timm on the Hugging Face hub, res2net50_26w_4s"},
    {.architecture = PLAIN("Res2Net50_14w_8s", 3, 4, 6, 3, 14, 8),
     .aliases = NO_ALIASES,
     .origin = "PaddleClas, the paper and timm",
     .page_top1 = 79.5,
     .page_top5 = 94.7,
     .page_gflops = 9.01,
     .page_millions = 25.72,
     .note = SWAPPED,
     .published = "PaddleClas model zoo, Res2Net50_14w_8s_pretrained.pdparams; "
                  "timm on the Hugging Face hub, res2net50_14w_8s"},
    {.architecture = VD("Res2Net50_vd_26w_4s", 3, 4, 6, 3, 26, 4),
     .aliases = ALIASES("res2net50d", "res2net50_v1b_26w_4s", "res2net50_v1b"),
     .origin = "PaddleClas, the paper's authors (v1b) and timm (d)",
     .page_top1 = 79.8,
     .page_top5 = 94.9,
     .page_gflops = 8.37,
     .page_millions = 25.06,
     .note = SWAPPED "; with the SSLD weights 83.1 top-1, 96.6 top-5",
     .published = "PaddleClas model zoo, Res2Net50_vd_26w_4s_pretrained.pdparams and "
                  "Res2Net50_vd_26w_4s_ssld_pretrained.pdparams; "
                  "timm on the Hugging Face hub, res2net50d"},
    {.architecture = VD("Res2Net101_vd_26w_4s", 3, 4, 23, 3, 26, 4),
     .aliases = ALIASES("res2net101d", "res2net101_v1b_26w_4s", "res2net101_v1b"),
     .origin = "PaddleClas, the paper's authors (v1b) and timm (d)",
     .page_top1 = 80.6,
     .page_top5 = 95.2,
     .page_gflops = 16.67,
     .page_millions = 45.22,
     .note = TWICE "; with the SSLD weights 83.9 top-1, 97.1 top-5",
     .published = "PaddleClas model zoo, Res2Net101_vd_26w_4s_pretrained.pdparams and "
                  "Res2Net101_vd_26w_4s_ssld_pretrained.pdparams; "
                  "timm on the Hugging Face hub, res2net101d"},
    {.architecture = VD("Res2Net200_vd_26w_4s", 3, 12, 48, 3, 26, 4),
     .aliases = NO_ALIASES,
     .origin = "PaddleClas",
     .page_top1 = 81.2,
     .page_top5 = 95.7,
     .page_gflops = 31.49,
     .page_millions = 76.21,
     .note = TWICE "; with the SSLD weights 85.1 top-1, 97.4 top-5",
     .published = "PaddleClas model zoo, Res2Net200_vd_26w_4s_pretrained.pdparams and "
                  "Res2Net200_vd_26w_4s_ssld_pretrained.pdparams"},

    /* ---- the paper's other widths and scales ---- */
    {.architecture = PLAIN("Res2Net50_48w_2s", 3, 4, 6, 3, 48, 2),
     .aliases = NO_ALIASES,
     .origin = "the paper and timm",
     .published = "timm on the Hugging Face hub, res2net50_48w_2s"},
    {.architecture = PLAIN("Res2Net50_26w_6s", 3, 4, 6, 3, 26, 6),
     .aliases = NO_ALIASES,
     .origin = "the paper and timm",
     .published = "timm on the Hugging Face hub, res2net50_26w_6s"},
    {.architecture = PLAIN("Res2Net50_26w_8s", 3, 4, 6, 3, 26, 8),
     .aliases = NO_ALIASES,
     .origin = "the paper and timm",
     .published = "timm on the Hugging Face hub, res2net50_26w_8s"},
    {.architecture = PLAIN("Res2Net50_18w_4s", 3, 4, 6, 3, 18, 4),
     .aliases = NO_ALIASES,
     .origin = "the paper (Res2Net-50-L)"},

    /* ---- other depths ---- */
    {.architecture = PLAIN("Res2Net101_26w_4s", 3, 4, 23, 3, 26, 4),
     .aliases = ALIASES("res2net101"),
     .origin = "the paper and timm",
     .published = "timm on the Hugging Face hub, res2net101_26w_4s"},
    {.architecture = PLAIN("Res2Net152_26w_4s", 3, 8, 36, 3, 26, 4),
     .aliases = NO_ALIASES,
     .origin = "a depth that PaddleClas' code takes"},
    {.architecture = PLAIN("Res2Net200_26w_4s", 3, 12, 48, 3, 26, 4),
     .aliases = NO_ALIASES,
     .origin = "a depth that PaddleClas' code takes"},
    {.architecture = VD("Res2Net152_vd_26w_4s", 3, 8, 36, 3, 26, 4),
     .aliases = ALIASES("res2net152_v1b_26w_4s"),
     .origin = "a depth that PaddleClas' code takes"},

    /* ---- scale 1: plain bottlenecks with the stride in the 3x3 (v1.5) ---- */
    {.architecture = PLAIN("ResNet50", 3, 4, 6, 3, 64, 1),
     .aliases = NO_ALIASES,
     .origin = "torchvision and timm",
     .published = "torchvision, resnet50; timm on the Hugging Face hub, resnet50"},
    {.architecture = PLAIN("ResNet101", 3, 4, 23, 3, 64, 1),
     .aliases = NO_ALIASES,
     .origin = "torchvision and timm",
     .published = "torchvision, resnet101; timm on the Hugging Face hub, resnet101"},
    {.architecture = VD("ResNet50_vd", 3, 4, 6, 3, 64, 1),
     .aliases = ALIASES("resnet50d"),
     .origin = "timm (d)",
     .published = "timm on the Hugging Face hub, resnet50d"},
    {.architecture = VD("ResNet101_vd", 3, 4, 23, 3, 64, 1),
     .aliases = ALIASES("resnet101d"),
     .origin = "timm (d)",
     .published = "timm on the Hugging Face hub, resnet101d"},

    /* ---- 32-pixel pictures ---- */
    {.architecture = {.name = "res2net20_26w_4s_cifar",
                      .stem = R2N_STEM_3X3,
                      .stem_channels = 32,
                      .stages = 3,
                      .depths = {2, 2, 2},
                      .planes = 32,
                      .base_width = 26,
                      .scale = 4,
                      .classes = 100,
                      .picture_size = 32},
     .aliases = NO_ALIASES,
     .origin = "this project, trained with PyTorch on CIFAR-100",
     .published = "in this project: the embedded default model"},
};

const size_t r2n_catalogue_row_count = sizeof r2n_catalogue_rows / sizeof r2n_catalogue_rows[0];
