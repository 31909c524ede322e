/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stores to the machine's files: make them fail, compare them, wait for their entry in the state.
 */
#include "mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fault_path(const char *store, char path[MOCK_PATH])
{
	mock_path(path, "/faults/%s", store);
	*strrchr(path, '/') = ':';
}

void mock_fault(const struct mock *mock, const char *store, const char *words)
{
	char path[MOCK_PATH];

	fault_path(store, path);
	mock_put(mock, path, words);
}

unsigned int mock_faults_left(const struct mock *mock, const char *store)
{
	char path[MOCK_PATH], text[64];
	unsigned int left;

	fault_path(store, path);
	mock_read(mock, path, text, sizeof(text));
	assert_int_equal(sscanf(text, "%*s %u", &left), 1);
	return left;
}

void mock_fail(const struct mock *mock, const char *store, int error)
{
	char text[32];

	snprintf(text, sizeof(text), "%d\n", error);
	mock_fault(mock, store, text);
}

void mock_fail_times(const struct mock *mock, const char *store, int error, unsigned int times)
{
	char text[32];

	snprintf(text, sizeof(text), "%d %u\n", error, times);
	mock_fault(mock, store, text);
}

void mock_fail_then_hang(const struct mock *mock, const char *store, int error, unsigned int times)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %u hang\n", error, times);
	mock_fault(mock, store, text);
}

void mock_hang(const struct mock *mock, const char *store)
{
	mock_fault(mock, store, "hang\n");
}

void mock_expect_stores(const struct mock *mock, const char *among, const char *stores)
{
	static char all[65536], some[65536];
	size_t n = 0;

	mock_read(mock, "/stores", all, sizeof(all));
	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, among))
			n += (size_t)snprintf(some + n, sizeof(some) - n, "%s\n", line);
	some[n] = '\0';
	assert_string_equal(some, stores);
}

/* The decided devices; the list of those from before the first start precedes them in the file. */
static const char *devices_of(const char *state)
{
	return strstr(state, "\"devices\":[") ?: "";
}

static bool is_settled(const char *state, const void *userdata)
{
	(void)userdata;
	return !strstr(state, "\"result\":\"begun\"") && !strstr(state, "\"reconsider\":true");
}

static bool is_decided(const char *state, const void *userdata)
{
	char device[64];

	snprintf(device, sizeof(device), "\"chardev\":\"%s\"", (const char *)userdata);
	return strstr(devices_of(state), device) && is_settled(state, NULL);
}

/* How many events the daemon had received when it wrote the file. */
static uint64_t events_of(const char *state)
{
	static const char key[] = "\"events\":";
	const char *at = strstr(state, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool has_more_events(const char *state, const void *userdata)
{
	return events_of(state) > *(const uint64_t *)userdata;
}

void mock_await_look(const struct mock *mock)
{
	static char state[65536];
	uint64_t before;

	mock_read(mock, STATE, state, sizeof(state));
	before = events_of(state);
	mock_uevent(mock, MEMORY "/memory0", "add");
	mock_await(mock, STATE, has_more_events, &before);
}

void mock_await_decided(const struct mock *mock, const char *name)
{
	mock_await(mock, STATE, is_decided, name);
}

void mock_await_settled(const struct mock *mock)
{
	mock_await(mock, STATE, is_settled, NULL);
}
