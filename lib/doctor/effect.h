/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a line of text may do to memory, by the words in it.
 */
#pragma once

/* In ascending order of certainty. */
enum effect {
	EFFECT_NONE,
	EFFECT_DEVICE, /* onlines a device: memory only if that is memory */
	EFFECT_MEMORY,
};

enum effect effect_of_text(const char *text);
