/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the image room share: golden picture files, and checks of failures. */
#ifndef R2N_TESTS_IMAGE_FIXTURE_H
#define R2N_TESTS_IMAGE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "formats/crc32.h"
#include "image/image.h"

#ifdef R2N_HAVE_JPEG
enum { CAN_JPEG = 1 };
#else
enum { CAN_JPEG = 0 };
#endif
#ifdef R2N_HAVE_PNG
enum { CAN_PNG = 1 };
#else
enum { CAN_PNG = 0 };
#endif
#ifdef R2N_HAVE_WEBP
enum { CAN_WEBP = 1 };
#else
enum { CAN_WEBP = 0 };
#endif

typedef struct file_copy {
    uint8_t *bytes; /* free() */
    size_t size;
} file_copy;

static inline file_copy read_golden(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/pictures/%s", R2N_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    file_copy copy = {malloc(1 << 16), 0};
    assert_non_null(copy.bytes);
    copy.size = fread(copy.bytes, 1, 1 << 16, file);
    assert_true(copy.size > 0 && copy.size < 1 << 16);
    fclose(file);
    /* A block of just the size: a read past the end is seen by the sanitizer. */
    uint8_t *exact = realloc(copy.bytes, copy.size);
    copy.bytes = exact != NULL ? exact : copy.bytes;
    return copy;
}

static inline int can_decode(const char *name)
{
    return strstr(name, ".png") != NULL    ? CAN_PNG
           : strstr(name, ".jpg") != NULL  ? CAN_JPEG
           : strstr(name, ".webp") != NULL ? CAN_WEBP
                                           : 1;
}

static inline res2net_status decode(const file_copy *file, size_t size, int apply_exif,
                                    r2n_pixels *pixels, res2net_report *report)
{
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    options.exif = apply_exif ? R2N_EXIF_AS_OPENCV : R2N_EXIF_IGNORE;
    return r2n_image_decode(file->bytes, size, "picture", &options, pixels, report);
}

static inline uint32_t pixels_crc(const r2n_pixels *pixels)
{
    return r2n_crc32(0, pixels->rgb, (size_t)pixels->width * (size_t)pixels->height * 3);
}

/* The last problem holds `part`; shows the text where it does not. */
static inline void assert_says(const res2net_report *report, const char *part)
{
    const size_t count = res2net_report_count(report);
    assert_true(count > 0);
    const char *text = res2net_report_problem(report, count - 1)->text;
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#endif
