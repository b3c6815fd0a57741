/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "eval_files.h"
#include "markup_writer.h"
#include "platform.h"
#include "text_format.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Worst pictures</title>\n"
    "<style>\n"
    "body { font: 14px/1.4 sans-serif; margin: 24px; color: #222; background: #fff; }\n"
    "main { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: "
    "18px; "
    "}\n"
    "figure { margin: 0; border: 1px solid #ddd; padding: 8px; overflow-wrap: anywhere; }\n"
    "img { width: 100%; height: 180px; object-fit: contain; background: #f4f4f4; }\n"
    "img.record { image-rendering: pixelated; }\n"
    "dl { display: grid; grid-template-columns: auto 1fr; gap: 0 8px; margin: 6px 0 0; }\n"
    "dt { color: #666; } dd { margin: 0; }\n"
    ".wrong { color: #b3261e; } .right { color: #1b6e3c; }\n"
    "</style>\n</head>\n<body>\n<h1>Worst pictures</h1>\n";

/* How many bytes of `path` name folders that `folder` is in, or is. */
static size_t common_bytes(const char *folder, const char *path)
{
    size_t common = 0;
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (path[i] == '/' && (folder[i] == '/' || folder[i] == '\0'))
            common = i + 1;
        if (folder[i] != path[i])
            break;
    }
    return common;
}

/* `path` as seen from `folder`, both whole paths; the caller's (free). */
static char *seen_from(const char *folder, const char *path)
{
    const size_t common = common_bytes(folder, path);
    size_t ups = 0; /* folders to leave */
    if (common < strlen(folder)) {
        ups = 1;
        for (const char *at = folder + common; *at != '\0'; at++)
            ups += *at == '/';
    }
    char *seen = platform_allocate(3 * ups + strlen(path + common) + 1, 1);
    for (size_t i = 0; i < ups; i++)
        strcpy(seen + 3 * i, "../");
    strcpy(seen + 3 * ups, path + common);
    return seen;
}

/* The page moves with the pictures: their addresses are relative where that can be told. */
static void put_file_address(FILE *out, const char *whole_folder, const char *name)
{
    char *whole = platform_whole_path(name);
    char *seen = whole_folder != NULL && whole != NULL ? seen_from(whole_folder, whole)
                                                       : platform_copy_text(name);
    markup_address(out, seen);
    free(seen);
    free(whole);
}

static void put_picture(FILE *out, const char *whole_folder, const res2net_worst_picture *one)
{
    if (one->pixels != NULL) {
        fputs("<img class=\"record\" alt=\"\" src=\"", out);
        markup_picture_address(out, one->pixels, one->width, one->height);
        fputs("\">\n", out);
        return;
    }
    fputs("<a href=\"", out);
    put_file_address(out, whole_folder, one->name);
    fputs("\"><img loading=\"lazy\" alt=\"\" src=\"", out);
    put_file_address(out, whole_folder, one->name);
    fputs("\"></a>\n", out);
}

static void put_class(FILE *out, const eval_result *result, int32_t class_id)
{
    markup_class(out, class_id, res2net_model_label(result->model, class_id), 0);
}

static void put_figure(FILE *out, const eval_result *result, const char *whole_folder,
                       const res2net_worst_picture *one)
{
    fputs("<figure>\n", out);
    put_picture(out, whole_folder, one);
    fputs("<figcaption>", out);
    markup_text(out, one->name, 0);
    fputs("\n<dl><dt>label</dt><dd>", out);
    put_class(out, result, one->label);
    fprintf(out, ", %.2f%%</dd>\n<dt>answer</dt><dd class=\"%s\">", 100 * one->label_confidence,
            one->answer == one->label ? "right" : "wrong");
    put_class(out, result, one->answer);
    fprintf(out, ", %.2f%%</dd>\n<dt>loss</dt><dd>%.4f</dd></dl></figcaption>\n</figure>\n",
            100 * one->confidence, one->loss);
}

void eval_write_worst_page(FILE *out, const eval_result *result)
{
    const res2net_evaluation *found = result->found;
    char *whole_folder = platform_whole_path(result->folder);
    char count[FORMAT_BYTES];
    fputs(head, out);
    fprintf(
        out,
        "<p>The %d pictures of the highest loss, of %s. Percentages are the softmax of label and "
        "answer.</p>\n",
        found->worst_count, format_count(count, found->images));
    if (found->skipped > 0)
        fprintf(out, "<p>Unreadable pictures have no loss and are not here: %s.</p>\n",
                format_count(count, found->skipped));
    fputs("<main>\n", out);
    for (int32_t i = 0; i < found->worst_count; i++)
        put_figure(out, result, whole_folder, &found->worst[i]);
    fputs("</main>\n</body>\n</html>\n", out);
    free(whole_folder);
}
