// SPDX-License-Identifier: LGPL-2.1-or-later
// Revision 1: what is above the first byte of a proximity domain is reserved, and set here.

Signature : "SRAT"
Table Length : 00000000
Revision : 01
Checksum : 00
Oem ID : "TDXO  "
Oem Table ID : "REV1    "
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

Subtable Type : 01
Length : 28
Proximity Domain : FFFFFF00
Reserved1 : 0000
Base Address : 0000000000000000
Address Length : 0000000080000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : ABCDEF01
Reserved1 : 0000
Base Address : 0000000100000000
Address Length : 0000000F00000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 0
Non-Volatile : 0
Reserved3 : 0000000000000000

Subtable Type : 01
Length : 28
Proximity Domain : 00000102
Reserved1 : 0000
Base Address : 0000001000000000
Address Length : 0000001000000000
Reserved2 : 00000000
Flags (decoded below) : 00000000
Enabled : 1
Hot Pluggable : 1
Non-Volatile : 0
Reserved3 : 0000000000000000
