/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy.
 *
 * The whole space of scenes is walked, carrier by driver by gate by place by blocks by fault,
 * and at each point the promises of policy.h and of the design's section 3 must hold; so no
 * combination is forgotten because nobody thought of it. A table then says in full what is
 * decided in the cases that the design names. Devices of several mappings are judged whole.
 */
#include "scene.h"

#include <string.h>

/* Each promise alone, so that a failure says which one was broken. */
#define promise(condition, scene, decision)                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s: " SCENE_FORMAT ": %s, %s", #condition, SCENE_ARGS(scene),    \
				verdict_to_string((decision).verdict),                             \
				reason_to_string((decision).reason));                              \
	} while (0)

static struct decision decide(const struct scene *scene)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	struct arrival arrival;

	scene_build(scene, &snapshot, &arrival);
	return policy_decide(&snapshot, &arrival);
}

static void check_total(const struct scene *s)
{
	struct decision d = decide(s);

	assert_in_range(d.verdict, 0, VERDICT_MAX - 1);
	assert_in_range(d.reason, 0, REASON_MAX - 1);
	assert_in_range(d.zone, 0, ZONE_MAX - 1);
	assert_in_range(d.source, 0, BOOT_SOURCE_MAX - 1);
	promise(d.reason != REASON_KERNEL_REFUSED, s, d);
	promise(s->dax ? d.verdict != VERDICT_OFFLINE : d.verdict != VERDICT_DEVDAX, s, d);
	promise((d.zone == ZONE_NONE) == (d.verdict != VERDICT_ONLINE), s, d);
	promise((d.source != BOOT_SOURCE_NONE) == (d.reason == REASON_IN_BOOT_MAP), s, d);
}

/* What TDX would refuse is never given to the page allocator. */
static void check_refused(const struct scene *s)
{
	struct decision d = decide(s);
	bool refuses = s->gate != GATE_ABSENT;

	if (refuses && s->place != PLACE_INSIDE)
		promise(d.verdict != VERDICT_ONLINE, s, d);
	if (d.verdict == VERDICT_ONLINE)
		promise(d.zone == (refuses ? ZONE_KERNEL : ZONE_AUTO), s, d);
	if (!refuses)
		promise(d.verdict != VERDICT_OFFLINE, s, d);
	if (!refuses && s->driver != DAX_DRIVER_DEVICE_DAX)
		promise(d.verdict != VERDICT_DEVDAX, s, d);
}

/* What is somebody else's stays as it is, and what is in doubt does too. */
static void check_left_alone(const struct scene *s)
{
	struct decision d = decide(s);

	if (s->carrier == CARRIER_PMEM)
		promise(d.verdict == VERDICT_IGNORE && d.reason == REASON_PERSISTENT_MEMORY, s, d);
	if (s->carrier == CARRIER_PMEM)
		return;
	if (s->driver == DAX_DRIVER_OTHER)
		promise(d.verdict == VERDICT_IGNORE && d.reason == REASON_FOREIGN_DRIVER, s, d);
	else if (s->driver == DAX_DRIVER_DEVICE_DAX)
		promise(d.verdict == VERDICT_DEVDAX && d.reason == REASON_ALREADY_DEVDAX, s, d);
	else if (s->fault != FAULT_NONE || s->presence == PRESENCE_ONE_UNREAD)
		promise(d.verdict == VERDICT_IGNORE, s, d);
	else if (s->dax && s->carrier == CARRIER_UNKNOWN)
		promise(d.verdict == VERDICT_IGNORE && d.reason == REASON_UNKNOWN_DEVICE, s, d);
	else if (s->gate != GATE_ABSENT && s->place == PLACE_UNKNOWN)
		promise(d.reason == REASON_BOOT_MAP_UNKNOWN, s, d);
}

/* kmem is unbound, which devdax means here, only while every block is offline. */
static void check_kmem(const struct scene *s)
{
	struct decision d = decide(s);
	bool all_offline = s->presence == PRESENCE_NONE || s->presence == PRESENCE_OFFLINE;

	if (s->driver == DAX_DRIVER_KMEM && !all_offline)
		promise(d.verdict != VERDICT_DEVDAX, s, d);
}

static void test_total(void **state)
{
	(void)state;
	scene_each(check_total);
}

static void test_refused(void **state)
{
	(void)state;
	scene_each(check_refused);
}

static void test_left_alone(void **state)
{
	(void)state;
	scene_each(check_left_alone);
}

static void test_kmem(void **state)
{
	(void)state;
	scene_each(check_kmem);
}

/* Short names for the table. */
enum {
	CXL = CARRIER_CXL,
	HMEM = CARRIER_HMEM,
	PMEM = CARRIER_PMEM,
	DIMM = CARRIER_DIMM,
	VIRTIO = CARRIER_VIRTIO_MEM,
	OTHER = CARRIER_UNKNOWN,
	BARE = DAX_DRIVER_NONE,
	KMEM = DAX_DRIVER_KMEM,
	DEVDAX = DAX_DRIVER_DEVICE_DAX,
	ABSENT = GATE_ABSENT,
	ARMED = GATE_ARMED,
	ACTIVE = GATE_ACTIVE,
	UNKNOWN = GATE_UNKNOWN,
	IN = PLACE_INSIDE,
	OUT = PLACE_OUTSIDE,
	PART = PLACE_STRADDLES,
	ACROSS = PLACE_ACROSS,
	NOMAP = PLACE_UNKNOWN,
	NONE = PRESENCE_NONE,
	OFF = PRESENCE_OFFLINE,
	ON = PRESENCE_ONLINE,
	ONE = PRESENCE_ONE_ONLINE,
};

static const struct {
	int carrier, dax, driver, gate, place, blocks;
	enum verdict verdict;
	enum reason reason;
} table[] = {
	/* cxl, hmem: inside the boot map or gate absent */
	{CXL, 1, BARE, ACTIVE, IN, NONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, KMEM, ACTIVE, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, KMEM, ARMED, IN, ON, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{HMEM, 1, BARE, UNKNOWN, IN, NONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, BARE, ABSENT, OUT, NONE, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{CXL, 1, KMEM, ABSENT, PART, ONE, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{HMEM, 1, BARE, ABSENT, NOMAP, NONE, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{HMEM, 1, KMEM, ABSENT, IN, OFF, VERDICT_ONLINE, REASON_GATE_ABSENT},
	/* cxl, hmem: outside or straddling */
	{CXL, 1, BARE, ACTIVE, OUT, NONE, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	{CXL, 1, BARE, ARMED, OUT, NONE, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	{CXL, 1, BARE, UNKNOWN, OUT, NONE, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	{CXL, 1, KMEM, ACTIVE, OUT, OFF, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	{CXL, 1, KMEM, ACTIVE, OUT, NONE, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	{HMEM, 1, BARE, ACTIVE, PART, NONE, VERDICT_DEVDAX, REASON_STRADDLES_BOOT_MAP},
	{HMEM, 1, KMEM, ACTIVE, ACROSS, OFF, VERDICT_DEVDAX, REASON_STRADDLES_BOOT_MAP},
	/* kmem is never unbound while one of its blocks is online */
	{CXL, 1, KMEM, ACTIVE, OUT, ON, VERDICT_IGNORE, REASON_ALREADY_ONLINE},
	{CXL, 1, KMEM, ACTIVE, PART, ONE, VERDICT_IGNORE, REASON_ALREADY_ONLINE},
	/* no boot map */
	{CXL, 1, BARE, ACTIVE, NOMAP, NONE, VERDICT_IGNORE, REASON_BOOT_MAP_UNKNOWN},
	{DIMM, 0, BARE, ACTIVE, NOMAP, OFF, VERDICT_OFFLINE, REASON_BOOT_MAP_UNKNOWN},
	/* devdax stays devdax */
	{CXL, 1, DEVDAX, ABSENT, OUT, NONE, VERDICT_DEVDAX, REASON_ALREADY_DEVDAX},
	{HMEM, 1, DEVDAX, ACTIVE, IN, NONE, VERDICT_DEVDAX, REASON_ALREADY_DEVDAX},
	/* pmem */
	{PMEM, 1, BARE, ABSENT, OUT, NONE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	{PMEM, 1, KMEM, ACTIVE, OUT, OFF, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	{PMEM, 1, DEVDAX, ACTIVE, IN, NONE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	/* dimm, virtio-mem, unknown */
	{DIMM, 0, BARE, ACTIVE, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{VIRTIO, 0, BARE, ARMED, IN, ONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{OTHER, 0, BARE, UNKNOWN, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{DIMM, 0, BARE, ABSENT, OUT, OFF, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{VIRTIO, 0, BARE, ABSENT, NOMAP, OFF, VERDICT_ONLINE, REASON_GATE_ABSENT},
	{DIMM, 0, BARE, ACTIVE, OUT, OFF, VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP},
	{VIRTIO, 0, BARE, UNKNOWN, OUT, OFF, VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP},
	{OTHER, 0, BARE, ARMED, PART, OFF, VERDICT_OFFLINE, REASON_STRADDLES_BOOT_MAP},
	{DIMM, 0, BARE, ACTIVE, ACROSS, OFF, VERDICT_OFFLINE, REASON_STRADDLES_BOOT_MAP},
	{DIMM, 0, BARE, ACTIVE, OUT, ON, VERDICT_IGNORE, REASON_ALREADY_ONLINE},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct scene scene = {
			.carrier = (enum carrier)table[i].carrier,
			.dax = table[i].dax,
			.driver = (enum dax_driver)table[i].driver,
			.gate = (enum gate_state)table[i].gate,
			.place = (enum place)table[i].place,
			.presence = (enum presence)table[i].blocks,
		};
		struct decision d = decide(&scene);

		if (d.verdict != table[i].verdict || d.reason != table[i].reason)
			fail_msg("row %zu: %s, %s", i, verdict_to_string(d.verdict),
				reason_to_string(d.reason));
	}
}

/* Firmware may call soft reserved memory RAM; a dax device is not, all the same. */
static void test_firmware_calls_dax_ram(void **state)
{
	struct scene scene = {
		.carrier = CARRIER_HMEM, .dax = true, .gate = GATE_ACTIVE, .place = PLACE_OUTSIDE};
	struct snapshot snapshot;
	struct arrival arrival;
	struct decision d;

	(void)state;
	scene_build(&scene, &snapshot, &arrival);
	add_region(&snapshot, arrival.range, BOOT_SOURCE_BOOT_PARAMS);
	d = policy_decide(&snapshot, &arrival);
	assert_int_equal(d.verdict, VERDICT_DEVDAX);
	assert_int_equal(d.reason, REASON_OUTSIDE_BOOT_MAP);
	snapshot_done(&snapshot);
}

/* A device of two mappings of 1 GiB, each in the boot map or not; the gate is active. */
static void build_two(struct snapshot *snapshot, struct arrival two[2], unsigned int inside)
{
	struct dax_device *dax;

	*snapshot = (struct snapshot){.block_size = BLOCK, .gate.state = GATE_ACTIVE};
	snapshot->boot_map.known = true;
	dax = add_dax(snapshot, "dax0.0", CARRIER_CXL);
	dax->driver = DAX_DRIVER_KMEM;
	for (unsigned int i = 0; i < 2; i++) {
		struct range range = span((8 + 8 * i) * GIB, (9 + 8 * i) * GIB);

		add_mapping(dax, range);
		if (inside & 1U << i)
			add_region(snapshot, range, BOOT_SOURCE_CONFIGURATION);
		two[i] = (struct arrival){.range = range,
			.size = GIB,
			.carrier = CARRIER_CXL,
			.device = "dax0.0",
			.node = 1,
			.driver = DAX_DRIVER_KMEM};
	}
}

static void test_two_mappings(void **state)
{
	(void)state;
	for (unsigned int inside = 0; inside < 4; inside++) {
		CLEANUP(snapshot_done) struct snapshot snapshot;
		struct arrival two[2];

		build_two(&snapshot, two, inside);
		for (unsigned int i = 0; i < 2; i++) {
			struct decision d = policy_decide(&snapshot, &two[i]);
			bool mine = inside & 1U << i;

			assert_int_equal(d.verdict, inside == 3 ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason, inside == 3 ? REASON_IN_BOOT_MAP
						   : mine      ? REASON_STRADDLES_BOOT_MAP
							       : REASON_OUTSIDE_BOOT_MAP);
		}
		/* One online block anywhere keeps kmem on all of the device. */
		add_blocks(&snapshot, span(16 * GIB, 16 * GIB + BLOCK), BLOCK_ONLINE);
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(policy_decide(&snapshot, &two[i]).verdict,
				inside == 3 ? VERDICT_ONLINE : VERDICT_IGNORE);
	}
}

/* kmem needs one whole block in any of the mappings, the first or the last. */
static void test_too_small(void **state)
{
	for (unsigned int big = 0; big < 3; big++) {
		CLEANUP(snapshot_done)
		struct snapshot snapshot = {.block_size = BLOCK, .boot_map.known = true};
		struct dax_device *dax = add_dax(&snapshot, "dax0.0", CARRIER_HMEM);
		struct arrival arrival = {.range = {MIB, BLOCK},
			.size = BLOCK - MIB,
			.carrier = CARRIER_HMEM,
			.device = "dax0.0"};

		(void)state;
		if (big == 2)
			add_mapping(dax, span(2 * BLOCK, 3 * BLOCK));
		add_mapping(dax, arrival.range);
		if (big == 1)
			add_mapping(dax, span(2 * BLOCK, 3 * BLOCK));
		for (enum gate_state gate = 0; gate < GATE_STATE_MAX; gate++) {
			struct decision d;

			snapshot.gate.state = gate;
			d = policy_decide(&snapshot, &arrival);
			assert_int_equal(d.verdict,
				big && gate == GATE_ABSENT ? VERDICT_ONLINE : VERDICT_DEVDAX);
			assert_int_equal(d.reason == REASON_TOO_SMALL, !big);
		}
	}
}

/* CapableRanges= counts without a boot map, and is named as what the decision rests on. */
static void test_capable(void **state)
{
	for (int known = 0; known < 2; known++) {
		CLEANUP(snapshot_done)
		struct snapshot snapshot = {
			.block_size = BLOCK, .gate.state = GATE_ACTIVE, .boot_map.known = known};
		const struct arrival dimm = {
			.range = {8 * GIB, 9 * GIB}, .size = GIB, .carrier = CARRIER_DIMM};
		struct decision d;

		(void)state;
		add_region(&snapshot, span(8 * GIB, 10 * GIB), BOOT_SOURCE_CONFIGURATION);
		d = policy_decide(&snapshot, &dimm);
		assert_int_equal(d.verdict, VERDICT_ONLINE);
		assert_int_equal(d.reason, REASON_IN_BOOT_MAP);
		assert_int_equal(d.source, BOOT_SOURCE_CONFIGURATION);
	}
}

/* A device that lies elsewhere by now does not vouch for the range that it had. */
static void test_moved_device(void **state)
{
	CLEANUP(snapshot_done) struct snapshot snapshot;
	struct arrival two[2];

	(void)state;
	build_two(&snapshot, two, 3);
	two[0].range = span(64 * GIB, 65 * GIB);
	assert_int_not_equal(policy_decide(&snapshot, &two[0]).verdict, VERDICT_ONLINE);
}

static void test_kernel_refused(void **state)
{
	static const struct arrival dax = {.device = "dax0.0"}, dimm = {.carrier = CARRIER_DIMM};
	const struct decision of_dax = policy_refused(&dax), of_dimm = policy_refused(&dimm);

	(void)state;
	assert_int_equal(of_dax.verdict, VERDICT_DEVDAX);
	assert_int_equal(of_dimm.verdict, VERDICT_OFFLINE);
	assert_int_equal(of_dax.reason, REASON_KERNEL_REFUSED);
	assert_int_equal(of_dimm.reason, REASON_KERNEL_REFUSED);
	assert_int_equal(of_dax.zone, ZONE_NONE);
}

static void test_names(void **state)
{
	(void)state;
	for (enum reason r = 0; r < REASON_MAX; r++) {
		const char *name = reason_to_string(r);

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_true(strlen(reason_explain(r)) > 0);
		for (enum reason other = 0; other < r; other++)
			assert_string_not_equal(name, reason_to_string(other));
	}
	assert_string_equal(verdict_to_string(VERDICT_ONLINE), "online");
	assert_string_equal(verdict_to_string(VERDICT_DEVDAX), "devdax");
	assert_string_equal(verdict_to_string(VERDICT_OFFLINE), "offline");
	assert_string_equal(verdict_to_string(VERDICT_IGNORE), "ignore");
	assert_null(zone_to_string(ZONE_NONE));
	assert_string_equal(zone_to_string(ZONE_KERNEL), "kernel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_kmem),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_firmware_calls_dax_ram),
		cmocka_unit_test(test_two_mappings),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_capable),
		cmocka_unit_test(test_moved_device),
		cmocka_unit_test(test_kernel_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
