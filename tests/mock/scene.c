/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenes: how most tests begin and end.
 */
#include "mock.h"

void mock_start_in(struct mock *mock, const char *tdx)
{
	mock_start(mock);
	mock_expect_tdx(mock, tdx);
}

void mock_start_absent(struct mock *mock)
{
	mock_start_in(mock, "absent");
	mock_expect_line(mock, NOTHING);
}

void mock_make_active(const struct mock *mock)
{
	mock_set_tdx_flag(mock);
	mock_set_tdx_parameter(mock, 'Y');
}

void mock_start_active(struct mock *mock)
{
	mock_make_active(mock);
	mock_start_in(mock, "active");
	mock_expect_line(mock, NOTHING);
}

void mock_end_absent(struct mock *mock)
{
	assert_true(mock_is_alive(mock));
	mock_add_blocks(mock, 40, 1, "offline");
	mock_expect_record(mock,
		&(struct mock_record){5 * GIB, BLOCK, "online as system RAM (1 of 1 memory blocks",
			"tdx-absent", "absent", NULL});
	mock_stop(mock);
	mock_expect_silence(mock);
	mock_expect_blocks(mock, 40, 1, "online");
}

void mock_end_active(struct mock *mock)
{
	assert_true(mock_is_alive(mock));
	mock_add_dax(mock, "dax9.0", 16 * GIB, GIB, 1);
	mock_uevent_dax(mock, "dax9.0", "add");
	mock_expect_record(mock, &(struct mock_record){16 * GIB, GIB, "kept out of system RAM",
					 "outside-boot-map", "active", "], region9, "});
	mock_await_decided(mock, "dax9.0");
	mock_stop(mock);
	mock_expect_silence(mock);
}
