/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's messages to systemd: sd_notify(3).
 *
 * The socket exists only while a test reads it: the daemon would block once an unread one is full.
 */
#include "mock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void mock_notify_open(struct mock *mock)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", mock->root);
	unlink(address.sun_path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	mock->notify = fd;
}

void mock_notify_close(struct mock *mock)
{
	if (mock->notify >= 0)
		close(mock->notify);
	mock->notify = -1;
}

/* The next message other than STATUS=. False: there was none in time. */
static bool next_message(const struct mock *mock, char *text, size_t size)
{
	int64_t deadline = mock_now_ms() + DEADLINE_MS;

	while (mock_wait_for(mock->notify, deadline)) {
		ssize_t n = recv(mock->notify, text, size - 1, 0);

		if (n < 0)
			continue;
		text[n] = '\0';
		if (strncmp(text, "STATUS=", strlen("STATUS=")) != 0)
			return true;
	}
	return false;
}

bool mock_notify_is_ready(const struct mock *mock)
{
	char text[1024];

	return next_message(mock, text, sizeof(text)) && strcmp(text, "READY=1") == 0;
}

bool mock_notify_is_announced(const struct mock *mock)
{
	char text[1024];

	return next_message(mock, text, sizeof(text)) && strcmp(text, "RELOADING=1") == 0;
}

void mock_reload_send(struct mock *mock)
{
	mock->hup_ms = mock_now_ms();
	mock_notify_open(mock);
	assert_int_equal(kill(mock->daemon, SIGHUP), 0);
}

/* systemd.service(5), Type=notify-reload: both in one message, the time of CLOCK_MONOTONIC. */
void mock_reload_begin(struct mock *mock)
{
	char text[1024];
	int64_t usec;

	assert_true(next_message(mock, text, sizeof(text)));
	if (sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &usec) != 1)
		fail_msg("not \"RELOADING=1\" but \"%s\"", text);
	assert_in_range(usec / 1000 / mock_speed(), mock->hup_ms, mock_now_ms());
}

void mock_reload_end(struct mock *mock)
{
	assert_true(mock_notify_is_ready(mock));
	mock_notify_close(mock);
}

void mock_reload(struct mock *mock)
{
	mock_reload_send(mock);
	mock_reload_begin(mock);
	mock_reload_end(mock);
}
