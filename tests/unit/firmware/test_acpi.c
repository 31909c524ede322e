/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Damaged ACPI tables, SRAT and CEDT.
 *
 * A table with each type of entry is cut off at every byte, has every byte set to every value, with
 * the old checksum and with a correct one, and has every length field set to every value. The
 * expected result is computed from the offsets of the entries.
 */
#include "tests/unit/acpi_bytes.h"

/* SRAT or CEDT: how to read the table, and the number of entries that are read. */
struct kind {
	struct bytes table;
	size_t first_entry; /* offset */
	size_t header;	    /* size of an entry's header; its last field is the length */
	size_t length_size;
	size_t entries[6]; /* offsets; the last is the end of the table */
	size_t n;
	int (*read)(const struct bytes *table, size_t size, size_t *ret_n);
};

static int count_srat(const struct bytes *table, size_t size, size_t *ret_n)
{
	CLEANUP(srat_done) struct srat srat = {0};
	int r = read_srat(table, size, &srat);

	*ret_n = srat.n;
	return r;
}

static int count_cedt(const struct bytes *table, size_t size, size_t *ret_n)
{
	CLEANUP(cedt_done) struct cedt cedt = {0};
	int r = read_cedt(table, size, &cedt);

	*ret_n = cedt.n_windows;
	return r;
}

static void put_memory(struct bytes *table, uint64_t base)
{
	put(table, 1 | 40 << 8, 2);
	put(table, 0, 6);
	put(table, base, 8);
	put(table, GIB, 8);
	put(table, 0, 4);
	put(table, 1, 4);
	put(table, 0, 8);
}

static void make_srat(struct kind *kind)
{
	*kind = (struct kind){.table = table_begin("SRAT", 3),
		.first_entry = 48,
		.header = 2,
		.length_size = 1,
		.read = count_srat};
	put(&kind->table, 1, 12);
	kind->entries[0] = kind->table.n;
	put_memory(&kind->table, 0);
	kind->entries[1] = kind->table.n;
	put(&kind->table, 0 | 16 << 8, 16); /* processor affinity */
	kind->entries[2] = kind->table.n;
	put_memory(&kind->table, 4 * GIB);
	kind->entries[3] = kind->table.n;
	put(&kind->table, 0xee | 3 << 8, 3); /* unknown type */
	kind->entries[4] = kind->table.n;
	kind->n = 4;
	table_end(&kind->table);
}

static void put_window(struct bytes *table, uint64_t base)
{
	put(table, 1 | 40 << 16, 8);
	put(table, base, 8);
	put(table, GIB, 8);
	put(table, 0, 8);
	put(table, 6, 4);
	put(table, 12, 4);
}

static void make_cedt(struct kind *kind)
{
	*kind = (struct kind){.table = table_begin("CEDT", 2),
		.first_entry = 36,
		.header = 4,
		.length_size = 2,
		.read = count_cedt};
	kind->entries[0] = kind->table.n;
	put(&kind->table, 0 | 32 << 16, 8); /* CXL host bridge */
	put(&kind->table, 1, 8);
	put(&kind->table, 0xfe000000, 8);
	put(&kind->table, 0x10000, 8);
	kind->entries[1] = kind->table.n;
	put_window(&kind->table, 16 * GIB);
	kind->entries[2] = kind->table.n;
	put(&kind->table, 2 | 16 << 16, 16); /* CXL XOR interleave math */
	kind->entries[3] = kind->table.n;
	put_window(&kind->table, 32 * GIB);
	kind->entries[4] = kind->table.n;
	kind->n = 4;
	table_end(&kind->table);
}

static void (*const makers[])(struct kind *kind) = {make_srat, make_cedt};

/* Number of entries that are read from each undamaged table. */
static const size_t wholes[] = {2, 2};

static void check(const struct kind *kind, size_t size, enum acpi_fault fault, size_t n)
{
	size_t got;

	assert_int_equal(kind->read(&kind->table, size, &got), fault);
	assert_int_equal(got, n);
}

static void test_whole(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i](&kind);
		check(&kind, kind.table.n, ACPI_SOUND, wholes[i]);
		/* Bytes after the table are not read. */
		memset(kind.table.data + kind.table.n, 0x5a, 100);
		check(&kind, kind.table.n + 100, ACPI_SOUND, wholes[i]);
	}
}

static void test_cut_off(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i](&kind);
		for (size_t size = 0; size < kind.table.n; size++)
			check(&kind, size, ACPI_TRUNCATED, 0);
	}
}

/* Cut off with a matching length and checksum in the header: the last entry exceeds the table. */
static void check_cut_off_and_signed(struct kind *kind, size_t size)
{
	enum acpi_fault fault = size < 36 ? ACPI_TRUNCATED : ACPI_BAD_LENGTH;
	size_t whole = 0, n;

	poke(&kind->table, ACPI_LENGTH_AT, size, 4);
	sign(&kind->table, size);
	while (whole < kind->n && kind->entries[whole + 1] <= size)
		whole++;
	if (size >= kind->first_entry)
		fault = size - kind->entries[whole] > kind->header ? ACPI_BAD_ENTRY : ACPI_SOUND;
	assert_int_equal(kind->read(&kind->table, size, &n), fault);
	if (fault)
		assert_int_equal(n, 0);
}

static void test_cut_off_and_signed(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i](&kind);
		for (size_t size = kind.table.n + 1; size-- > 0;)
			check_cut_off_and_signed(&kind, size);
	}
}

/* One wrong byte is a checksum error; the length field has a test of its own. */
static void test_every_byte(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i](&kind);
		for (size_t at = 0; at < kind.table.n; at += at == 3 ? 5 : 1) {
			uint8_t good = kind.table.data[at];

			for (unsigned int value = 0; value < 256; value++) {
				kind.table.data[at] = (uint8_t)value;
				if (value != good)
					check(&kind, kind.table.n,
						at < 4 ? ACPI_WRONG_SIGNATURE : ACPI_BAD_CHECKSUM,
						0);
			}
			kind.table.data[at] = good;
		}
	}
}

/* One wrong byte with a correct checksum: nothing beyond the table is read. */
static void test_every_byte_signed(void **state)
{
	struct kind kind;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		for (size_t at = 0; at < 256; at++)
			for (unsigned int value = 0; value < 256; value++) {
				makers[i](&kind);
				if (at >= kind.table.n)
					break;
				kind.table.data[at] = (uint8_t)value;
				sign(&kind.table, kind.table.n);
				assert_in_range(kind.read(&kind.table, kind.table.n, &n),
					ACPI_SOUND, ACPI_FAULT_MAX - 1);
				assert_in_range(n, 0, wholes[i]);
			}
}

static void test_every_table_length(void **state)
{
	static const uint32_t far[] = {0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		for (uint32_t k = 0; k < 0x10000 + ARRAY_SIZE(far); k++) {
			uint32_t length = k < 0x10000 ? k : far[k - 0x10000];
			size_t n;
			int r;

			makers[i](&kind);
			poke(&kind.table, ACPI_LENGTH_AT, length, 4);
			sign(&kind.table, length < kind.table.n ? length : kind.table.n);
			r = kind.read(&kind.table, kind.table.n, &n);
			if (length < kind.first_entry)
				assert_int_equal(r, ACPI_BAD_LENGTH);
			else if (length > kind.table.n)
				assert_int_equal(r, ACPI_TRUNCATED);
			else
				assert_true(r == ACPI_SOUND || r == ACPI_BAD_ENTRY);
		}
}

/* Does the chain of entries end at the end of the table if this entry has that length? */
static bool ends_at_table_end(const struct kind *kind, size_t at)
{
	while (kind->table.n - at > kind->header) {
		const uint8_t *length = kind->table.data + at + kind->header - kind->length_size;
		size_t n = length[0];

		if (kind->length_size == 2)
			n += (size_t)length[1] << 8;
		if (n < kind->header || n > kind->table.n - at)
			return false;
		at += n;
	}
	return true;
}

static void check_entry_length(struct kind *kind, size_t entry, size_t length)
{
	size_t at = kind->entries[entry] + kind->header - kind->length_size, n;
	bool follows;
	int r;

	poke(&kind->table, at, length, kind->length_size);
	sign(&kind->table, kind->table.n);
	follows = ends_at_table_end(kind, kind->first_entry);
	r = kind->read(&kind->table, kind->table.n, &n);
	/* A memory entry that is too short is reported before a chain that misses the end. */
	assert_true(r == ACPI_SHORT_ENTRY || r == (follows ? ACPI_SOUND : ACPI_BAD_ENTRY));
	if (!length)
		assert_int_equal(r, ACPI_BAD_ENTRY);
	if (r)
		assert_int_equal(n, 0);
}

static void test_every_entry_length(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i](&kind);
		for (size_t entry = 0; entry < kind.n; entry++)
			for (size_t length = 0; length >> (8 * kind.length_size) == 0; length++) {
				makers[i](&kind);
				check_entry_length(&kind, entry, length);
			}
	}
}

static void test_clauses(void **state)
{
	(void)state;
	assert_null(acpi_fault_to_string(ACPI_SOUND));
	for (enum acpi_fault fault = ACPI_SOUND + 1; fault < ACPI_FAULT_MAX; fault++)
		assert_non_null(acpi_fault_to_string(fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_cut_off_and_signed),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_byte_signed),
		cmocka_unit_test(test_every_table_length),
		cmocka_unit_test(test_every_entry_length),
		cmocka_unit_test(test_clauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
