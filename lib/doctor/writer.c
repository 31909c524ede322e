/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of other programs that may online memory: the search.
 */
#include "tdxo/doctor/writer.h"

#include <stdio.h>
#include <string.h>

#include "lib/doctor/checks.h"
#include "lib/doctor/effect.h"

#define BLANKS " \t\r"

/* The word in a text, but not in the name of a file: "auto_online_blocks" or "/online". */
static bool has_word(const char *text, const char *word)
{
	const char *at = text;

	while ((at = strstr(at, word))) {
		if (at == text || !strchr("_/", at[-1]))
			return true;
		at += strlen(word);
	}
	return false;
}

/* A line that only prints the files that it names. A command can have the text as arguments. */
static bool only_reads(const char *text)
{
	return (strstr(text, "grep ") || strstr(text, "cat ")) && !strchr(text, '>') &&
	       !strstr(text, "tee ");
}

/*
 * The words of a line that may online memory. With a word of `off` it does the opposite, unless one
 * of `on` is there too. Where `off` is empty, one of `on` is needed.
 */
static const struct sign {
	const char *words[2];
	const char *on, *off;
	enum effect effect;
	bool command; /* no file, so a line that only reads files has it as well */
} signs[] = {
	{{"auto_online_blocks", ""}, "online", "offline", EFFECT_MEMORY, false},
	{{"system/memory/", "/state"}, "online", "offline", EFFECT_MEMORY, false},
	{{"system/memory/", "/online"}, "1", "0", EFFECT_MEMORY, false},
	{{"system/memory/", ""}, "online", "", EFFECT_MEMORY, false},
	{{"memhp_default_state", ""}, "online", "offline", EFFECT_MEMORY, true},
	{{"bus/dax/drivers_autoprobe", ""}, "1", "0", EFFECT_MEMORY, false},
	{{"dax/drivers/kmem/bind", ""}, NULL, NULL, EFFECT_MEMORY, false},
	{{"dax/drivers/kmem/new_id", ""}, NULL, NULL, EFFECT_MEMORY, false},
	{{"chmem", " -e"}, NULL, NULL, EFFECT_MEMORY, true},
	{{"chmem", " --enable"}, NULL, NULL, EFFECT_MEMORY, true},
	{{"daxctl", "online-memory"}, NULL, NULL, EFFECT_MEMORY, true},
	{{"daxctl", "reconfigure-device"}, "system-ram", "devdax", EFFECT_MEMORY, true},
	{{"online", "/state"}, "online", "offline", EFFECT_DEVICE, false},
	{{"echo 1", "/online"}, NULL, NULL, EFFECT_DEVICE, false},
};

static bool sign_is_in(const struct sign *sign, const char *text)
{
	return strstr(text, sign->words[0]) && strstr(text, sign->words[1]) &&
	       (!sign->off || !has_word(text, sign->off) || has_word(text, sign->on));
}

enum effect effect_of_text(const char *text)
{
	bool reads = only_reads(text);

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if ((!reads || signs[i].command) && sign_is_in(&signs[i], text))
			return signs[i].effect;
	return EFFECT_NONE;
}

/* A line with what continues it. A comment in between does not end it. False: none is left. */
static bool join(struct conf_text *conf, struct writer_line *line)
{
	char part[WRITER_LINE];
	bool more = true;
	size_t n = 0;

	line->first = 0;
	line->text[0] = '\0';
	while (more && conf_take_line(conf, part, sizeof(part))) {
		const char *start = part + strspn(part, BLANKS);
		size_t length = strlen(part);

		if (*start == '#' || *start == ';')
			continue;
		if (!line->first)
			line->first = conf->line;
		line->last = conf->line;
		more = length && part[length - 1] == '\\';
		if (more)
			part[length - 1] = '\0';
		snprintf(line->text + n, sizeof(line->text) - n, "%s", start);
		n += strlen(line->text + n);
	}
	return line->first != 0;
}

/* Leave the command of an assignment such as ExecStart=. False: it is another line. */
static bool take_command(struct writer_line *line)
{
	const char *equals = strchr(line->text, '=');

	if (strncmp(line->text, "Exec", strlen("Exec")) != 0 || !equals)
		return false;
	equals += 1 + strspn(equals + 1, BLANKS);
	memmove(line->text, equals, strlen(equals) + 1);
	return true;
}

bool writer_next(struct writer_text *text, struct writer_line *ret_line)
{
	/* Without the path of memory blocks a script onlines other devices. */
	static const char blocks[] = "system/memory";
	const struct conf_text *conf = &text->conf;

	if (!conf->position)
		text->of_memory =
			conf->size && memmem(conf->text, conf->size, blocks, strlen(blocks));
	while (join(&text->conf, ret_line)) {
		enum effect effect;

		if (text->kind == WRITER_UNIT && !take_command(ret_line))
			continue;
		effect = effect_of_text(ret_line->text);
		ret_line->onlines = effect == EFFECT_MEMORY || (effect && text->of_memory);
		if (ret_line->onlines || text->kind == WRITER_UNIT)
			return true;
	}
	return false;
}

static bool is_kernel_file(const char *path)
{
	static const char *const directories[] = {"/sys/", "/proc/", "/dev/"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strncmp(path, directories[i], strlen(directories[i])) == 0)
			return true;
	return false;
}

bool program_next(const char **command, char ret_path[PROGRAM_PATH])
{
	static const char ends[] = BLANKS "\"'`;|&()<>$";

	while (**command) {
		/* systemd.service(5): special prefixes of an executable. */
		const char *word = *command + strspn(*command, BLANKS "\"'`;|&()<>$@:+!-");
		size_t length = strcspn(word, ends);

		*command = word + length;
		if (*word != '/' || length >= PROGRAM_PATH || is_kernel_file(word))
			continue;
		snprintf(ret_path, PROGRAM_PATH, "%.*s", (int)length, word);
		return true;
	}
	return false;
}
