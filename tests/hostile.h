/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes that must not reach a terminal or a log as they are. tests/golden/tree.py reads them here.
 */
#pragma once

/*
 * An escape sequence, C1 as a byte and in UTF-8, right-to-left, an overlong newline, half a
 * character, DEL.
 */
#define HOSTILE "\x1b[2J\x9b\xc2\x9b\xe2\x80\xae\xc0\x8a\xe2\x82\x7f"
