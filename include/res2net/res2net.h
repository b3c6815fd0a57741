/* SPDX-License-Identifier: Apache-2.0 */
/*
 * res2net: Res2Net image classifiers on a plain CPU.
 *
 * A complete program: classify a picture with a weights file of PaddleClas, timm or the paper's
 * authors.
 *
 *     #include <res2net/res2net.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         res2net_report *report = res2net_report_create();
 *         res2net_model *model = NULL;
 *         res2net_session *session = NULL;
 *         res2net_tensor picture = {0};
 *         res2net_model_info info = {0};
 *         res2net_score best[5];
 *         float *logits = NULL;
 *         int32_t count = 0;
 *         if (argc == 3 && res2net_model_load(argv[1], NULL, &model, report) == RES2NET_OK &&
 *             res2net_session_create(model, NULL, &session, report) == RES2NET_OK &&
 *             res2net_session_prepare_file(session, argv[2], &picture, report) == RES2NET_OK) {
 *             res2net_model_describe(model, &info);
 *             logits = calloc((size_t)info.classes, sizeof *logits);
 *             if (logits == NULL)
 *                 fputs("no memory for the scores\n", stderr);
 *             else if (res2net_session_run(session, picture.data, 1, picture.height,
 *                                          picture.width, logits, report) == RES2NET_OK)
 *                 count = res2net_top_scores(logits, info.classes, 5, best);
 *         }
 *         for (int32_t i = 0; i < count; i++)
 *             printf("%d %.5f\n", best[i].class_id, (double)best[i].score);
 *         for (size_t i = 0; i < res2net_report_count(report); i++)
 *             fprintf(stderr, "%s\n", res2net_report_problem(report, i)->text);
 *         free(logits);
 *         res2net_tensor_free(&picture);
 *         res2net_session_destroy(session);
 *         res2net_model_destroy(model);
 *         res2net_report_destroy(report);
 *         return count > 0 ? 0 : 3;
 *     }
 *
 * The parts:  status.h    codes and reports            model.h     load, save, catalogue, summary
 *             tensor.h    picture tensors, .npy        session.h   run, preprocess, explain
 *             evaluate.h  labelled sets                system.h    the machine, self-test
 *             quantize.h  int8                         train.h     training
 *             export.h    ONNX, Paddle
 */
#ifndef RES2NET_RES2NET_H
#define RES2NET_RES2NET_H

#include "res2net/evaluate.h"
#include "res2net/export.h"
#include "res2net/model.h"
#include "res2net/quantize.h"
#include "res2net/session.h"
#include "res2net/status.h"
#include "res2net/system.h"
#include "res2net/tensor.h"
#include "res2net/train.h"

#endif
