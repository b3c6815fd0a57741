/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "predict/model.h"

enum { IMAGENET_CLASSES = 1000 };

/* Cuts the text into lines, in place, and checks that there is one a class. */
static res2net_status take_names(res2net_model *model, char *text, const char *file,
                                 res2net_report *report)
{
    const int32_t classes = model->architecture.classes;
    int32_t count = 0;
    model->label_text = text;
    model->labels = r2n_allocate((size_t)classes, sizeof *model->labels);
    if (model->labels == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory for the labels");
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        if (count < classes)
            model->labels[count] = line;
        count++;
        if (end == NULL)
            break;
        line = end + 1;
    }
    if (count != classes)
        return r2n_fail_line(report, RES2NET_MISMATCH, file, count,
                             "%d class names, but the model has %d classes", count, classes);
    model->label_count = count;
    return RES2NET_OK;
}

res2net_status r2n_model_set_labels(res2net_model *model, const char *file, const char *text,
                                    res2net_report *report)
{
    char *names;
    if (file != NULL) {
        int32_t count;
        const res2net_status status = r2n_labels_read(file, &names, &count, report);
        if (status != RES2NET_OK)
            return status;
        char *kept = r2n_copy_string(names); /* with the weights, for res2net_model_save */
        if (kept == NULL) {
            r2n_free(names);
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory for the labels");
        }
        r2n_free(model->weights->metadata.labels);
        model->weights->metadata.labels = kept;
        return take_names(model, names, file, report);
    }
    if (text == NULL && model->architecture.classes == IMAGENET_CLASSES)
        text = r2n_labels_imagenet();
    if (text == NULL)
        return RES2NET_OK;
    names = r2n_copy_string(text);
    if (names == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the labels");
    return take_names(model, names, "<labels of the weights file>", report);
}
