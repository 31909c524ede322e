#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# scdoc(1), then what its output lacks: `'\" t` in the first line, which declares tables to man(1);
# no hyphenation, which .TH switches on again after the .nh of scdoc; and \- for each hyphen but the
# minus of a motion (\h'-04'): no line is broken there, and it stays ASCII, so that keys and commands
# can be searched and copied.
set -eu
page=$(scdoc)
case $page in
*'
.TS
'*) printf '%s\n' "'\\\" t" ;;
esac
printf '%s\n' "$page" | sed -e '/^\.TH /i .nr HY 0' -e '/^\./!{ /\\h/!s/-/\\-/g; }'
