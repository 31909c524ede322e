/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard, as far as it follows from the configuration and the TDX state.
 */
#include "tdxo/policy/guard.h"

#define SWITCH(name) (1U << GUARD_##name)
#define ALL	     ((1U << GUARD_SWITCHES) - 1)

/* Can the rule match a device of one of these types, by its Type= alone? */
static bool may_match_any(const struct rule *rule, const enum device_type *types, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rule_may_match(rule, types[i]))
			return true;
	return false;
}

/* pmem stays as it is, whatever a rule asks for. */
static bool is_about_dax(const struct rule *rule)
{
	static const enum device_type types[] = {TYPE_CXL, TYPE_HMEM};

	return may_match_any(rule, types, ARRAY_SIZE(types));
}

/* Memory blocks without a dax device. These keys name what only a dax device has, or CXL memory. */
static bool is_about_blocks(const struct rule *rule)
{
	static const enum device_type types[] = {TYPE_DIMM, TYPE_VIRTIO_MEM, TYPE_UNKNOWN};
	static const enum match others[] = {
		MATCH_DEVICE, MATCH_SERIAL, MATCH_PCI_ADDRESS, MATCH_REGION, MATCH_MODE};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (rule->match[others[i]])
			return false;
	return may_match_any(rule, types, ARRAY_SIZE(types));
}

/* What is online has its zone, and may be in use by the time that a rule is asked. */
static unsigned int wanted_by(const struct rule *rule)
{
	bool out = rule->has_verdict &&
		   (rule->verdict == VERDICT_DEVDAX || rule->verdict == VERDICT_OFFLINE);
	unsigned int wanted = 0;

	if (out && is_about_dax(rule))
		wanted |= SWITCH(DAX);
	if ((out && is_about_blocks(rule)) || rule->zone)
		wanted |= SWITCH(AUTO_ONLINE);
	return wanted;
}

unsigned int guard_wanted(const struct config *config, const struct tdx *tdx)
{
	unsigned int wanted = 0;

	if (config->observe || config->guard == GUARD_MODE_NEVER)
		return 0;
	if (config->guard == GUARD_MODE_ALWAYS || tdx_refuses(tdx))
		return ALL;
	for (size_t i = 0; i < config->n_rules; i++)
		wanted |= wanted_by(&config->rules[i]);
	return wanted;
}
