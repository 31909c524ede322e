/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map as SVG 1.1: the same boxes and blocks as in the text, on a background of their own, so
 * that it can be read on a light and on a dark page. Lengths are in pixels, and y is that of the
 * next box or block.
 */
#include "daemon/output/map_svg.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/log/print.h"

#define WIDTH	  760
#define MARGIN	  20
#define GUTTER	  160 /* of the addresses: 18 characters */
#define CHARACTER 8   /* at most, of the font that the style asks for */
#define HEADING	  70  /* above the first address */
#define HEADER	  28  /* of a box, with its title */
#define FOOT	  16  /* of a box */
#define INSET	  12  /* of a box in another one */
#define BLOCK	  46  /* two lines of text */
#define ROW	  20  /* of one more row */
#define FREE	  22
#define GAP	  6
#define LEGEND	  44
#define CLASS	  24
#define PRINTABLE (4 * MAP_SUMMARY) /* \xNN for each byte */
#define ESCAPED	  (6 * PRINTABLE)   /* &quot; for each character */

struct drawing {
	const struct map *map;
	unsigned int y;
	unsigned int open[MAP_DEPTHS]; /* depths of the boxes that are open */
	unsigned int n_open;
};

static const char *const style[] = {
	"text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}",
	".heading{font-size:15px}.heading,.strong{font-weight:bold}",
	".address,.free{fill:#59636e}.address,.size{text-anchor:end}",
	".card{fill:#ffffff;stroke:#d1d9e0}.hole{stroke:#818b98;stroke-dasharray:2 4}",
	".window{fill:#f6f8fa;stroke:#818b98;stroke-dasharray:5 3}",
	".region{fill:#ffffff;stroke:#818b98}",
};

static const char *const dark_style[] = {
	"text{fill:#f0f6fc}.address,.free{fill:#9198a1}.card{fill:#0d1117;stroke:#3d444d}",
	".window{fill:#151b23;stroke:#656c76}.region{fill:#0d1117;stroke:#656c76}",
};

/* The edge of a block, and its verdict, have one colour. */
static const struct {
	const char *class, *block, *edge, *dark_block, *dark_edge;
} looks[] = {
	[MAP_LOOK_BOOT] = {"boot", "#ddf4ff", "#0969da", "#0c2d6b", "#79c0ff"},
	[MAP_LOOK_CAPABLE] = {"capable", "#eff2f5", "#0969da", "#262c36", "#79c0ff"},
	[MAP_LOOK_ONLINE] = {"online", "#dafbe1", "#116329", "#033a16", "#56d364"},
	[MAP_LOOK_DEVDAX] = {"devdax", "#cff5f3", "#08655f", "#04403d", "#5ce1d6"},
	[MAP_LOOK_OFFLINE] = {"offline", "#fff1c2", "#7d4e00", "#4b2900", "#e3b341"},
	[MAP_LOOK_IGNORE] = {"ignore", "#eff2f5", "#59636e", "#262c36", "#9198a1"},
	[MAP_LOOK_FAILED] = {"failed", "#ffebe9", "#b3202c", "#67060c", "#ffa198"},
};
static_assert(ARRAY_SIZE(looks) == MAP_LOOK_MAX, "a style for each look");

/* --- elements --- */

static void append_escaped(struct strbuf *text, char c)
{
	static const char special[] = "<>&\"'";
	static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
	const char *at = strchr(special, c);

	if (at)
		strbuf_append(text, "%s", entities[at - special]);
	else
		strbuf_append(text, "%c", c);
}

/* As the content of an element, printable; what is longer than `most` characters is cut off. */
static const char *escape(const char *foreign, size_t most, char buf[ESCAPED])
{
	char raw[PRINTABLE];
	struct strbuf printable = strbuf_in(raw, sizeof(raw)), text = strbuf_in(buf, ESCAPED);

	strbuf_append_printable(&printable, foreign);
	for (size_t i = 0; raw[i] && i < most; i++)
		append_escaped(&text, raw[i]);
	return buf;
}

static void text_at(
	unsigned int x, unsigned int y, const char *class, const char *content, unsigned int width)
{
	char buf[ESCAPED];

	if (*content)
		print("<text x=\"%u\" y=\"%u\" class=\"%s\">%s</text>\n", x, y, class,
			escape(content, width / CHARACTER, buf));
}

static void address_at(unsigned int y, uint64_t address)
{
	print("<text x=\"%u\" y=\"%u\" class=\"address\">0x%" PRIx64 "</text>\n", GUTTER, y,
		address);
}

static void size_at(unsigned int x, unsigned int y, const char *class, uint64_t bytes)
{
	char size[SIZE_TEXT];

	text_at(x, y, class, size_format(bytes, size), SIZE_TEXT * CHARACTER);
}

static void rectangle(
	unsigned int x, unsigned int width, unsigned int y, unsigned int height, const char *class)
{
	print("<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"3\" class=\"%s\"/>\n", x, y,
		width, height, class);
}

/* A part of memory, or of the legend. */
static void block(
	unsigned int x, unsigned int width, unsigned int y, unsigned int height, enum map_look look)
{
	rectangle(x, width, y, height, looks[look].class);
	print("<rect x=\"%u\" y=\"%u\" width=\"5\" height=\"%u\" class=\"%s-edge\"/>\n", x, y,
		height, looks[look].class);
}

/* --- where things are --- */

/* Without what is in a box. */
static unsigned int height_of(const struct map *map, size_t i, size_t n)
{
	const struct map_segment *segment = &map->segments[i];

	if (!segment->item)
		return FREE + GAP;
	if (!map_is_container(segment))
		return BLOCK + ROW * map_extra_rows(map, &segment[n - 1]) + GAP;
	return HEADER + FOOT + GAP + (map_is_leaf(map, i + n - 1) ? FREE : 0);
}

/* Of segment i and all below it. */
static unsigned int height_from(const struct map *map, size_t i)
{
	unsigned int depth = map->segments[i].depth, height = 0;

	do {
		size_t n = map_group(map, i);

		height += height_of(map, i, n);
		i += n;
	} while (i < map->n_segments && map->segments[i].depth > depth);
	return height;
}

static unsigned int height_of_map(const struct map *map)
{
	unsigned int height = 0;

	for (size_t i = 0, n; i < map->n_segments; i += n) {
		n = map_group(map, i);
		height += height_of(map, i, n);
	}
	return height;
}

static unsigned int left_of(unsigned int boxes)
{
	return GUTTER + INSET + INSET * boxes;
}

static unsigned int width_of(unsigned int boxes)
{
	return WIDTH - MARGIN - INSET * boxes - left_of(boxes);
}

/* --- boxes and blocks --- */

static void draw_free(struct drawing *drawing, uint64_t bytes, const char *label)
{
	unsigned int x = left_of(drawing->n_open), y = drawing->y;
	unsigned int width = width_of(drawing->n_open);

	print("<path d=\"M%u %uv%u\" class=\"hole\"/>\n", x + 2, y, FREE);
	text_at(x + 16, y + 15, "free", label, width);
	size_at(x + width - 10, y + 15, "free size", bytes);
	drawing->y += FREE;
}

static void draw_block(struct drawing *drawing, const struct map_segment *segments, size_t n)
{
	const struct map_segment *segment = &segments[n - 1];
	unsigned int height = BLOCK + ROW * map_extra_rows(drawing->map, segment);
	unsigned int x = left_of(drawing->n_open), y = drawing->y;
	unsigned int width = width_of(drawing->n_open);
	enum map_look look = map_look(segment->item);
	char text[MAP_LABEL], class[CLASS];
	struct strbuf detail = strbuf_in(class, sizeof(class));

	block(x, width, y, height, look);
	address_at(y + 13, segment->range.start);
	address_at(y + height - 4, segment->range.end - 1);
	text_at(x + 16, y + 18, "strong", map_label(segments, n, text), width - 120);
	size_at(x + width - 10, y + 18, "size", map_bytes(segment));
	strbuf_append(&detail, "%s-edge", looks[look].class);
	text_at(x + 16, y + 36, class, map_detail(segment, text), width - 40);
	drawing->y += height;
}

static void open_box(struct drawing *drawing, size_t i, size_t n)
{
	const struct map_segment *segments = &drawing->map->segments[i];
	unsigned int height = height_from(drawing->map, i) - GAP;
	unsigned int x = left_of(drawing->n_open), y = drawing->y;
	unsigned int width = width_of(drawing->n_open);
	const struct range range = segments[0].range;
	char text[MAP_LABEL];

	rectangle(x, width, y, height, map_kind_to_string(map_kind(&segments[0])));
	address_at(y + 13, range.start);
	address_at(y + height - 2, range.end - 1);
	text_at(x + 10, y + 18, "strong", map_label(segments, n, text), width - 120);
	size_at(x + width - 10, y + 18, "size", range_size(range));
	drawing->y += HEADER;
	drawing->open[drawing->n_open++] = segments[0].depth;
	if (map_is_leaf(drawing->map, i + n - 1))
		draw_free(drawing, range_size(range), MAP_FREE_LABEL);
}

static void close_boxes(struct drawing *drawing, unsigned int depth)
{
	while (drawing->n_open && drawing->open[drawing->n_open - 1] >= depth) {
		drawing->n_open--;
		drawing->y += FOOT + GAP;
	}
}

/* Draw what begins at segment i, and return how many segments that is. */
static size_t draw_at(struct drawing *drawing, size_t i)
{
	const struct map_segment *segments = &drawing->map->segments[i];
	size_t n = map_group(drawing->map, i);

	close_boxes(drawing, segments[0].depth);
	if (map_is_container(&segments[0])) {
		open_box(drawing, i, n);
		return n;
	}
	if (segments[0].item)
		draw_block(drawing, segments, n);
	else
		draw_free(drawing, range_size(segments[0].range), map_free_label(&segments[0]));
	drawing->y += GAP;
	return n;
}

/* --- around it --- */

static void print_rules(const char *const *rules, size_t n, bool dark)
{
	for (size_t i = 0; i < n; i++)
		print("%s\n", rules[i]);
	for (enum map_look look = 0; look < MAP_LOOK_MAX; look++)
		print(".%s{fill:%s}.%s-edge{fill:%s}\n", looks[look].class,
			dark ? looks[look].dark_block : looks[look].block, looks[look].class,
			dark ? looks[look].dark_edge : looks[look].edge);
}

static void print_style(void)
{
	print("<style>\n");
	print_rules(style, ARRAY_SIZE(style), false);
	print("@media (prefers-color-scheme:dark){\n");
	print_rules(dark_style, ARRAY_SIZE(dark_style), true);
	print("}\n");
	print("</style>\n");
}

static void print_heading(const struct map *map, const struct tdx *tdx, unsigned int height)
{
	char summary[MAP_SUMMARY], buf[ESCAPED];

	map_summary(map, tdx, summary);
	print("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
	      "viewBox=\"0 0 %u %u\" role=\"img\" aria-labelledby=\"map-title map-summary\">\n",
		WIDTH, height, WIDTH, height);
	print("<title id=\"map-title\">Map of the physical address space</title>\n");
	print("<desc id=\"map-summary\">%s</desc>\n", escape(summary, MAP_SUMMARY, buf));
	print_style();
	print("<rect x=\"0.5\" y=\"0.5\" width=\"%u\" height=\"%u\" rx=\"6\" class=\"card\"/>\n",
		WIDTH - 1, height - 1);
	text_at(MARGIN, 30, "heading", "Map of the physical address space", WIDTH);
	text_at(MARGIN, 52, "free", summary, WIDTH - 2 * MARGIN);
}

/* As many in a row as fit. Returns the height; without `draw`, that is all. */
static unsigned int lay_out_legend(const struct map *map, unsigned int y, bool draw)
{
	unsigned int seen = map_looks(map), x = left_of(0), height = LEGEND;

	for (enum map_look look = 0; look < MAP_LOOK_MAX; look++) {
		const char *label = map_look_label(look);
		unsigned int width = 26 + CHARACTER * (unsigned int)strlen(label);

		if (!(seen & 1U << look))
			continue;
		if (x + width > WIDTH - MARGIN) {
			x = left_of(0);
			height += ROW;
		}
		if (draw) {
			block(x, 18, y + height - LEGEND + 12, 14, look);
			text_at(x + 26, y + height - LEGEND + 23, "free", label, WIDTH);
		}
		x += width + INSET;
	}
	return height;
}

static void print_unplaced(struct drawing *drawing)
{
	char text[MAP_LABEL];

	for (size_t i = 0; i < drawing->map->n_unplaced; i++) {
		text_at(MARGIN, drawing->y + 15, "free",
			map_unplaced(&drawing->map->unplaced[i], text), WIDTH - 2 * MARGIN);
		drawing->y += FREE;
	}
}

void map_print_svg(const struct map *map, const struct tdx *tdx)
{
	struct drawing drawing = {.map = map, .y = HEADING};
	unsigned int unplaced = FREE * (unsigned int)map->n_unplaced;

	print_heading(
		map, tdx, HEADING + height_of_map(map) + unplaced + lay_out_legend(map, 0, false));
	for (size_t i = 0; i < map->n_segments;)
		i += draw_at(&drawing, i);
	close_boxes(&drawing, 0);
	print_unplaced(&drawing);
	(void)lay_out_legend(map, drawing.y, true);
	print("</svg>\n");
}
