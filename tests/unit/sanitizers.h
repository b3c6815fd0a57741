/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a sanitizer slows this build down (and keeps freed memory). */
#ifndef R2N_TESTS_SANITIZERS_H
#define R2N_TESTS_SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define R2N_THREAD_SANITIZED 1
#elif __has_feature(address_sanitizer)
#define R2N_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define R2N_THREAD_SANITIZED 1
#elif defined(__SANITIZE_ADDRESS__)
#define R2N_SANITIZED 1
#endif

#if defined(R2N_THREAD_SANITIZED)
#define R2N_SANITIZED 1
#else
#define R2N_THREAD_SANITIZED 0
#endif
#if !defined(R2N_SANITIZED)
#define R2N_SANITIZED 0
#endif

#endif
