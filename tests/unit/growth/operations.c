/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Count operations. gcc and clang call __sanitizer_cov_trace_pc() at the start of each basic block
 * (-fsanitize-coverage=trace-pc), and the linker replaces NAME() by __wrap_NAME().
 *
 * A call of a C library function counts as the number of bytes that it reads or moves, according to
 * its result or to the length of its input. sscanf() takes the length of its whole text first.
 */
#include "tests/unit/growth/operations.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t operations;
static bool counting;

void operations_begin(void)
{
	operations = 0;
	counting = true;
}

uint64_t operations_end(void)
{
	counting = false;
	return operations;
}

static void count(size_t n)
{
	if (counting)
		operations += n;
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	count(1);
}

/* Declare the real function, and begin its wrapper. */
#define WRAP(type, name, ...)                                                                      \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

WRAP(void *, memcpy, void *to, const void *from, size_t n)
{
	count(n);
	return __real_memcpy(to, from, n);
}

WRAP(void *, memmove, void *to, const void *from, size_t n)
{
	count(n);
	return __real_memmove(to, from, n);
}

/* Each call may copy the array. */
WRAP(void *, reallocarray, void *array, size_t n, size_t size)
{
	count(n * size);
	return __real_reallocarray(array, n, size);
}

static void count_up_to(const void *start, const void *found, size_t n)
{
	count(found ? (size_t)((const char *)found - (const char *)start) : n);
}

WRAP(void *, memchr, const void *bytes, int byte, size_t n)
{
	void *found = __real_memchr(bytes, byte, n);

	count_up_to(bytes, found, n);
	return found;
}

WRAP(void *, memmem, const void *bytes, size_t n, const void *part, size_t size)
{
	void *found = __real_memmem(bytes, n, part, size);

	count_up_to(bytes, found, n);
	return found;
}

WRAP(char *, strchr, const char *text, int c)
{
	char *found = __real_strchr(text, c);

	count_up_to(text, found, found ? 0 : strlen(text));
	return found;
}

WRAP(char *, strstr, const char *text, const char *part)
{
	char *found = __real_strstr(text, part);

	count_up_to(text, found, found ? 0 : strlen(text));
	return found;
}

WRAP(size_t, strlen, const char *text)
{
	size_t n = __real_strlen(text);

	count(n);
	return n;
}

WRAP(size_t, strspn, const char *text, const char *accept)
{
	size_t n = __real_strspn(text, accept);

	count(n);
	return n;
}

WRAP(size_t, strcspn, const char *text, const char *reject)
{
	size_t n = __real_strcspn(text, reject);

	count(n);
	return n;
}

static void count_common(const char *a, const char *b, size_t most)
{
	size_t n = 0;

	while (n < most && a[n] && a[n] == b[n])
		n++;
	count(n);
}

WRAP(int, strcmp, const char *a, const char *b)
{
	count_common(a, b, SIZE_MAX);
	return __real_strcmp(a, b);
}

WRAP(int, strncmp, const char *a, const char *b, size_t n)
{
	count_common(a, b, n);
	return __real_strncmp(a, b, n);
}

WRAP(int, fnmatch, const char *pattern, const char *text, int flags)
{
	count(strlen(pattern) + strlen(text));
	return __real_fnmatch(pattern, text, flags);
}

WRAP(int, vsnprintf, char *buf, size_t size, const char *format, va_list args)
{
	int n = __real_vsnprintf(buf, size, format, args);

	count((size_t)n);
	return n;
}

/* Functions with an ellipsis call the variant with a va_list. */
#define WRAP_ELLIPSIS(name, attribute, call, ...)                                                  \
	attribute int __wrap_##name(__VA_ARGS__, ...);                                             \
	int __wrap_##name(__VA_ARGS__, ...)                                                        \
	{                                                                                          \
		va_list args;                                                                      \
		int n;                                                                             \
                                                                                                   \
		va_start(args, format);                                                            \
		n = call;                                                                          \
		va_end(args);                                                                      \
		return n;                                                                          \
	}

__attribute__((format(scanf, 2, 0))) static int scan(
	const char *text, const char *format, va_list args)
{
	count(strlen(text));
	return vsscanf(text, format, args);
}

WRAP_ELLIPSIS(snprintf, __attribute__((format(printf, 3, 4))),
	__wrap_vsnprintf(buf, size, format, args), char *buf, size_t size, const char *format)
WRAP_ELLIPSIS(__isoc99_sscanf, __attribute__((format(scanf, 2, 3))), scan(text, format, args),
	const char *text, const char *format)
WRAP_ELLIPSIS(__isoc23_sscanf, __attribute__((format(scanf, 2, 3))), scan(text, format, args),
	const char *text, const char *format)
