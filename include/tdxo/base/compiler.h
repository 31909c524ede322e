/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few words of the compiler that every room uses.
 */
#pragma once

#define MUST_CHECK   __attribute__((warn_unused_result))
#define CLEANUP(fn)  __attribute__((cleanup(fn)))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
