/*
 * Intel ACPI Component Architecture
 * AML/ASL+ Disassembler version 20260408 (64-bit version)
 * Copyright (c) 2000 - 2026 Intel Corporation
 *
 * Disassembly of CEDT
 *
 * ACPI Data Table [CEDT]
 *
 * Format: [HexOffset DecimalOffset ByteLength]  FieldName : FieldValue (in hex)
 */

[000h 0000 004h]                   Signature : "CEDT"    [CXL Early Discovery Table]
[004h 0004 004h]                Table Length : 000000F8
[008h 0008 001h]                    Revision : 01
[009h 0009 001h]                    Checksum : E6
[00Ah 0010 006h]                      Oem ID : "TDXO  "
[010h 0016 008h]                Oem Table ID : "ODD     "
[018h 0024 004h]                Oem Revision : 00000001
[01Ch 0028 004h]             Asl Compiler ID : "INTL"
[020h 0032 004h]       Asl Compiler Revision : 20200925


[024h 0036 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[025h 0037 001h]                    Reserved : 00
[026h 0038 002h]                      Length : 0028
[028h 0040 004h]                    Reserved : 00000000
[02Ch 0044 008h]         Window base address : 0000001040000000
[034h 0052 008h]                 Window size : 0000000040000000
[03Ch 0060 001h]          Interleave Members : 00
[03Dh 0061 001h]       Interleave Arithmetic : 00
[03Eh 0062 002h]                    Reserved : 0000
[040h 0064 004h]                 Granularity : 00000007
[044h 0068 002h]                Restrictions : 0006
[046h 0070 002h]                       QtgId : 0000
[048h 0072 004h]                First Target : 00000001

[04Ch 0076 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[04Dh 0077 001h]                    Reserved : 00
[04Eh 0078 002h]                      Length : 0028
[050h 0080 004h]                    Reserved : 00000000
[054h 0084 008h]         Window base address : 0000001080000000
[05Ch 0092 008h]                 Window size : 0000000040000000
[064h 0100 001h]          Interleave Members : 00
[065h 0101 001h]       Interleave Arithmetic : 02
[066h 0102 002h]                    Reserved : 0000
[068h 0104 004h]                 Granularity : 00000000
[06Ch 0108 002h]                Restrictions : 0006
[06Eh 0110 002h]                       QtgId : 0000
[070h 0112 004h]                First Target : 00000001

[074h 0116 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[075h 0117 001h]                    Reserved : 00
[076h 0118 002h]                      Length : 0028
[078h 0120 004h]                    Reserved : 00000000
[07Ch 0124 008h]         Window base address : 00000010C8000000
[084h 0132 008h]                 Window size : 0000000040000000
[08Ch 0140 001h]          Interleave Members : 00
[08Dh 0141 001h]       Interleave Arithmetic : 00
[08Eh 0142 002h]                    Reserved : 0000
[090h 0144 004h]                 Granularity : 00000000
[094h 0148 002h]                Restrictions : 0006
[096h 0150 002h]                       QtgId : 0000
[098h 0152 004h]                First Target : 00000001

[09Ch 0156 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[09Dh 0157 001h]                    Reserved : 00
[09Eh 0158 002h]                      Length : 0028
[0A0h 0160 004h]                    Reserved : 00000000
[0A4h 0164 008h]         Window base address : 0000001140000000
[0ACh 0172 008h]                 Window size : 0000000008000000
[0B4h 0180 001h]          Interleave Members : 00
[0B5h 0181 001h]       Interleave Arithmetic : 00
[0B6h 0182 002h]                    Reserved : 0000
[0B8h 0184 004h]                 Granularity : 00000000
[0BCh 0188 002h]                Restrictions : 0006
[0BEh 0190 002h]                       QtgId : 0000
[0C0h 0192 004h]                First Target : 00000001

[0C4h 0196 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[0C5h 0197 001h]                    Reserved : 00
[0C6h 0198 002h]                      Length : 002C
[0C8h 0200 004h]                    Reserved : 00000000
[0CCh 0204 008h]         Window base address : 0000001180000000
[0D4h 0212 008h]                 Window size : 0000000080000000
[0DCh 0220 001h]          Interleave Members : 01
[0DDh 0221 001h]       Interleave Arithmetic : 00
[0DEh 0222 002h]                    Reserved : 0000
[0E0h 0224 004h]                 Granularity : 00000000
[0E4h 0228 002h]                Restrictions : 0006
[0E6h 0230 002h]                       QtgId : 0000
[0E8h 0232 004h]                First Target : 00000001
[0ECh 0236 004h]                 Next Target : 00000002

[0F0h 0240 001h]               Subtable Type : 7F [Unknown Subtable Type]
[0F1h 0241 001h]                    Reserved : 00
[0F2h 0242 002h]                      Length : 0008

**** Unknown CEDT subtable type 0x7F


Raw Table Data: Length 248 (0xF8)

    0000: 43 45 44 54 F8 00 00 00 01 E6 54 44 58 4F 20 20  // CEDT......TDXO
    0010: 4F 44 44 20 20 20 20 20 01 00 00 00 49 4E 54 4C  // ODD     ....INTL
    0020: 25 09 20 20 01 00 28 00 00 00 00 00 00 00 00 40  // %.  ..(........@
    0030: 10 00 00 00 00 00 00 40 00 00 00 00 00 00 00 00  // .......@........
    0040: 07 00 00 00 06 00 00 00 01 00 00 00 01 00 28 00  // ..............(.
    0050: 00 00 00 00 00 00 00 80 10 00 00 00 00 00 00 40  // ...............@
    0060: 00 00 00 00 00 02 00 00 00 00 00 00 06 00 00 00  // ................
    0070: 01 00 00 00 01 00 28 00 00 00 00 00 00 00 00 C8  // ......(.........
    0080: 10 00 00 00 00 00 00 40 00 00 00 00 00 00 00 00  // .......@........
    0090: 00 00 00 00 06 00 00 00 01 00 00 00 01 00 28 00  // ..............(.
    00A0: 00 00 00 00 00 00 00 40 11 00 00 00 00 00 00 08  // .......@........
    00B0: 00 00 00 00 00 00 00 00 00 00 00 00 06 00 00 00  // ................
    00C0: 01 00 00 00 01 00 2C 00 00 00 00 00 00 00 00 80  // ......,.........
    00D0: 11 00 00 00 00 00 00 80 00 00 00 00 01 00 00 00  // ................
    00E0: 00 00 00 00 06 00 00 00 01 00 00 00 02 00 00 00  // ................
    00F0: 7F 00 08 00 FF FF FF FF                          // ........
