// SPDX-License-Identifier: LGPL-2.1-or-later
// Four domains with processors of both kinds, and memory below and above 4 GiB.

Signature : "SRAT"
Table Length : 00000000
Revision : 03
Checksum : 00
Oem ID : "TDXO  "
Oem Table ID : "NODES   "
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
Apic ID : 02
Flags (decoded below) : 00000000
Enabled : 1
Local Sapic EID : 00
Proximity Domain High(24) : 000000
Clock Domain : 00000000

Subtable Type : 02
Length : 18
Reserved1 : 0000
Proximity Domain : 00000002
Apic ID : 00000100
Flags (decoded below) : 00000000
Enabled : 1
Clock Domain : 00000000
Reserved2 : 00000000

Subtable Type : 02
Length : 18
Reserved1 : 0000
Proximity Domain : 00010203
Apic ID : 00010200
Flags (decoded below) : 00000000
Enabled : 1
Clock Domain : 00000000
Reserved2 : 00000000

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
Address Length : 000000007FF00000
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
Address Length : 0000001F80000000
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
Base Address : 0000002080000000
Address Length : 0000002000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000002
Reserved1 : 0000
Base Address : 0000004080000000
Address Length : 0000002000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00010203
Reserved1 : 0000
Base Address : 0000006080000000
Address Length : 0000002000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000
