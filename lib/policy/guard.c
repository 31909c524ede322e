/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard, as far as it follows from the configuration and the TDX state.
 */
#include "tdxo/policy/guard.h"

#include "tdxo/base/array.h"
#include "tdxo/base/string_table.h"

static const char *const names[] = {
	[GUARD_DAX] = "drivers_autoprobe",
	[GUARD_AUTO_ONLINE] = "auto_online_blocks",
};
DEFINE_TO_STRING(guard_switch, enum guard_switch, names, GUARD_SWITCHES)

const char *guard_switch_value(enum guard_switch i)
{
	return i == GUARD_DAX ? "0" : "offline";
}

const char *guard_switch_read(const struct snapshot *snapshot, enum guard_switch i)
{
	static const char *const autoprobe[] = {
		[DAX_AUTOPROBE_UNREAD] = "",
		[DAX_AUTOPROBE_OFF] = "0",
		[DAX_AUTOPROBE_ON] = "1",
	};

	return i == GUARD_DAX ? autoprobe[snapshot->dax_autoprobe] : snapshot->auto_online_blocks;
}

/* Can the rule match a device of one of these types, by its Type= alone? */
static bool may_match_any(const struct rule *rule, const enum device_type *types, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rule_may_match(rule, types[i]))
			return true;
	return false;
}

/* pmem stays as it is, also if a rule matches it. */
static bool is_about_dax(const struct rule *rule)
{
	static const enum device_type types[] = {TYPE_CXL, TYPE_HMEM, TYPE_UNKNOWN};

	return may_match_any(rule, types, ARRAY_SIZE(types));
}

/*
 * Memory blocks without a dax device? Some keys name what only a dax device or CXL memory has. CXL
 * memory without a dax device has no devdax to ask for.
 */
static bool is_about_blocks(const struct rule *rule)
{
	static const enum device_type cxl[] = {TYPE_CXL};
	static const enum device_type types[] = {TYPE_DIMM, TYPE_VIRTIO_MEM, TYPE_UNKNOWN};

	if (rule->match[MATCH_DEVICE] || rule->match[MATCH_MODE])
		return false;
	if (rule->verdict != VERDICT_DEVDAX && may_match_any(rule, cxl, ARRAY_SIZE(cxl)))
		return true;
	if (rule->match[MATCH_SERIAL] || rule->match[MATCH_PCI_ADDRESS] ||
		rule->match[MATCH_REGION])
		return false;
	return may_match_any(rule, types, ARRAY_SIZE(types));
}

/* A rule is asked too late when its memory is online: that has its zone, and may be in use. */
static unsigned int wanted_by(const struct rule *rule)
{
	bool out = rule->has_verdict &&
		   (rule->verdict == VERDICT_DEVDAX || rule->verdict == VERDICT_OFFLINE);
	bool dax = is_about_dax(rule), blocks = is_about_blocks(rule);
	unsigned int set = 0;

	if (out && dax)
		set |= GUARD_SWITCH(GUARD_DAX);
	if ((out && blocks) || (rule->zone && (dax || blocks)))
		set |= GUARD_SWITCH(GUARD_AUTO_ONLINE);
	return set;
}

unsigned int guard_wanted(const struct config *config, const struct tdx *tdx)
{
	unsigned int wanted = 0;

	if (config->observe || config->guard == GUARD_MODE_NEVER)
		return 0;
	if (config->guard == GUARD_MODE_ALWAYS || tdx_refuses(tdx))
		return GUARD_ALL;
	for (size_t i = 0; i < config->n_rules; i++)
		wanted |= wanted_by(&config->rules[i]);
	return wanted;
}
