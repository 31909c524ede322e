/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: another program sets a switch between two reads by the daemon. A shell's "echo online
 * >FILE" makes this likely: the file is truncated first, which causes an event, and the value is
 * written after that.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/actuator/guard.h"
#include "daemon/host/sysfs.h"

#define OTHER "online_movable"

/*
 * The two switches. The other program sets the second one after `set_after` reads of it; 0: never.
 */
static struct {
	char values[GUARD_SWITCHES][GUARD_VALUE];
	unsigned int reads;
	unsigned int set_after;
} machine;

static char *value_of(const char *path)
{
	enum guard_switch i =
		strcmp(path, guard_switch_path(GUARD_DAX)) == 0 ? GUARD_DAX : GUARD_AUTO_ONLINE;

	assert_string_equal(path, guard_switch_path(i));
	return machine.values[i];
}

int __wrap_sysfs_read(const char *path, char *text, size_t size);
int __wrap_sysfs_write(const char *path, const char *text);

int __wrap_sysfs_read(const char *path, char *text, size_t size)
{
	char *value = value_of(path);

	snprintf(text, size, "%s", value);
	if (value == machine.values[GUARD_AUTO_ONLINE] && ++machine.reads == machine.set_after)
		snprintf(value, GUARD_VALUE, OTHER);
	return 0;
}

int __wrap_sysfs_write(const char *path, const char *text)
{
	snprintf(value_of(path), GUARD_VALUE, "%s", text);
	return 0;
}

static void set(const char *autoprobe, const char *auto_online)
{
	memset(&machine, 0, sizeof(machine));
	snprintf(machine.values[GUARD_DAX], GUARD_VALUE, "%s", autoprobe);
	snprintf(machine.values[GUARD_AUTO_ONLINE], GUARD_VALUE, "%s", auto_online);
}

/* After each of the first reads: this check or the next one reports that the guard has fallen. */
static void test_set_between_reads(void **state)
{
	(void)state;
	for (unsigned int after = 1; after <= 4; after++) {
		struct guard guard = {0};
		bool fallen = false;

		set("1", "online");
		guard_want(&guard, 1U << GUARD_DAX | 1U << GUARD_AUTO_ONLINE);
		assert_false(guard_remember(&guard));
		guard_take(&guard, true);
		assert_true(guard_is_up(&guard));
		machine.reads = 0;
		machine.set_after = after;
		for (int check = 0; check < 5; check++) {
			fallen |= guard_has_fallen(&guard);
			guard_take(&guard, true);
		}
		assert_true(fallen);
		assert_string_equal(guard.was[GUARD_AUTO_ONLINE], OTHER);
		assert_true(guard_is_up(&guard));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_between_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
