// SPDX-License-Identifier: LGPL-2.1-or-later
// Two domains with RAM, a hot-plug window each, one for memory alone; and entries not in use.

Signature : "SRAT"
Table Length : 00000000
Revision : 02
Checksum : 00
Oem ID : "TDXO  "
Oem Table ID : "HOTPLUG "
Oem Revision : 00000001
Asl Compiler ID : "INTL"
Asl Compiler Revision : 00000000

Table Revision : 00000001
Reserved : 0000000000000000

Subtable Type : 00
Length : 10
Proximity Domain Low(8) : 00
Apic ID : 00
Flags (decoded below) : 00000000
Enabled : 1
Local Sapic EID : 00
Proximity Domain High(24) : 000000
Clock Domain : 00000000

Subtable Type : 00
Length : 10
Proximity Domain Low(8) : 01
Apic ID : 01
Flags (decoded below) : 00000000
Enabled : 1
Local Sapic EID : 00
Proximity Domain High(24) : 000000
Clock Domain : 00000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000000
Reserved1 : 0000
Base Address : 0000000000000000
Address Length : 00000000000A0000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000000
Reserved1 : 0000
Base Address : 0000000000100000
Address Length : 00000000BFF00000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000000
Reserved1 : 0000
Base Address : 0000000100000000
Address Length : 0000000F40000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000001
Reserved1 : 0000
Base Address : 0000001040000000
Address Length : 0000001000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000000
Reserved1 : 0000
Base Address : 0000010000000000
Address Length : 0000008000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 1
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000001
Reserved1 : 0000
Base Address : 0000018000000000
Address Length : 0000008000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 1
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000002
Reserved1 : 0000
Base Address : 0000040000000000
Address Length : 0000040000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 1
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000003
Reserved1 : 0000
Base Address : 0000002040000000
Address Length : 0000000800000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 1
Non-Volatile : 1
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000004
Reserved1 : 0000
Base Address : 0000002840000000
Address Length : 0000000400000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 1
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000005
Reserved1 : 0000
Base Address : 0000080000000000
Address Length : 0000008000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 0
Hot Pluggable : 1
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000000
Reserved1 : 0000
Base Address : 0000000000000000
Address Length : 0000000000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 0
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000
