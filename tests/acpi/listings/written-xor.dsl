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
[004h 0004 004h]                Table Length : 000003B9
[008h 0008 001h]                    Revision : 02
[009h 0009 001h]                    Checksum : E7
[00Ah 0010 006h]                      Oem ID : "TDXO  "
[010h 0016 008h]                Oem Table ID : "XOR     "
[018h 0024 004h]                Oem Revision : 00000001
[01Ch 0028 004h]             Asl Compiler ID : "INTL"
[020h 0032 004h]       Asl Compiler Revision : 20200925


[024h 0036 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[025h 0037 001h]                    Reserved : 00
[026h 0038 002h]                      Length : 0020
[028h 0040 004h]      Associated host bridge : 00000010
[02Ch 0044 004h]       Specification version : 00000001
[030h 0048 004h]                    Reserved : 00000000
[034h 0052 008h]               Register base : 0000003FFFF00000
[03Ch 0060 008h]             Register length : 0000000000010000

[044h 0068 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[045h 0069 001h]                    Reserved : 00
[046h 0070 002h]                      Length : 0020
[048h 0072 004h]      Associated host bridge : 00000011
[04Ch 0076 004h]       Specification version : 00000001
[050h 0080 004h]                    Reserved : 00000000
[054h 0084 008h]               Register base : 0000003FFFF10000
[05Ch 0092 008h]             Register length : 0000000000010000

[064h 0100 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[065h 0101 001h]                    Reserved : 00
[066h 0102 002h]                      Length : 0020
[068h 0104 004h]      Associated host bridge : 00000012
[06Ch 0108 004h]       Specification version : 00000001
[070h 0112 004h]                    Reserved : 00000000
[074h 0116 008h]               Register base : 0000003FFFF20000
[07Ch 0124 008h]             Register length : 0000000000010000

[084h 0132 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[085h 0133 001h]                    Reserved : 00
[086h 0134 002h]                      Length : 0020
[088h 0136 004h]      Associated host bridge : 00000013
[08Ch 0140 004h]       Specification version : 00000001
[090h 0144 004h]                    Reserved : 00000000
[094h 0148 008h]               Register base : 0000003FFFF30000
[09Ch 0156 008h]             Register length : 0000000000010000

[0A4h 0164 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[0A5h 0165 001h]                    Reserved : 00
[0A6h 0166 002h]                      Length : 0020
[0A8h 0168 004h]      Associated host bridge : 00000014
[0ACh 0172 004h]       Specification version : 00000001
[0B0h 0176 004h]                    Reserved : 00000000
[0B4h 0180 008h]               Register base : 0000003FFFF40000
[0BCh 0188 008h]             Register length : 0000000000010000

[0C4h 0196 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[0C5h 0197 001h]                    Reserved : 00
[0C6h 0198 002h]                      Length : 0020
[0C8h 0200 004h]      Associated host bridge : 00000015
[0CCh 0204 004h]       Specification version : 00000001
[0D0h 0208 004h]                    Reserved : 00000000
[0D4h 0212 008h]               Register base : 0000003FFFF50000
[0DCh 0220 008h]             Register length : 0000000000010000

[0E4h 0228 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[0E5h 0229 001h]                    Reserved : 00
[0E6h 0230 002h]                      Length : 0020
[0E8h 0232 004h]      Associated host bridge : 00000016
[0ECh 0236 004h]       Specification version : 00000001
[0F0h 0240 004h]                    Reserved : 00000000
[0F4h 0244 008h]               Register base : 0000003FFFF60000
[0FCh 0252 008h]             Register length : 0000000000010000

[104h 0260 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[105h 0261 001h]                    Reserved : 00
[106h 0262 002h]                      Length : 0020
[108h 0264 004h]      Associated host bridge : 00000017
[10Ch 0268 004h]       Specification version : 00000001
[110h 0272 004h]                    Reserved : 00000000
[114h 0276 008h]               Register base : 0000003FFFF70000
[11Ch 0284 008h]             Register length : 0000000000010000

[124h 0292 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[125h 0293 001h]                    Reserved : 00
[126h 0294 002h]                      Length : 0020
[128h 0296 004h]      Associated host bridge : 00000018
[12Ch 0300 004h]       Specification version : 00000001
[130h 0304 004h]                    Reserved : 00000000
[134h 0308 008h]               Register base : 0000003FFFF80000
[13Ch 0316 008h]             Register length : 0000000000010000

[144h 0324 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[145h 0325 001h]                    Reserved : 00
[146h 0326 002h]                      Length : 0020
[148h 0328 004h]      Associated host bridge : 00000019
[14Ch 0332 004h]       Specification version : 00000001
[150h 0336 004h]                    Reserved : 00000000
[154h 0340 008h]               Register base : 0000003FFFF90000
[15Ch 0348 008h]             Register length : 0000000000010000

[164h 0356 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[165h 0357 001h]                    Reserved : 00
[166h 0358 002h]                      Length : 0020
[168h 0360 004h]      Associated host bridge : 0000001A
[16Ch 0364 004h]       Specification version : 00000001
[170h 0368 004h]                    Reserved : 00000000
[174h 0372 008h]               Register base : 0000003FFFFA0000
[17Ch 0380 008h]             Register length : 0000000000010000

[184h 0388 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[185h 0389 001h]                    Reserved : 00
[186h 0390 002h]                      Length : 0020
[188h 0392 004h]      Associated host bridge : 0000001B
[18Ch 0396 004h]       Specification version : 00000001
[190h 0400 004h]                    Reserved : 00000000
[194h 0404 008h]               Register base : 0000003FFFFB0000
[19Ch 0412 008h]             Register length : 0000000000010000

[1A4h 0420 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[1A5h 0421 001h]                    Reserved : 00
[1A6h 0422 002h]                      Length : 0020
[1A8h 0424 004h]      Associated host bridge : 0000001C
[1ACh 0428 004h]       Specification version : 00000001
[1B0h 0432 004h]                    Reserved : 00000000
[1B4h 0436 008h]               Register base : 0000003FFFFC0000
[1BCh 0444 008h]             Register length : 0000000000010000

[1C4h 0452 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[1C5h 0453 001h]                    Reserved : 00
[1C6h 0454 002h]                      Length : 0020
[1C8h 0456 004h]      Associated host bridge : 0000001D
[1CCh 0460 004h]       Specification version : 00000001
[1D0h 0464 004h]                    Reserved : 00000000
[1D4h 0468 008h]               Register base : 0000003FFFFD0000
[1DCh 0476 008h]             Register length : 0000000000010000

[1E4h 0484 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[1E5h 0485 001h]                    Reserved : 00
[1E6h 0486 002h]                      Length : 0020
[1E8h 0488 004h]      Associated host bridge : 0000001E
[1ECh 0492 004h]       Specification version : 00000001
[1F0h 0496 004h]                    Reserved : 00000000
[1F4h 0500 008h]               Register base : 0000003FFFFE0000
[1FCh 0508 008h]             Register length : 0000000000010000

[204h 0516 001h]               Subtable Type : 00 [CXL Host Bridge Structure]
[205h 0517 001h]                    Reserved : 00
[206h 0518 002h]                      Length : 0020
[208h 0520 004h]      Associated host bridge : 0000001F
[20Ch 0524 004h]       Specification version : 00000001
[210h 0528 004h]                    Reserved : 00000000
[214h 0532 008h]               Register base : 0000003FFFFF0000
[21Ch 0540 008h]             Register length : 0000000000010000

[224h 0548 001h]               Subtable Type : 02 [CXL XOR Interleave Math Structure]
[225h 0549 001h]                    Reserved : 00
[226h 0550 002h]                      Length : 0018
[228h 0552 002h]                    Reserved : 0000
[22Ah 0554 001h]      Interleave Granularity : 06
[22Bh 0555 001h]           Xormap List Count : 02
[22Ch 0556 008h]                First Xormap : 0000040400004000
[22Dh 0557 008h]                 Next Xormap : 0000080800008000

[23Ch 0572 001h]               Subtable Type : 03 [CXL RCEC Downstream Port Association Structure]
[23Dh 0573 001h]                    Reserved : 00
[23Eh 0574 002h]                      Length : 0011
[240h 0576 002h]                 PCI Segment : 0000
[242h 0578 002h]                     PCI BDF : 1200
[244h 0580 008h]           RCRB Base Address : 000000FE10000001
[24Ch 0588 001h]                    Protocol : 00
[24Dh 0589 003h]                    Reserved : 340001

[24Dh 0589 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[24Eh 0590 001h]                    Reserved : 00
[24Fh 0591 002h]                      Length : 0034
[251h 0593 004h]                    Reserved : 00000000
[255h 0597 008h]         Window base address : 0000004000000000
[25Dh 0605 008h]                 Window size : 0000004000000000
[265h 0613 001h]          Interleave Members : 02
[266h 0614 001h]       Interleave Arithmetic : 01
[267h 0615 002h]                    Reserved : 0000
[269h 0617 004h]                 Granularity : 00000006
[26Dh 0621 002h]                Restrictions : 0026
[26Fh 0623 002h]                       QtgId : 0000
[271h 0625 004h]                First Target : 00000010
[275h 0629 004h]                 Next Target : 00000011
[279h 0633 004h]                 Next Target : 00000012
[27Dh 0637 004h]                 Next Target : 00000013

[281h 0641 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[282h 0642 001h]                    Reserved : 00
[283h 0643 002h]                      Length : 003C
[285h 0645 004h]                    Reserved : 00000000
[289h 0649 008h]         Window base address : 0000008000000000
[291h 0657 008h]                 Window size : 0000003000000000
[299h 0665 001h]          Interleave Members : 09
[29Ah 0666 001h]       Interleave Arithmetic : 00
[29Bh 0667 002h]                    Reserved : 0000
[29Dh 0669 004h]                 Granularity : 00000001
[2A1h 0673 002h]                Restrictions : 0005
[2A3h 0675 002h]                       QtgId : 0000
[2A5h 0677 004h]                First Target : 00000010
[2A9h 0681 004h]                 Next Target : 00000012
[2ADh 0685 004h]                 Next Target : 00000014
[2B1h 0689 004h]                 Next Target : 00000011
[2B5h 0693 004h]                 Next Target : 00000013
[2B9h 0697 004h]                 Next Target : 00000015

[2BDh 0701 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[2BEh 0702 001h]                    Reserved : 00
[2BFh 0703 002h]                      Length : 0044
[2C1h 0705 004h]                    Reserved : 00000000
[2C5h 0709 008h]         Window base address : 0000010000000000
[2CDh 0717 008h]                 Window size : 0000008000000000
[2D5h 0725 001h]          Interleave Members : 03
[2D6h 0726 001h]       Interleave Arithmetic : 00
[2D7h 0727 002h]                    Reserved : 0000
[2D9h 0729 004h]                 Granularity : 00000003
[2DDh 0733 002h]                Restrictions : 003F
[2DFh 0735 002h]                       QtgId : FFFF
[2E1h 0737 004h]                First Target : 00000010
[2E5h 0741 004h]                 Next Target : 00000011
[2E9h 0745 004h]                 Next Target : 00000012
[2EDh 0749 004h]                 Next Target : 00000013
[2F1h 0753 004h]                 Next Target : 00000014
[2F5h 0757 004h]                 Next Target : 00000015
[2F9h 0761 004h]                 Next Target : 00000016
[2FDh 0765 004h]                 Next Target : 00000017

[301h 0769 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[302h 0770 001h]                    Reserved : 00
[303h 0771 002h]                      Length : 0054
[305h 0773 004h]                    Reserved : 00000000
[309h 0777 008h]         Window base address : 0000020000000000
[311h 0785 008h]                 Window size : 000000C000000000
[319h 0793 001h]          Interleave Members : 0A
[31Ah 0794 001h]       Interleave Arithmetic : 00
[31Bh 0795 002h]                    Reserved : 0000
[31Dh 0797 004h]                 Granularity : 00000004
[321h 0801 002h]                Restrictions : 0006
[323h 0803 002h]                       QtgId : 0000
[325h 0805 004h]                First Target : 0000001B
[329h 0809 004h]                 Next Target : 0000001A
[32Dh 0813 004h]                 Next Target : 00000019
[331h 0817 004h]                 Next Target : 00000018
[335h 0821 004h]                 Next Target : 00000017
[339h 0825 004h]                 Next Target : 00000016
[33Dh 0829 004h]                 Next Target : 00000015
[341h 0833 004h]                 Next Target : 00000014
[345h 0837 004h]                 Next Target : 00000013
[349h 0841 004h]                 Next Target : 00000012
[34Dh 0845 004h]                 Next Target : 00000011
[351h 0849 004h]                 Next Target : 00000010

[355h 0853 001h]               Subtable Type : 01 [CXL Fixed Memory Window Structure]
[356h 0854 001h]                    Reserved : 00
[357h 0855 002h]                      Length : 0064
[359h 0857 004h]                    Reserved : 00000000
[35Dh 0861 008h]         Window base address : 0000040000000000
[365h 0869 008h]                 Window size : 0000040000000000
[36Dh 0877 001h]          Interleave Members : 04
[36Eh 0878 001h]       Interleave Arithmetic : 00
[36Fh 0879 002h]                    Reserved : 0000
[371h 0881 004h]                 Granularity : 00000005
[375h 0885 002h]                Restrictions : 0006
[377h 0887 002h]                       QtgId : 0003
[379h 0889 004h]                First Target : 00000010
[37Dh 0893 004h]                 Next Target : 00000011
[381h 0897 004h]                 Next Target : 00000012
[385h 0901 004h]                 Next Target : 00000013
[389h 0905 004h]                 Next Target : 00000014
[38Dh 0909 004h]                 Next Target : 00000015
[391h 0913 004h]                 Next Target : 00000016
[395h 0917 004h]                 Next Target : 00000017
[399h 0921 004h]                 Next Target : 00000018
[39Dh 0925 004h]                 Next Target : 00000019
[3A1h 0929 004h]                 Next Target : 0000001A
[3A5h 0933 004h]                 Next Target : 0000001B
[3A9h 0937 004h]                 Next Target : 0000001C
[3ADh 0941 004h]                 Next Target : 0000001D
[3B1h 0945 004h]                 Next Target : 0000001E
[3B5h 0949 004h]                 Next Target : 0000001F

Raw Table Data: Length 953 (0x3B9)

    0000: 43 45 44 54 B9 03 00 00 02 E7 54 44 58 4F 20 20  // CEDT......TDXO
    0010: 58 4F 52 20 20 20 20 20 01 00 00 00 49 4E 54 4C  // XOR     ....INTL
    0020: 25 09 20 20 00 00 20 00 10 00 00 00 01 00 00 00  // %.  .. .........
    0030: 00 00 00 00 00 00 F0 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0040: 00 00 00 00 00 00 20 00 11 00 00 00 01 00 00 00  // ...... .........
    0050: 00 00 00 00 00 00 F1 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0060: 00 00 00 00 00 00 20 00 12 00 00 00 01 00 00 00  // ...... .........
    0070: 00 00 00 00 00 00 F2 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0080: 00 00 00 00 00 00 20 00 13 00 00 00 01 00 00 00  // ...... .........
    0090: 00 00 00 00 00 00 F3 FF 3F 00 00 00 00 00 01 00  // ........?.......
    00A0: 00 00 00 00 00 00 20 00 14 00 00 00 01 00 00 00  // ...... .........
    00B0: 00 00 00 00 00 00 F4 FF 3F 00 00 00 00 00 01 00  // ........?.......
    00C0: 00 00 00 00 00 00 20 00 15 00 00 00 01 00 00 00  // ...... .........
    00D0: 00 00 00 00 00 00 F5 FF 3F 00 00 00 00 00 01 00  // ........?.......
    00E0: 00 00 00 00 00 00 20 00 16 00 00 00 01 00 00 00  // ...... .........
    00F0: 00 00 00 00 00 00 F6 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0100: 00 00 00 00 00 00 20 00 17 00 00 00 01 00 00 00  // ...... .........
    0110: 00 00 00 00 00 00 F7 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0120: 00 00 00 00 00 00 20 00 18 00 00 00 01 00 00 00  // ...... .........
    0130: 00 00 00 00 00 00 F8 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0140: 00 00 00 00 00 00 20 00 19 00 00 00 01 00 00 00  // ...... .........
    0150: 00 00 00 00 00 00 F9 FF 3F 00 00 00 00 00 01 00  // ........?.......
    0160: 00 00 00 00 00 00 20 00 1A 00 00 00 01 00 00 00  // ...... .........
    0170: 00 00 00 00 00 00 FA FF 3F 00 00 00 00 00 01 00  // ........?.......
    0180: 00 00 00 00 00 00 20 00 1B 00 00 00 01 00 00 00  // ...... .........
    0190: 00 00 00 00 00 00 FB FF 3F 00 00 00 00 00 01 00  // ........?.......
    01A0: 00 00 00 00 00 00 20 00 1C 00 00 00 01 00 00 00  // ...... .........
    01B0: 00 00 00 00 00 00 FC FF 3F 00 00 00 00 00 01 00  // ........?.......
    01C0: 00 00 00 00 00 00 20 00 1D 00 00 00 01 00 00 00  // ...... .........
    01D0: 00 00 00 00 00 00 FD FF 3F 00 00 00 00 00 01 00  // ........?.......
    01E0: 00 00 00 00 00 00 20 00 1E 00 00 00 01 00 00 00  // ...... .........
    01F0: 00 00 00 00 00 00 FE FF 3F 00 00 00 00 00 01 00  // ........?.......
    0200: 00 00 00 00 00 00 20 00 1F 00 00 00 01 00 00 00  // ...... .........
    0210: 00 00 00 00 00 00 FF FF 3F 00 00 00 00 00 01 00  // ........?.......
    0220: 00 00 00 00 02 00 18 00 00 00 06 02 00 40 00 00  // .............@..
    0230: 04 04 00 00 00 80 00 00 08 08 00 00 03 00 11 00  // ................
    0240: 00 00 00 12 01 00 00 10 FE 00 00 00 00 01 00 34  // ...............4
    0250: 00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00  // .........@......
    0260: 00 40 00 00 00 02 01 00 00 06 00 00 00 26 00 00  // .@...........&..
    0270: 00 10 00 00 00 11 00 00 00 12 00 00 00 13 00 00  // ................
    0280: 00 01 00 3C 00 00 00 00 00 00 00 00 00 80 00 00  // ...<............
    0290: 00 00 00 00 00 30 00 00 00 09 00 00 00 01 00 00  // .....0..........
    02A0: 00 05 00 00 00 10 00 00 00 12 00 00 00 14 00 00  // ................
    02B0: 00 11 00 00 00 13 00 00 00 15 00 00 00 01 00 44  // ...............D
    02C0: 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00  // ................
    02D0: 00 80 00 00 00 03 00 00 00 03 00 00 00 3F 00 FF  // .............?..
    02E0: FF 10 00 00 00 11 00 00 00 12 00 00 00 13 00 00  // ................
    02F0: 00 14 00 00 00 15 00 00 00 16 00 00 00 17 00 00  // ................
    0300: 00 01 00 54 00 00 00 00 00 00 00 00 00 00 02 00  // ...T............
    0310: 00 00 00 00 00 C0 00 00 00 0A 00 00 00 04 00 00  // ................
    0320: 00 06 00 00 00 1B 00 00 00 1A 00 00 00 19 00 00  // ................
    0330: 00 18 00 00 00 17 00 00 00 16 00 00 00 15 00 00  // ................
    0340: 00 14 00 00 00 13 00 00 00 12 00 00 00 11 00 00  // ................
    0350: 00 10 00 00 00 01 00 64 00 00 00 00 00 00 00 00  // .......d........
    0360: 00 00 04 00 00 00 00 00 00 00 04 00 00 04 00 00  // ................
    0370: 00 05 00 00 00 06 00 03 00 10 00 00 00 11 00 00  // ................
    0380: 00 12 00 00 00 13 00 00 00 14 00 00 00 15 00 00  // ................
    0390: 00 16 00 00 00 17 00 00 00 18 00 00 00 19 00 00  // ................
    03A0: 00 1A 00 00 00 1B 00 00 00 1C 00 00 00 1D 00 00  // ................
    03B0: 00 1E 00 00 00 1F 00 00 00                       // .........
