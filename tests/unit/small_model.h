/* SPDX-License-Identifier: Apache-2.0 */
/* A network of a few milliseconds and a folder for the files of a test. */
#ifndef R2N_TESTS_SMALL_MODEL_H
#define R2N_TESTS_SMALL_MODEL_H

#include "unit/expect.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "res2net/res2net.h"

#define SMALL_MODEL "cifar:planes=16,depths=1-1,width=26,scale=2,classes=10"
enum { SMALL_CLASSES = 10 };

static inline int small_remove(const char *path, const struct stat *status, int kind,
                               struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

/* A new folder below /tmp; `folder` has room for 64 bytes. */
static inline void small_folder_make(char folder[64])
{
    snprintf(folder, 64, "/tmp/r2n_test_XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline void small_folder_remove(const char *folder)
{
    nftw(folder, small_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void small_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void small_text(const char *path, const char *text)
{
    small_file(path, text, strlen(text));
}

static inline void small_copy(const char *from, const char *to)
{
    r2n_file_bytes file = expect_file(from);
    small_file(to, file.data, file.size);
    r2n_file_release(&file);
}

static inline res2net_model *small_model(res2net_family family)
{
    res2net_model *model = NULL;
    assert_int_equal(res2net_model_create(SMALL_MODEL, family, 3, &model, NULL), RES2NET_OK);
    return model;
}

/* Sessions of one thread that prepare pictures for 32x32. */
static inline res2net_session_options small_session_options(void)
{
    return (res2net_session_options){
        .threads = 1, .preset = RES2NET_PRESET_TORCH, .resize_short = 32, .crop = 32};
}

static inline res2net_session *small_session(const res2net_model *model)
{
    const res2net_session_options options = small_session_options();
    res2net_session *session = NULL;
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    return session;
}

static inline void small_noise(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
}

#endif
