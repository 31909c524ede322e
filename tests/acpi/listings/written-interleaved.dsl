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
[004h 0004 004h]                Table Length : 00000128
[008h 0008 001h]                    Revision : 01
[009h 0009 001h]                    Checksum : 7B
[00Ah 0010 006h]                      Oem ID : "TDXO  "
[010h 0016 008h]                Oem Table ID : "INTERLV "
[018h 0024 004h]                Oem Revision : 00000001
[01Ch 0028 004h]             Asl Compiler ID : "INTL"
[020h 0032 004h]       Asl Compiler Revision : 20200925


[024h 0036 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[025h 0037 001h]                    Reserved : 00
[026h 0038 002h]                      Length : 0020
[028h 0040 004h]      Associated host bridge : 00000001
[02Ch 0044 004h]       Specification version : 00000001
[030h 0048 004h]                    Reserved : 00000000
[034h 0052 008h]               Register base : 00000000FD000000
[03Ch 0060 008h]             Register length : 0000000000010000

[044h 0068 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[045h 0069 001h]                    Reserved : 00
[046h 0070 002h]                      Length : 0020
[048h 0072 004h]      Associated host bridge : 00000002
[04Ch 0076 004h]       Specification version : 00000001
[050h 0080 004h]                    Reserved : 00000000
[054h 0084 008h]               Register base : 00000000FD010000
[05Ch 0092 008h]             Register length : 0000000000010000

[064h 0100 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[065h 0101 001h]                    Reserved : 00
[066h 0102 002h]                      Length : 0020
[068h 0104 004h]      Associated host bridge : 00000007
[06Ch 0108 004h]       Specification version : 00000001
[070h 0112 004h]                    Reserved : 00000000
[074h 0116 008h]               Register base : 00000000FD020000
[07Ch 0124 008h]             Register length : 0000000000010000

[084h 0132 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[085h 0133 001h]                    Reserved : 00
[086h 0134 002h]                      Length : 0020
[088h 0136 004h]      Associated host bridge : 00000009
[08Ch 0140 004h]       Specification version : 00000000
[090h 0144 004h]                    Reserved : 00000000
[094h 0148 008h]               Register base : 00000000FE000000
[09Ch 0156 008h]             Register length : 0000000000002000

[0A4h 0164 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[0A5h 0165 001h]                    Reserved : 00
[0A6h 0166 002h]                      Length : 002C
[0A8h 0168 004h]                    Reserved : 00000000
[0ACh 0172 008h]         Window base address : 0000001000000000
[0B4h 0180 008h]                 Window size : 0000000800000000
[0BCh 0188 001h]          Interleave Members : 01
[0BDh 0189 001h]       Interleave Arithmetic : 00
[0BEh 0190 002h]                    Reserved : 0000
[0C0h 0192 004h]                 Granularity : 00000002
[0C4h 0196 002h]                Restrictions : 0006
[0C6h 0198 002h]                       QtgId : 0000
[0C8h 0200 004h]                First Target : 00000001
[0CCh 0204 004h]                 Next Target : 00000002

[0D0h 0208 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[0D1h 0209 001h]                    Reserved : 00
[0D2h 0210 002h]                      Length : 0030
[0D4h 0212 004h]                    Reserved : 00000000
[0D8h 0216 008h]         Window base address : 0000001800000000
[0E0h 0224 008h]                 Window size : 0000000C00000000
[0E8h 0232 001h]          Interleave Members : 08
[0E9h 0233 001h]       Interleave Arithmetic : 00
[0EAh 0234 002h]                    Reserved : 0000
[0ECh 0236 004h]                 Granularity : 00000000
[0F0h 0240 002h]                Restrictions : 0006
[0F2h 0242 002h]                       QtgId : 0001
[0F4h 0244 004h]                First Target : 00000007
[0F8h 0248 004h]                 Next Target : 00000002
[0FCh 0252 004h]                 Next Target : 00000001

[100h 0256 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[101h 0257 001h]                    Reserved : 00
[102h 0258 002h]                      Length : 0028
[104h 0260 004h]                    Reserved : 00000000
[108h 0264 008h]         Window base address : 0000010000000000
[110h 0272 008h]                 Window size : 0000000010000000
[118h 0280 001h]          Interleave Members : 00
[119h 0281 001h]       Interleave Arithmetic : 00
[11Ah 0282 002h]                    Reserved : 0000
[11Ch 0284 004h]                 Granularity : 00000005
[120h 0288 002h]                Restrictions : 001A
[122h 0290 002h]                       QtgId : 0002
[124h 0292 004h]                First Target : 00000007

Raw Table Data: Length 296 (0x128)

    0000: 43 45 44 54 28 01 00 00 01 7B 54 44 58 4F 20 20  // CEDT(....{TDXO
    0010: 49 4E 54 45 52 4C 56 20 01 00 00 00 49 4E 54 4C  // INTERLV ....INTL
    0020: 25 09 20 20 00 00 20 00 01 00 00 00 01 00 00 00  // %.  .. .........
    0030: 00 00 00 00 00 00 00 FD 00 00 00 00 00 00 01 00  // ................
    0040: 00 00 00 00 00 00 20 00 02 00 00 00 01 00 00 00  // ...... .........
    0050: 00 00 00 00 00 00 01 FD 00 00 00 00 00 00 01 00  // ................
    0060: 00 00 00 00 00 00 20 00 07 00 00 00 01 00 00 00  // ...... .........
    0070: 00 00 00 00 00 00 02 FD 00 00 00 00 00 00 01 00  // ................
    0080: 00 00 00 00 00 00 20 00 09 00 00 00 00 00 00 00  // ...... .........
    0090: 00 00 00 00 00 00 00 FE 00 00 00 00 00 20 00 00  // ............. ..
    00A0: 00 00 00 00 01 00 2C 00 00 00 00 00 00 00 00 00  // ......,.........
    00B0: 10 00 00 00 00 00 00 00 08 00 00 00 01 00 00 00  // ................
    00C0: 02 00 00 00 06 00 00 00 01 00 00 00 02 00 00 00  // ................
    00D0: 01 00 30 00 00 00 00 00 00 00 00 00 18 00 00 00  // ..0.............
    00E0: 00 00 00 00 0C 00 00 00 08 00 00 00 00 00 00 00  // ................
    00F0: 06 00 01 00 07 00 00 00 02 00 00 00 01 00 00 00  // ................
    0100: 01 00 28 00 00 00 00 00 00 00 00 00 00 01 00 00  // ..(.............
    0110: 00 00 00 10 00 00 00 00 00 00 00 00 05 00 00 00  // ................
    0120: 1A 00 02 00 07 00 00 00                          // ........
