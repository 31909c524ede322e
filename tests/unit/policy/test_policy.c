/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy: tables of the cases in the design, with and without rules, and the decision after a
 * failure. Bounds and sizes are in test_policy_bounds.c, and test_policy_space.c checks the whole
 * space of scenes.
 */
#include "tests/unit/scene.h"

#include <errno.h>

static struct decision decide(const struct scene *scene)
{
	struct stage stage = {0};
	struct decision decision;

	stage_set(&stage, scene);
	decision = stage_decide(&stage);
	stage_done(&stage);
	return decision;
}

/* Short names for the table. */
enum {
	CXL = TYPE_CXL,
	HMEM = TYPE_HMEM,
	PMEM = TYPE_PMEM,
	DIMM = TYPE_DIMM,
	VIRTIO = TYPE_VIRTIO_MEM,
	OTHER = TYPE_UNKNOWN,
	BARE = DAX_DRIVER_NONE,
	KMEM = DAX_DRIVER_KMEM,
	DEVDAX = DAX_DRIVER_DEVICE_DAX,
	ABSENT = TDX_ABSENT,
	ARMED = TDX_ARMED,
	ACTIVE = TDX_ACTIVE,
	UNKNOWN = TDX_UNKNOWN,
	IN = PLACE_INSIDE,
	OUT = PLACE_OUTSIDE,
	PART = PLACE_STRADDLES,
	ACROSS = PLACE_ACROSS,
	NOMAP = PLACE_UNKNOWN,
	NONE = PRESENCE_NONE,
	OFF = PRESENCE_OFFLINE,
	ON = PRESENCE_ONLINE,
	ONE = PRESENCE_ONE_ONLINE,
	FAMFS = DAX_DRIVER_FSDEV,
};

static const struct {
	unsigned int type, dax, driver, tdx, place, blocks;
	enum verdict verdict;
	enum reason reason;
} table[] = {
	/* cxl, hmem: inside the boot map, or TDX absent */
	{CXL, 1, BARE, ACTIVE, IN, NONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, KMEM, ACTIVE, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, KMEM, ARMED, IN, ON, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{HMEM, 1, BARE, UNKNOWN, IN, NONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{CXL, 1, BARE, ABSENT, OUT, NONE, VERDICT_ONLINE, REASON_TDX_ABSENT},
	{CXL, 1, KMEM, ABSENT, PART, ONE, VERDICT_ONLINE, REASON_TDX_ABSENT},
	{HMEM, 1, BARE, ABSENT, NOMAP, NONE, VERDICT_ONLINE, REASON_TDX_ABSENT},
	{HMEM, 1, KMEM, ABSENT, IN, OFF, VERDICT_ONLINE, REASON_TDX_ABSENT},
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
	/* a devdax device stays as it is */
	{CXL, 1, DEVDAX, ABSENT, OUT, NONE, VERDICT_DEVDAX, REASON_ALREADY_DEVDAX},
	{HMEM, 1, DEVDAX, ACTIVE, IN, NONE, VERDICT_DEVDAX, REASON_ALREADY_DEVDAX},
	/* famfs and unknown drivers */
	{CXL, 1, FAMFS, ABSENT, OUT, NONE, VERDICT_IGNORE, REASON_FAMFS},
	{CXL, 1, FAMFS, ACTIVE, IN, NONE, VERDICT_IGNORE, REASON_FAMFS},
	{HMEM, 1, DAX_DRIVER_OTHER, ABSENT, IN, NONE, VERDICT_IGNORE, REASON_FOREIGN_DRIVER},
	/* pmem */
	{PMEM, 1, BARE, ABSENT, OUT, NONE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	{PMEM, 1, KMEM, ACTIVE, OUT, OFF, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	{PMEM, 1, DEVDAX, ACTIVE, IN, NONE, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	/* dimm, virtio-mem, unknown */
	{DIMM, 0, BARE, ACTIVE, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{VIRTIO, 0, BARE, ARMED, IN, ONE, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{OTHER, 0, BARE, UNKNOWN, IN, OFF, VERDICT_ONLINE, REASON_IN_BOOT_MAP},
	{DIMM, 0, BARE, ABSENT, OUT, OFF, VERDICT_ONLINE, REASON_TDX_ABSENT},
	{VIRTIO, 0, BARE, ABSENT, NOMAP, OFF, VERDICT_ONLINE, REASON_TDX_ABSENT},
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
			.type = table[i].type,
			.dax = table[i].dax,
			.driver = table[i].driver,
			.tdx = table[i].tdx,
			.place = table[i].place,
			.presence = table[i].blocks,
		};
		struct decision d = decide(&scene);

		if (d.verdict != table[i].verdict || d.reason != table[i].reason)
			fail_msg("row %zu: %s, %s", i, verdict_to_string(d.verdict),
				reason_to_string(d.reason));
	}
}

enum {
	UNUSED = DEVDAX_UNUSED,
	USED = DEVDAX_IN_USE,
	USE_UNKNOWN = DEVDAX_USE_UNKNOWN,
	NOTHING = ASKS_NO_VERDICT,
	CONVERT = 1,
	OFFLINE = 2,
};

/* The decision on a cxl device or a DIMM with a rule. */
static const struct {
	unsigned int dax, driver, tdx, place, blocks, use;
	unsigned int asks, may;
	enum verdict verdict;
	enum reason reason;
	bool overruled;
} ruled[] = {
	/* stricter than the TDX state */
	{1, BARE, ABSENT, OUT, NONE, 0, ASKS(DEVDAX), 0, VERDICT_DEVDAX, REASON_RULE, false},
	{1, KMEM, ACTIVE, IN, OFF, 0, ASKS(DEVDAX), 0, VERDICT_DEVDAX, REASON_RULE, false},
	{1, KMEM, ACTIVE, IN, OFF, 0, ASKS(OFFLINE), 0, VERDICT_OFFLINE, REASON_RULE, false},
	{1, BARE, ACTIVE, OUT, NONE, 0, ASKS(IGNORE), 0, VERDICT_IGNORE, REASON_RULE, false},
	{0, BARE, ABSENT, OUT, OFF, 0, ASKS(OFFLINE), 0, VERDICT_OFFLINE, REASON_RULE, false},
	{1, BARE, ACTIVE, NOMAP, NONE, 0, ASKS(DEVDAX), 0, VERDICT_DEVDAX, REASON_RULE, false},
	/* memory without a dax device cannot be devdax */
	{0, BARE, ACTIVE, IN, OFF, 0, ASKS(DEVDAX), 0, VERDICT_OFFLINE, REASON_RULE, false},
	{0, BARE, ACTIVE, OUT, OFF, 0, ASKS(DEVDAX), 0, VERDICT_OFFLINE, REASON_OUTSIDE_BOOT_MAP,
		false},
	/* a rule cannot online what TDX refuses */
	{1, BARE, ACTIVE, OUT, NONE, 0, ASKS(ONLINE), 0, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP,
		true},
	{0, BARE, ARMED, PART, OFF, 0, ASKS(ONLINE), 0, VERDICT_OFFLINE, REASON_STRADDLES_BOOT_MAP,
		true},
	{1, BARE, UNKNOWN, NOMAP, NONE, 0, ASKS(ONLINE), 0, VERDICT_IGNORE, REASON_BOOT_MAP_UNKNOWN,
		true},
	{1, FAMFS, ABSENT, IN, NONE, 0, ASKS(DEVDAX), CONVERT | OFFLINE, VERDICT_IGNORE,
		REASON_FAMFS, true},
	/* the rule requires the verdict of the facts, which are the reason */
	{1, BARE, ACTIVE, IN, NONE, 0, ASKS(ONLINE), 0, VERDICT_ONLINE, REASON_IN_BOOT_MAP, false},
	{1, BARE, ACTIVE, OUT, NONE, 0, ASKS(DEVDAX), 0, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP,
		false},
	/* a devdax device */
	{1, DEVDAX, ABSENT, OUT, NONE, UNUSED, ASKS(ONLINE), 0, VERDICT_DEVDAX,
		REASON_ALREADY_DEVDAX, true},
	{1, DEVDAX, ABSENT, OUT, NONE, UNUSED, ASKS(ONLINE), CONVERT, VERDICT_ONLINE,
		REASON_TDX_ABSENT, false},
	{1, DEVDAX, ACTIVE, IN, NONE, UNUSED, NOTHING, CONVERT, VERDICT_ONLINE, REASON_IN_BOOT_MAP,
		false},
	{1, DEVDAX, ACTIVE, OUT, NONE, UNUSED, ASKS(ONLINE), CONVERT, VERDICT_DEVDAX,
		REASON_OUTSIDE_BOOT_MAP, true},
	{1, DEVDAX, ABSENT, OUT, NONE, USED, ASKS(ONLINE), CONVERT, VERDICT_DEVDAX, REASON_IN_USE,
		true},
	{1, DEVDAX, ABSENT, OUT, NONE, USE_UNKNOWN, NOTHING, CONVERT, VERDICT_DEVDAX, REASON_IN_USE,
		false},
	/* online blocks */
	{1, KMEM, ACTIVE, OUT, ON, 0, ASKS(DEVDAX), 0, VERDICT_IGNORE, REASON_ALREADY_ONLINE, true},
	{1, KMEM, ABSENT, OUT, ONE, 0, ASKS(DEVDAX), 0, VERDICT_IGNORE, REASON_ALREADY_ONLINE,
		true},
	{1, KMEM, ABSENT, OUT, ON, 0, ASKS(DEVDAX), OFFLINE, VERDICT_DEVDAX, REASON_RULE, false},
	{1, KMEM, ACTIVE, OUT, ON, 0, NOTHING, OFFLINE, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP,
		false},
	{1, KMEM, ACTIVE, IN, ON, 0, NOTHING, OFFLINE, VERDICT_ONLINE, REASON_IN_BOOT_MAP, false},
	{0, BARE, ACTIVE, PART, ON, 0, ASKS(DEVDAX), OFFLINE, VERDICT_OFFLINE,
		REASON_STRADDLES_BOOT_MAP, false},
	{0, BARE, ABSENT, OUT, ON, 0, ASKS(OFFLINE), OFFLINE, VERDICT_OFFLINE, REASON_RULE, false},
	{0, BARE, ABSENT, OUT, ON, 0, ASKS(OFFLINE), 0, VERDICT_IGNORE, REASON_ALREADY_ONLINE,
		true},
	{1, KMEM, ABSENT, OUT, ON, 0, ASKS(IGNORE), 0, VERDICT_IGNORE, REASON_RULE, false},
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ruled); i++) {
		const struct scene scene = {
			.type = ruled[i].dax ? TYPE_CXL : TYPE_DIMM,
			.dax = ruled[i].dax,
			.driver = ruled[i].driver,
			.tdx = ruled[i].tdx,
			.place = ruled[i].place,
			.presence = ruled[i].blocks,
			.use = ruled[i].use,
			.asks = ruled[i].asks,
			.convert = !!(ruled[i].may & CONVERT),
			.offline = !!(ruled[i].may & OFFLINE),
			.on_failure = ON_FAILURE_KEEP,
		};
		struct decision d = decide(&scene);

		if (d.verdict != ruled[i].verdict || d.reason != ruled[i].reason ||
			d.overruled != ruled[i].overruled)
			fail_msg("row %zu: %s, %s, %d", i, verdict_to_string(d.verdict),
				reason_to_string(d.reason), d.overruled);
		assert_string_equal(d.rule, "10-it.rule");
		assert_false(d.unmatched);
		assert_int_equal(d.on_failure, ON_FAILURE_KEEP);
		if (d.overruled)
			assert_int_equal(d.asked, ruled[i].asks - ASKS_VERDICT);
	}
}

/* Devices that are not fully known or belong to others, and what a rule can require for them. */
static const struct {
	struct scene scene;
	enum verdict verdict;
	enum reason reason;
	bool overruled;
} uncertain[] = {
	{{.type = CXL, .dax = 1, .fault = FAULT_UNREADABLE}, VERDICT_IGNORE, REASON_UNREADABLE,
		false},
	{{.type = CXL, .dax = 1, .presence = PRESENCE_ONE_UNREAD, .asks = ASKS(DEVDAX)},
		VERDICT_IGNORE, REASON_UNREADABLE, true},
	{{.type = CXL, .dax = 1, .second = SECOND_ONE_UNREAD}, VERDICT_IGNORE, REASON_UNREADABLE,
		false},
	{{.type = CXL, .dax = 1, .fault = FAULT_NO_NODE}, VERDICT_IGNORE, REASON_NO_TARGET_NODE,
		false},
	{{.type = CXL, .dax = 1, .fault = FAULT_NO_NODE, .asks = ASKS(DEVDAX)}, VERDICT_DEVDAX,
		REASON_RULE, false},
	{{.type = OTHER, .dax = 1}, VERDICT_IGNORE, REASON_UNKNOWN_DEVICE, false},
	{{.type = OTHER, .dax = 1, .asks = ASKS(DEVDAX)}, VERDICT_DEVDAX, REASON_RULE, false},
	{{.type = CXL, .dax = 1, .presence = PRESENCE_TOO_SMALL, .asks = ASKS(OFFLINE)},
		VERDICT_OFFLINE, REASON_RULE, false},
	/* a devdax device stays as it is in spite of unknown facts; a rule may leave it alone */
	{{.type = CXL, .dax = 1, .driver = DEVDAX, .fault = FAULT_UNREADABLE}, VERDICT_DEVDAX,
		REASON_ALREADY_DEVDAX, false},
	{{.type = CXL, .dax = 1, .driver = DEVDAX, .asks = ASKS(IGNORE)}, VERDICT_IGNORE,
		REASON_RULE, false},
	{{.type = CXL, .dax = 1, .driver = DEVDAX, .convert = 1, .asks = ASKS(IGNORE)},
		VERDICT_IGNORE, REASON_RULE, false},
	{{.type = PMEM, .dax = 1, .driver = FAMFS, .asks = ASKS(DEVDAX)}, VERDICT_IGNORE,
		REASON_PERSISTENT_MEMORY, true},
	/* a device that firmware lists as RAM was not RAM at boot */
	{{.type = CXL, .dax = 1, .tdx = ACTIVE, .place = PLACE_CLAIMED}, VERDICT_DEVDAX,
		REASON_OUTSIDE_BOOT_MAP, false},
	/* of two obstacles the first is the reason */
	{{.type = CXL,
		 .dax = 1,
		 .driver = DEVDAX,
		 .fault = FAULT_UNREADABLE,
		 .convert = 1,
		 .asks = NOTHING},
		VERDICT_DEVDAX, REASON_IN_USE, false},
	{{.type = CXL, .dax = 1, .fault = FAULT_BOTH, .asks = ASKS(DEVDAX)}, VERDICT_IGNORE,
		REASON_UNREADABLE, true},
	{{.type = OTHER, .dax = 1, .fault = FAULT_NO_NODE}, VERDICT_IGNORE, REASON_NO_TARGET_NODE,
		false},
	/* without a dax device devdax means offline; the overruled verdict is devdax */
	{{.type = DIMM, .place = IN, .tdx = ACTIVE, .presence = ON, .asks = ASKS(DEVDAX)},
		VERDICT_IGNORE, REASON_ALREADY_ONLINE, true},
	{{.type = DIMM, .presence = PRESENCE_ONE_UNREAD, .asks = ASKS(DEVDAX)}, VERDICT_IGNORE,
		REASON_UNREADABLE, true},
	/* kmem has allocated its page metadata already */
	{{.type = CXL, .dax = 1, .driver = KMEM, .presence = OFF, .head = HEAD_NONE},
		VERDICT_ONLINE, REASON_TDX_ABSENT, false},
	/* not devdax, because one block is online */
	{{.type = CXL, .dax = 1, .second = SECOND_ONE_ONLINE, .head = HEAD_DEVDAX}, VERDICT_IGNORE,
		REASON_NO_HEAD_ROOM, false},
};

static void test_uncertain(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uncertain); i++) {
		struct decision d = decide(&uncertain[i].scene);

		if (d.verdict != uncertain[i].verdict || d.reason != uncertain[i].reason ||
			d.overruled != uncertain[i].overruled)
			fail_msg("row %zu: %s, %s, %d", i, verdict_to_string(d.verdict),
				reason_to_string(d.reason), d.overruled);
		if (d.overruled)
			assert_int_equal(d.asked, uncertain[i].scene.asks - ASKS_VERDICT);
	}
}

/* A DIMM that goes online. */
static void test_zone(void **state)
{
	static const struct {
		struct scene scene;
		enum zone zone;
		bool overruled;
	} rows[] = {
		{{.tdx = ABSENT}, ZONE_AUTO, false},
		{{.tdx = ACTIVE}, ZONE_KERNEL, false},
		{{.tdx = UNKNOWN}, ZONE_KERNEL, false},
		{{.tdx = ACTIVE, .asks = NOTHING, .zone = ZONE_AUTO}, ZONE_AUTO, false},
		{{.tdx = ABSENT, .asks = NOTHING, .zone = ZONE_KERNEL}, ZONE_KERNEL, false},
		{{.tdx = ABSENT, .asks = NOTHING, .zone = ZONE_MOVABLE, .head = HEAD_PLENTY},
			ZONE_MOVABLE, false},
		{{.tdx = ACTIVE,
			 .asks = NOTHING,
			 .zone = ZONE_MOVABLE,
			 .head = HEAD_PLENTY,
			 .ratio = RATIO_OWN},
			ZONE_MOVABLE, false},
		{{.tdx = ABSENT,
			 .asks = NOTHING,
			 .zone = ZONE_MOVABLE,
			 .head = HEAD_PLENTY,
			 .ratio = RATIO_NO_ADVICE},
			ZONE_AUTO, true},
		{{.tdx = ACTIVE,
			 .asks = NOTHING,
			 .zone = ZONE_MOVABLE,
			 .head = HEAD_PLENTY,
			 .ratio = RATIO_NOT_OWN},
			ZONE_KERNEL, true},
		{{.tdx = ABSENT, .asks = NOTHING, .zone = ZONE_MOVABLE}, ZONE_AUTO, true},
		{{.tdx = ABSENT, .asks = ASKS_NO_MATCH, .zone = ZONE_MOVABLE}, ZONE_AUTO, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scene scene = rows[i].scene;
		struct decision d;

		scene.type = DIMM;
		scene.place = IN;
		d = decide(&scene);
		if (d.zone != rows[i].zone || d.zone_overruled != rows[i].overruled)
			fail_msg("row %zu: %s, %d", i, zone_to_string(d.zone), d.zone_overruled);
		assert_int_equal(
			d.source, scene.tdx == ABSENT ? BOOT_SOURCE_NONE : BOOT_SOURCE_BOOT_PARAMS);
		assert_int_equal(d.unmatched, scene.asks == ASKS_NO_MATCH);
	}
}

/*
 * TDX absent, guard held: a device for which no rule requires anything is treated as the kernel
 * would have treated it. Without the guard the daemon onlines what the kernel left offline.
 */
static void test_kernel_policy(void **state)
{
	static const struct {
		enum guard_mode guard;
		unsigned int tdx, asks, zone; /* of a rule */
		enum auto_online auto_online;
		enum verdict verdict;
		enum reason reason;
		enum zone zone_now;
	} rows[] = {
		{GUARD_MODE_AUTO, ABSENT, 0, 0, AUTO_ONLINE_OFFLINE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		{GUARD_MODE_AUTO, ABSENT, 0, 0, AUTO_ONLINE_MOVABLE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		{GUARD_MODE_ALWAYS, ABSENT, 0, 0, AUTO_ONLINE_OFFLINE, VERDICT_IGNORE,
			REASON_KERNEL_OFFLINE, ZONE_NONE},
		{GUARD_MODE_ALWAYS, ABSENT, 0, 0, AUTO_ONLINE_ONLINE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		{GUARD_MODE_ALWAYS, ABSENT, 0, 0, AUTO_ONLINE_KERNEL, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_KERNEL},
		{GUARD_MODE_ALWAYS, ABSENT, 0, 0, AUTO_ONLINE_MOVABLE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_MOVABLE},
		{GUARD_MODE_ALWAYS, ABSENT, 0, 0, AUTO_ONLINE_UNKNOWN, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		/* a rule for other devices holds the guard */
		{GUARD_MODE_AUTO, ABSENT, ASKS_NO_MATCH, ZONE_MOVABLE, AUTO_ONLINE_OFFLINE,
			VERDICT_IGNORE, REASON_KERNEL_OFFLINE, ZONE_NONE},
		{GUARD_MODE_AUTO, ABSENT, ASKS_NO_MATCH, 0, AUTO_ONLINE_OFFLINE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		{GUARD_MODE_NEVER, ABSENT, ASKS_NO_MATCH, ZONE_MOVABLE, AUTO_ONLINE_OFFLINE,
			VERDICT_ONLINE, REASON_TDX_ABSENT, ZONE_AUTO},
		/* a rule that matches decides by its verdict and zone, if it has them */
		{GUARD_MODE_ALWAYS, ABSENT, ASKS(ONLINE), 0, AUTO_ONLINE_OFFLINE, VERDICT_ONLINE,
			REASON_TDX_ABSENT, ZONE_AUTO},
		{GUARD_MODE_ALWAYS, ABSENT, ASKS(OFFLINE), 0, AUTO_ONLINE_ONLINE, VERDICT_OFFLINE,
			REASON_RULE, ZONE_NONE},
		{GUARD_MODE_ALWAYS, ABSENT, ASKS_NO_VERDICT, ZONE_KERNEL, AUTO_ONLINE_OFFLINE,
			VERDICT_ONLINE, REASON_TDX_ABSENT, ZONE_KERNEL},
		/* a rule that matches without a verdict and a zone */
		{GUARD_MODE_ALWAYS, ABSENT, ASKS_NO_VERDICT, 0, AUTO_ONLINE_OFFLINE, VERDICT_IGNORE,
			REASON_KERNEL_OFFLINE, ZONE_NONE},
		/* with TDX the policy of the kernel is not used */
		{GUARD_MODE_AUTO, ACTIVE, 0, 0, AUTO_ONLINE_OFFLINE, VERDICT_ONLINE,
			REASON_IN_BOOT_MAP, ZONE_KERNEL},
		{GUARD_MODE_NEVER, ARMED, 0, 0, AUTO_ONLINE_MOVABLE, VERDICT_ONLINE,
			REASON_IN_BOOT_MAP, ZONE_KERNEL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct decision d = decide(&(struct scene){.type = DIMM,
			.place = IN,
			.presence = OFF,
			.head = HEAD_PLENTY,
			.ratio = RATIO_NO_ADVICE,
			.guard = rows[i].guard,
			.tdx = rows[i].tdx,
			.asks = rows[i].asks,
			.zone = rows[i].zone,
			.auto_online = rows[i].auto_online,
			.auto_online_held = 1});

		if (d.verdict != rows[i].verdict || d.reason != rows[i].reason ||
			d.zone != rows[i].zone_now || d.zone_overruled || d.overruled)
			fail_msg("row %zu", i);
	}
}

/* The guard counts only if it holds the switch that kept the kernel from onlining this device. */
static void test_kernel_policy_of_switch(void **state)
{
	static const struct {
		unsigned int dax, guarded, held, presence, present;
		enum reason reason;
		enum withheld withheld;
	} rows[] = {
		{0, 0, 0, OFF, 0, REASON_TDX_ABSENT, WITHHELD_NOT},
		{0, 1, 0, OFF, 0, REASON_TDX_ABSENT, WITHHELD_NOT},
		{0, 0, 1, OFF, 0, REASON_KERNEL_OFFLINE, WITHHELD_NOT},
		{1, 0, 0, NONE, 0, REASON_TDX_ABSENT, WITHHELD_NOT},
		{1, 1, 0, NONE, 0, REASON_KERNEL_OFFLINE, WITHHELD_NOT},
		{1, 0, 1, NONE, 0, REASON_KERNEL_OFFLINE, WITHHELD_NOT},
		/* another program onlines it: a part, then all of it */
		{0, 0, 1, ONE, 0, REASON_KERNEL_OFFLINE, WITHHELD_NOT},
		{0, 0, 1, ON, 0, REASON_TDX_ABSENT, WITHHELD_NOT},
		/* a device that was present before is not bound to kmem either */
		{1, 1, 1, NONE, 1, REASON_KERNEL_OFFLINE, WITHHELD_PRESENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct decision d = decide(&(struct scene){.type = rows[i].dax ? CXL : DIMM,
			.dax = rows[i].dax,
			.presence = rows[i].presence,
			.tdx = ABSENT,
			.head = HEAD_PLENTY,
			.guard = GUARD_MODE_ALWAYS,
			.guarded = rows[i].guarded,
			.auto_online = AUTO_ONLINE_OFFLINE,
			.auto_online_held = rows[i].held,
			.present = rows[i].present});

		if (d.reason != rows[i].reason || d.withheld != rows[i].withheld)
			fail_msg("row %zu: %s", i, reason_to_string(d.reason));
	}
}

/* A device that another program created is left to it until it has a driver. */
static void test_not_configured(void **state)
{
	static const struct {
		unsigned int type, driver, left, tdx, asks;
		enum verdict verdict;
		enum reason reason;
	} rows[] = {
		{CXL, BARE, 0, ACTIVE, 0, VERDICT_IGNORE, REASON_NOT_CONFIGURED},
		{HMEM, BARE, 0, ABSENT, 0, VERDICT_IGNORE, REASON_NOT_CONFIGURED},
		{CXL, BARE, 0, ABSENT, ASKS(DEVDAX), VERDICT_IGNORE, REASON_NOT_CONFIGURED},
		{CXL, BARE, LEFT_HALF_DONE, ABSENT, 0, VERDICT_ONLINE, REASON_TDX_ABSENT},
		{CXL, KMEM, 0, ABSENT, 0, VERDICT_ONLINE, REASON_TDX_ABSENT},
		{CXL, DEVDAX, 0, ABSENT, 0, VERDICT_DEVDAX, REASON_ALREADY_DEVDAX},
		{PMEM, BARE, 0, ABSENT, 0, VERDICT_IGNORE, REASON_PERSISTENT_MEMORY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct decision d = decide(&(struct scene){.type = rows[i].type,
			.dax = 1,
			.created = 1,
			.driver = rows[i].driver,
			.left = rows[i].left,
			.tdx = rows[i].tdx,
			.asks = rows[i].asks});

		if (d.verdict != rows[i].verdict || d.reason != rows[i].reason)
			fail_msg("row %zu", i);
		assert_int_equal(d.overruled, rows[i].asks == ASKS(DEVDAX));
	}
}

/*
 * A device that an administrator unplugged stays so in every TDX state; a rule may make it devdax.
 */
static void test_unplugged(void **state)
{
	static const struct {
		enum left left;
		unsigned int tdx, place, asks;
		enum verdict verdict;
		enum reason reason;
	} rows[] = {
		{LEFT_UNPLUGGED, ABSENT, OUT, 0, VERDICT_IGNORE, REASON_UNPLUGGED},
		{LEFT_UNPLUGGED, ACTIVE, OUT, 0, VERDICT_IGNORE, REASON_UNPLUGGED},
		{LEFT_UNPLUGGED, ACTIVE, IN, 0, VERDICT_IGNORE, REASON_UNPLUGGED},
		{LEFT_UNPLUGGED, ABSENT, OUT, ASKS(DEVDAX), VERDICT_DEVDAX, REASON_RULE},
		{LEFT_UNPLUGGED, ABSENT, OUT, ASKS(ONLINE), VERDICT_IGNORE, REASON_UNPLUGGED},
		{LEFT_UNPLUGGED_HALF_DONE, ABSENT, OUT, 0, VERDICT_ONLINE, REASON_TDX_ABSENT},
		{LEFT_UNPLUGGED_HALF_DONE, ACTIVE, OUT, 0, VERDICT_DEVDAX, REASON_OUTSIDE_BOOT_MAP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct decision d = decide(&(struct scene){.type = CXL,
			.dax = 1,
			.driver = KMEM,
			.left = rows[i].left,
			.tdx = rows[i].tdx,
			.place = rows[i].place,
			.asks = rows[i].asks});

		assert_int_equal(d.verdict, rows[i].verdict);
		assert_int_equal(d.reason, rows[i].reason);
		assert_int_equal(d.overruled, rows[i].asks == ASKS(ONLINE));
	}
}

static void test_withheld(void **state)
{
	enum { SAFE = PRESENT_SAFE, ACT = PRESENT_ACT, RECORD = PRESENT_RECORD };
	static const struct {
		unsigned int present, may_present, match_present, observe;
		enum withheld online, stays, offline;
	} rows[] = {
		{0, SAFE, 0, 0, WITHHELD_NOT, WITHHELD_NOT, WITHHELD_NOT},
		{0, RECORD, 0, 0, WITHHELD_NOT, WITHHELD_NOT, WITHHELD_NOT},
		{1, ACT, 0, 0, WITHHELD_NOT, WITHHELD_NOT, WITHHELD_NOT},
		{1, SAFE, 0, 0, WITHHELD_PRESENT, WITHHELD_NOT, WITHHELD_PRESENT},
		{1, RECORD, 0, 0, WITHHELD_PRESENT, WITHHELD_PRESENT, WITHHELD_PRESENT},
		{1, RECORD, 1, 0, WITHHELD_NOT, WITHHELD_NOT, WITHHELD_NOT},
		{1, SAFE, 1, 0, WITHHELD_NOT, WITHHELD_NOT, WITHHELD_NOT},
		{1, ACT, 1, 1, WITHHELD_OBSERVE, WITHHELD_OBSERVE, WITHHELD_OBSERVE},
		{0, SAFE, 0, 1, WITHHELD_OBSERVE, WITHHELD_OBSERVE, WITHHELD_OBSERVE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scene scene = {.type = DIMM,
			.presence = OFF,
			.present = rows[i].present,
			.may_present = rows[i].may_present,
			.match_present = rows[i].match_present,
			.observe = rows[i].observe,
			.asks = NOTHING};

		assert_int_equal(decide(&scene).withheld, rows[i].online);
		scene.tdx = ACTIVE;
		assert_int_equal(decide(&scene).withheld, rows[i].stays);
		scene.presence = ON;
		scene.offline = 1;
		assert_int_equal(decide(&scene).withheld, rows[i].offline);
	}
}

/*
 * The decision after an undone plan keeps the rule, but not the zone, the source and their numbers.
 */
static void test_undone(void **state)
{
	static const struct device dax = {.name = "dax0.0"}, dimm = {.type = TYPE_DIMM};
	const struct decision was = {.verdict = VERDICT_ONLINE,
		.reason = REASON_IN_BOOT_MAP,
		.zone = ZONE_MOVABLE,
		.source = BOOT_SOURCE_CONFIGURATION,
		.rule = "10-it.rule",
		.on_failure = ON_FAILURE_ROLLBACK,
		.overruled = true,
		.zone_overruled = true,
		.movable_ratio = 30,
		.map_needed = MIB,
		.map_spare = GIB};
	const struct decision of_dax = policy_undone(&was, &dax, REASON_KERNEL_REFUSED);
	const struct decision of_dimm = policy_undone(&was, &dimm, REASON_ROLLED_BACK);

	(void)state;
	assert_int_equal(of_dax.verdict, VERDICT_DEVDAX);
	assert_int_equal(of_dimm.verdict, VERDICT_OFFLINE);
	assert_int_equal(of_dax.reason, REASON_KERNEL_REFUSED);
	assert_int_equal(of_dimm.reason, REASON_ROLLED_BACK);
	assert_int_equal(of_dax.zone, ZONE_NONE);
	assert_int_equal(of_dax.source, BOOT_SOURCE_NONE);
	assert_int_equal(of_dax.movable_ratio, 0);
	assert_false(of_dax.overruled);
	assert_false(of_dax.zone_overruled);
	assert_int_equal(of_dax.map_needed, 0);
	assert_int_equal(of_dax.map_spare, 0);
	assert_string_equal(of_dax.rule, "10-it.rule");
	assert_int_equal(of_dax.on_failure, ON_FAILURE_ROLLBACK);
}

/*
 * A refusal is final. After another failure a dax device is rolled back as a whole, blocks are not.
 */
static void test_rolls_back(void **state)
{
	static const struct device dax = {.name = "dax0.0"}, dimm = {.type = TYPE_DIMM};
	static const struct {
		enum on_failure on_failure;
		bool refused, dax, dimm;
	} rows[] = {
		{ON_FAILURE_DEFAULT, true, true, true},
		{ON_FAILURE_DEFAULT, false, true, false},
		{ON_FAILURE_ROLLBACK, true, true, true},
		{ON_FAILURE_ROLLBACK, false, true, true},
		{ON_FAILURE_KEEP, true, false, false},
		{ON_FAILURE_KEEP, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct decision d = {.on_failure = rows[i].on_failure};

		assert_int_equal(policy_rolls_back(&d, &dax, rows[i].refused), rows[i].dax);
		assert_int_equal(policy_rolls_back(&d, &dimm, rows[i].refused), rows[i].dimm);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_null(withheld_to_string(WITHHELD_NOT));
	assert_string_equal(withheld_to_string(WITHHELD_OBSERVE), "observe");
	assert_string_equal(withheld_to_string(WITHHELD_PRESENT), "present");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_uncertain),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_kernel_policy),
		cmocka_unit_test(test_kernel_policy_of_switch),
		cmocka_unit_test(test_not_configured),
		cmocka_unit_test(test_unplugged),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_rolls_back),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
