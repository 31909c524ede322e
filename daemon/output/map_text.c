/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map as text. Each row has an address at its left: the first one of what begins there, or the
 * last one of what ends there. Boxes are open from their first row to their last.
 */
#include "daemon/output/map_text.h"

#include <assert.h>
#include <inttypes.h>
#include <langinfo.h>
#include <string.h>

#include "daemon/log/print.h"
#include "daemon/output/terminal.h"

#define WIDTH	  80  /* where there is no terminal */
#define WIDTH_MIN 60  /* two boxes and a verdict */
#define WIDTH_MAX 120 /* in a wider line the eye loses what belongs together */
#define EDGE	  2   /* characters of shading or border at each end of a row with text */
#define ADDRESS	  19  /* 0x, 16 digits and the NUL */
#define PRINTABLE (4 * MAP_LABEL) /* \xNN for each byte */

enum glyph {
	GLYPH_VERTICAL,
	GLYPH_HORIZONTAL,
	GLYPH_TOP_LEFT,
	GLYPH_TOP_RIGHT,
	GLYPH_BOTTOM_LEFT,
	GLYPH_BOTTOM_RIGHT,
	GLYPH_FREE,
	GLYPH_MAX,
};

/* In ASCII and in UTF-8, each one column wide. */
static const char *const glyphs[][2] = {
	[GLYPH_VERTICAL] = {"|", "│"},
	[GLYPH_HORIZONTAL] = {"-", "─"},
	[GLYPH_TOP_LEFT] = {"+", "┌"},
	[GLYPH_TOP_RIGHT] = {"+", "┐"},
	[GLYPH_BOTTOM_LEFT] = {"+", "└"},
	[GLYPH_BOTTOM_RIGHT] = {"+", "┘"},
	[GLYPH_FREE] = {":", "┊"},
};
static_assert(ARRAY_SIZE(glyphs) == GLYPH_MAX, "each glyph twice");

/* Blocks without colours differ as well. Colours are those of the table. */
static const struct {
	const char *shade[2], *colour;
} looks[] = {
	[MAP_LOOK_BOOT] = {{"#", "█"}, "\033[34m"},
	[MAP_LOOK_CAPABLE] = {{"~", "╌"}, "\033[34m"},
	[MAP_LOOK_ONLINE] = {{"@", "▓"}, "\033[32m"},
	[MAP_LOOK_DEVDAX] = {{"=", "▒"}, "\033[36m"},
	[MAP_LOOK_OFFLINE] = {{"-", "░"}, "\033[33m"},
	[MAP_LOOK_IGNORE] = {{".", "·"}, ""},
	[MAP_LOOK_FAILED] = {{"x", "▚"}, "\033[31m"},
};
static_assert(ARRAY_SIZE(looks) == MAP_LOOK_MAX, "shading for each look");

struct box {
	uint64_t last;
	unsigned int depth;
};

struct canvas {
	const struct map *map;
	bool utf8, colours;
	unsigned int gutter; /* columns of an address */
	unsigned int width;  /* of what is right of the gutter */
	struct box open[MAP_DEPTHS];
	unsigned int n_open;
};

/* --- rows --- */

static void draw(const struct canvas *canvas, const char *const glyph[2], unsigned int n)
{
	while (n--)
		print_drawing(glyph[canvas->utf8]);
}

/* What a row has inside of the boxes that are open. */
static unsigned int inner_width(const struct canvas *canvas)
{
	return canvas->width - 2 * EDGE * canvas->n_open;
}

static void row_begin(const struct canvas *canvas, const char *address)
{
	print("%*s ", (int)canvas->gutter, address);
	for (unsigned int i = 0; i < canvas->n_open; i++) {
		draw(canvas, glyphs[GLYPH_VERTICAL], 1);
		print(" ");
	}
}

static void row_end(const struct canvas *canvas)
{
	for (unsigned int i = 0; i < canvas->n_open; i++) {
		print(" ");
		draw(canvas, glyphs[GLYPH_VERTICAL], 1);
	}
	print("\n");
}

static const char *address_text(uint64_t address, char buf[ADDRESS])
{
	struct strbuf text = strbuf_in(buf, ADDRESS);

	strbuf_append(&text, "0x%" PRIx64, address);
	return buf;
}

/* A label and a size, with `fill` between them. What does not fit of the label is cut off. */
static void draw_texts(const struct canvas *canvas, const char *label, const char *size,
	const char *const fill[2], unsigned int width)
{
	unsigned int of_size = *size ? (unsigned int)strlen(size) + 2 : 0, n;
	char buf[PRINTABLE];
	struct strbuf printable = strbuf_in(buf, sizeof(buf));

	strbuf_append_printable(&printable, label);
	n = (unsigned int)printable.n;
	if (n + 2 + of_size > width)
		n = width - 2 - of_size;
	if (n)
		print(" %.*s ", (int)n, buf);
	draw(canvas, fill, width - of_size - (n ? n + 2 : 0));
	if (*size)
		print(" %s ", size);
}

/* --- what there is in a row --- */

static void start_colour(const struct canvas *canvas, enum map_look look)
{
	if (canvas->colours)
		print_drawing(looks[look].colour);
}

static void end_colour(const struct canvas *canvas)
{
	if (canvas->colours)
		print_drawing("\033[0m");
}

/* A row of a block; the size can be empty. */
static void block_row(const struct canvas *canvas, enum map_look look, const char *address,
	const char *label, const char *size)
{
	const char *const *shade = looks[look].shade;

	row_begin(canvas, address);
	start_colour(canvas, look);
	draw(canvas, shade, EDGE);
	draw_texts(canvas, label, size, shade, inner_width(canvas) - 2 * EDGE);
	draw(canvas, shade, EDGE);
	end_colour(canvas);
	row_end(canvas);
}

/* RAM at boot, a device, or a device in RAM at boot. */
static void draw_block(const struct canvas *canvas, const struct map_segment *segments, size_t n)
{
	char label[MAP_LABEL], detail[MAP_LABEL], address[ADDRESS], size[SIZE_TEXT];
	const struct map_segment *segment = &segments[n - 1];
	unsigned int extra = map_extra_rows(canvas->map, segment);
	enum map_look look = map_look(segment->item);

	map_label(segments, n, label);
	map_detail(segment, detail);
	block_row(canvas, look, address_text(segment->range.start, address), label,
		size_format(map_bytes(segment), size));
	for (unsigned int i = 0; i < extra; i++)
		block_row(canvas, look, "", i ? "" : detail, "");
	block_row(canvas, look, address_text(segment->range.end - 1, address), extra ? "" : detail,
		"");
}

static void draw_free(const struct canvas *canvas, struct range range, const char *label)
{
	char text[SIZE_TEXT];
	const char *size = size_format(range_size(range), text);
	unsigned int texts = inner_width(canvas) - 2 - EDGE - 1;

	row_begin(canvas, "");
	draw(canvas, glyphs[GLYPH_FREE], 1);
	print(" %-*s%s", (int)(texts - strlen(size)), label, size);
	if (canvas->n_open)
		print("%*s", EDGE + 1, "");
	row_end(canvas);
}

/* --- boxes --- */

static void close_boxes(struct canvas *canvas, unsigned int depth)
{
	char address[ADDRESS];

	while (canvas->n_open && canvas->open[canvas->n_open - 1].depth >= depth) {
		uint64_t last = canvas->open[--canvas->n_open].last;

		row_begin(canvas, address_text(last, address));
		draw(canvas, glyphs[GLYPH_BOTTOM_LEFT], 1);
		draw(canvas, glyphs[GLYPH_HORIZONTAL], inner_width(canvas) - 2);
		draw(canvas, glyphs[GLYPH_BOTTOM_RIGHT], 1);
		row_end(canvas);
	}
}

/* One box for n windows and regions of the same range. */
static void open_box(struct canvas *canvas, const struct map_segment *segments, size_t n)
{
	char title[MAP_LABEL], address[ADDRESS], size[SIZE_TEXT];
	struct range range = segments[0].range;

	map_label(segments, n, title);
	row_begin(canvas, address_text(range.start, address));
	draw(canvas, glyphs[GLYPH_TOP_LEFT], 1);
	draw(canvas, glyphs[GLYPH_HORIZONTAL], EDGE - 1);
	draw_texts(canvas, title, size_format(range_size(range), size), glyphs[GLYPH_HORIZONTAL],
		inner_width(canvas) - 2 * EDGE);
	draw(canvas, glyphs[GLYPH_HORIZONTAL], EDGE - 1);
	draw(canvas, glyphs[GLYPH_TOP_RIGHT], 1);
	row_end(canvas);
	canvas->open[canvas->n_open++] =
		(struct box){.last = range.end - 1, .depth = segments[0].depth};
}

/* Draw what begins at segment i, and return how many segments that is. */
static size_t draw_at(struct canvas *canvas, size_t i)
{
	const struct map_segment *segments = &canvas->map->segments[i];
	size_t n = map_group(canvas->map, i);

	close_boxes(canvas, segments[0].depth);
	if (!segments[0].item) {
		draw_free(canvas, segments[0].range, map_free_label(&segments[0]));
	} else if (!map_is_container(&segments[0])) {
		draw_block(canvas, segments, n);
	} else {
		open_box(canvas, segments, n);
		if (map_is_leaf(canvas->map, i + n - 1))
			draw_free(canvas, segments[0].range, MAP_FREE_LABEL);
	}
	return n;
}

/* --- around it --- */

/* As many in a row as fit. */
static void print_legend(const struct canvas *canvas)
{
	unsigned int seen = map_looks(canvas->map), used = canvas->width;

	for (enum map_look look = 0; look < MAP_LOOK_MAX; look++) {
		const char *label = map_look_label(look);
		unsigned int n = EDGE + 1 + (unsigned int)strlen(label);
		bool fits = used + 2 + n <= canvas->width;

		if (!(seen & 1U << look))
			continue;
		if (!fits)
			print("\n");
		print("%*s", fits ? 2 : (int)canvas->gutter + 1, "");
		start_colour(canvas, look);
		draw(canvas, looks[look].shade, EDGE);
		end_colour(canvas);
		print(" %s", label);
		used = fits ? used + 2 + n : n;
	}
	print("\n");
}

static void print_unplaced(const struct map *map)
{
	char text[MAP_LABEL];

	for (size_t i = 0; i < map->n_unplaced; i++)
		print("%s\n", map_unplaced(&map->unplaced[i], text));
}

static struct canvas canvas_of(const struct map *map, locale_t locale)
{
	unsigned int width = terminal_width() ?: WIDTH;
	struct canvas canvas = {.map = map, .colours = terminal_has_colours()};
	char address[ADDRESS];

	canvas.utf8 = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	canvas.gutter = (unsigned int)strlen(address_text(map_last(map), address));
	width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	canvas.width = width - canvas.gutter - 1;
	return canvas;
}

void map_print_text(const struct map *map, const struct tdx *tdx, locale_t locale)
{
	struct canvas canvas = canvas_of(map, locale);
	char summary[MAP_SUMMARY];

	print("%s\n", map_summary(map, tdx, summary));
	if (map->n_segments)
		print("\n");
	for (size_t i = 0; i < map->n_segments;)
		i += draw_at(&canvas, i);
	close_boxes(&canvas, 0);
	if (map->n_segments)
		print_legend(&canvas);
	print_unplaced(map);
}
