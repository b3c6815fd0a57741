/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status codes and problem reports: the one error channel of the library.
 *
 * Every function that can fail returns a `res2net_status`. Most also take a `res2net_report *`
 * (NULL is allowed): a list, owned by the caller, to which they append what went wrong, with file,
 * byte or line and what to do about it. The library never prints, exits or aborts on input.
 *
 *     res2net_report *report = res2net_report_create();
 *     if (res2net_model_load("net.pth", NULL, &model, report) != RES2NET_OK)
 *         for (size_t i = 0; i < res2net_report_count(report); i++)
 *             puts(res2net_report_problem(report, i)->text);
 *     res2net_report_destroy(report);
 *
 * Threads: a report belongs to one thread at a time.
 */
#ifndef RES2NET_STATUS_H
#define RES2NET_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RES2NET_API __attribute__((visibility("default")))
#define RES2NET_PRINTF(format_index, first_argument)                                               \
    __attribute__((format(printf, format_index, first_argument)))
#else
#define RES2NET_API
#define RES2NET_PRINTF(format_index, first_argument)
#endif

/* One list: name, number (pinned: never renumber), text. */
#define RES2NET_STATUS_LIST(X)                                                                     \
    X(OK, 0, "success")                                                                            \
    X(INVALID_ARGUMENT, 1, "an argument is not valid")                                             \
    X(OUT_OF_MEMORY, 2, "memory could not be had")                                                 \
    X(NOT_FOUND, 3, "a file, name or item does not exist")                                         \
    X(READ_FAILED, 4, "a file could not be read")                                                  \
    X(WRITE_FAILED, 5, "a file could not be written")                                              \
    X(DAMAGED, 6, "data is damaged or not of the format it claims")                                \
    X(UNSUPPORTED, 7, "the format or feature is not supported by this build")                      \
    X(LIMIT_EXCEEDED, 8, "a size is over a limit")                                                 \
    X(MISMATCH, 9, "weights and architecture do not belong together")                              \
    X(NOT_FINITE, 10, "numbers are not finite")                                                    \
    X(UNAVAILABLE, 11, "this CPU or operating system lacks what was asked for")                    \
    X(BAD_PICTURE, 12, "a picture cannot be decoded")                                              \
    X(BAD_LIST, 13, "a list or label file has bad lines")                                          \
    X(INTERRUPTED, 14, "the work was interrupted")                                                 \
    X(INTERNAL, 15, "internal error: please report it")

typedef enum res2net_status {
#define RES2NET_STATUS_ENUM(name, number, text) RES2NET_##name = number,
    RES2NET_STATUS_LIST(RES2NET_STATUS_ENUM)
#undef RES2NET_STATUS_ENUM
} res2net_status;

/* "RES2NET_BAD_PICTURE" and "a picture cannot be decoded". Static strings, never NULL. */
RES2NET_API const char *res2net_status_name(res2net_status status);
RES2NET_API const char *res2net_status_text(res2net_status status);

typedef struct res2net_problem {
    res2net_status status;
    const char *file; /* path or a name such as "<stdin>"; "" where there is none */
    int64_t offset;   /* byte in the file, or -1 */
    int64_t line;     /* 1-based line in the file, or -1 */
    int64_t column;   /* 1-based column in that line, or -1 */
    const char *text; /* what is wrong, what was expected, what to do; no newline at the end */
} res2net_problem;

typedef struct res2net_report res2net_report;

/* NULL when memory could not be had (every function then still works: a NULL report is allowed). */
RES2NET_API res2net_report *res2net_report_create(void);
RES2NET_API void res2net_report_destroy(res2net_report *report);
/* Forgets all problems. */
RES2NET_API void res2net_report_clear(res2net_report *report);
/* Problems held; at most 4096 are, the rest are counted by `res2net_report_dropped`. */
RES2NET_API size_t res2net_report_count(const res2net_report *report);
RES2NET_API size_t res2net_report_dropped(const res2net_report *report);
/* The problem number `index` < count. Valid until the report is cleared or destroyed. */
RES2NET_API const res2net_problem *res2net_report_problem(const res2net_report *report,
                                                          size_t index);

#ifdef __cplusplus
}
#endif
#endif
