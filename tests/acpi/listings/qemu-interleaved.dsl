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
[004h 0004 004h]                Table Length : 0000012C
[008h 0008 001h]                    Revision : 01
[009h 0009 001h]                    Checksum : 5C
[00Ah 0010 006h]                      Oem ID : "BOCHS "
[010h 0016 008h]                Oem Table ID : "BXPC    "
[018h 0024 004h]                Oem Revision : 00000001
[01Ch 0028 004h]             Asl Compiler ID : "BXPC"
[020h 0032 004h]       Asl Compiler Revision : 00000001


[024h 0036 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[025h 0037 001h]                    Reserved : 00
[026h 0038 002h]                      Length : 0020
[028h 0040 004h]      Associated host bridge : 00000010
[02Ch 0044 004h]       Specification version : 00000001
[030h 0048 004h]                    Reserved : 00000000
[034h 0052 008h]               Register base : 00000005C0030000
[03Ch 0060 008h]             Register length : 0000000000010000

[044h 0068 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[045h 0069 001h]                    Reserved : 00
[046h 0070 002h]                      Length : 0020
[048h 0072 004h]      Associated host bridge : 0000001C
[04Ch 0076 004h]       Specification version : 00000001
[050h 0080 004h]                    Reserved : 00000000
[054h 0084 008h]               Register base : 00000005C0000000
[05Ch 0092 008h]             Register length : 0000000000010000

[064h 0100 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[065h 0101 001h]                    Reserved : 00
[066h 0102 002h]                      Length : 0020
[068h 0104 004h]      Associated host bridge : 00000018
[06Ch 0108 004h]       Specification version : 00000001
[070h 0112 004h]                    Reserved : 00000000
[074h 0116 008h]               Register base : 00000005C0010000
[07Ch 0124 008h]             Register length : 0000000000010000

[084h 0132 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[085h 0133 001h]                    Reserved : 00
[086h 0134 002h]                      Length : 0020
[088h 0136 004h]      Associated host bridge : 00000014
[08Ch 0140 004h]       Specification version : 00000001
[090h 0144 004h]                    Reserved : 00000000
[094h 0148 008h]               Register base : 00000005C0020000
[09Ch 0156 008h]             Register length : 0000000000010000

[0A4h 0164 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[0A5h 0165 001h]                    Reserved : 00
[0A6h 0166 002h]                      Length : 0034
[0A8h 0168 004h]                    Reserved : 00000000
[0ACh 0172 008h]         Window base address : 00000005D0000000
[0B4h 0180 008h]                 Window size : 0000000400000000
[0BCh 0188 001h]          Interleave Members : 02
[0BDh 0189 001h]       Interleave Arithmetic : 00
[0BEh 0190 002h]                    Reserved : 0000
[0C0h 0192 004h]                 Granularity : 00000004
[0C4h 0196 002h]                Restrictions : 000F
[0C6h 0198 002h]                       QtgId : 0000
[0C8h 0200 004h]                First Target : 00000010
[0CCh 0204 004h]                 Next Target : 00000014
[0D0h 0208 004h]                 Next Target : 00000018
[0D4h 0212 004h]                 Next Target : 0000001C

[0D8h 0216 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[0D9h 0217 001h]                    Reserved : 00
[0DAh 0218 002h]                      Length : 002C
[0DCh 0220 004h]                    Reserved : 00000000
[0E0h 0224 008h]         Window base address : 00000009D0000000
[0E8h 0232 008h]                 Window size : 0000000200000000
[0F0h 0240 001h]          Interleave Members : 01
[0F1h 0241 001h]       Interleave Arithmetic : 00
[0F2h 0242 002h]                    Reserved : 0000
[0F4h 0244 004h]                 Granularity : 00000002
[0F8h 0248 002h]                Restrictions : 000F
[0FAh 0250 002h]                       QtgId : 0000
[0FCh 0252 004h]                First Target : 00000018
[100h 0256 004h]                 Next Target : 0000001C

[104h 0260 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[105h 0261 001h]                    Reserved : 00
[106h 0262 002h]                      Length : 0028
[108h 0264 004h]                    Reserved : 00000000
[10Ch 0268 008h]         Window base address : 0000000BD0000000
[114h 0276 008h]                 Window size : 0000000100000000
[11Ch 0284 001h]          Interleave Members : 00
[11Dh 0285 001h]       Interleave Arithmetic : 00
[11Eh 0286 002h]                    Reserved : 0000
[120h 0288 004h]                 Granularity : 00000000
[124h 0292 002h]                Restrictions : 000F
[126h 0294 002h]                       QtgId : 0000
[128h 0296 004h]                First Target : 00000014

Raw Table Data: Length 300 (0x12C)

    0000: 43 45 44 54 2C 01 00 00 01 5C 42 4F 43 48 53 20  // CEDT,....\BOCHS
    0010: 42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43  // BXPC    ....BXPC
    0020: 01 00 00 00 00 00 20 00 10 00 00 00 01 00 00 00  // ...... .........
    0030: 00 00 00 00 00 00 03 C0 05 00 00 00 00 00 01 00  // ................
    0040: 00 00 00 00 00 00 20 00 1C 00 00 00 01 00 00 00  // ...... .........
    0050: 00 00 00 00 00 00 00 C0 05 00 00 00 00 00 01 00  // ................
    0060: 00 00 00 00 00 00 20 00 18 00 00 00 01 00 00 00  // ...... .........
    0070: 00 00 00 00 00 00 01 C0 05 00 00 00 00 00 01 00  // ................
    0080: 00 00 00 00 00 00 20 00 14 00 00 00 01 00 00 00  // ...... .........
    0090: 00 00 00 00 00 00 02 C0 05 00 00 00 00 00 01 00  // ................
    00A0: 00 00 00 00 01 00 34 00 00 00 00 00 00 00 00 D0  // ......4.........
    00B0: 05 00 00 00 00 00 00 00 04 00 00 00 02 00 00 00  // ................
    00C0: 04 00 00 00 0F 00 00 00 10 00 00 00 14 00 00 00  // ................
    00D0: 18 00 00 00 1C 00 00 00 01 00 2C 00 00 00 00 00  // ..........,.....
    00E0: 00 00 00 D0 09 00 00 00 00 00 00 00 02 00 00 00  // ................
    00F0: 01 00 00 00 02 00 00 00 0F 00 00 00 18 00 00 00  // ................
    0100: 1C 00 00 00 01 00 28 00 00 00 00 00 00 00 00 D0  // ......(.........
    0110: 0B 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00  // ................
    0120: 00 00 00 00 0F 00 00 00 14 00 00 00              // ............
