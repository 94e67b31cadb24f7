// The length of one x86-64 instruction, 0 where the bytes are none that is known here. For bench/cpumask.c, which has
// to tell the CPUID instructions of a library from the bytes 0F A2 inside of other instructions.
//
//     [prefixes] [REX] opcode [modrm [sib] [displacement]] [immediate]
//     [VEX or EVEX prefix, which also names the opcode's map] opcode modrm ...
//
// Source: AMD64 Architecture Programmer's Manual, volume 3, "Instruction Encoding" and opcode maps; Intel's SDM, volume
// 2, for EVEX. Lengths only: operands that do not exist are not noticed. Not known: APX (REX2, EVEX map 4).
#include <stdint.h>

// What stands behind an opcode, one character each: . nothing, m modrm (with all that belongs to it), i 1 byte, w 2, r
// 4, z 4 (2 with the prefix 66), M modrm and i, Z modrm and z, ! there is no such opcode, ? looked at below.
static const char one_byte_map[] = "mmmmiz!!mmmmiz!?"  // 00  0F: the map of two bytes
                                   "mmmmiz!!mmmmiz!!"  // 10
                                   "mmmmiz!!mmmmiz!!"  // 20  26, 2E, 36, 3E: prefixes
                                   "mmmmiz!!mmmmiz!!"  // 30
                                   "!!!!!!!!!!!!!!!!"  // 40  REX
                                   "................"  // 50
                                   "!!!m!!!!zZiM...."  // 60  62: EVEX; 64-67: prefixes
                                   "iiiiiiiiiiiiiiii"  // 70
                                   "MZ!Mmmmmmmmmmmm?"  // 80  8F: pop or XOP
                                   "..........!....."  // 90
                                   "????....iz......"  // A0  A0-A3: addresses of 8 bytes
                                   "iiiiiiii????????"  // B0  B8-BF: 8 bytes with REX.W
                                   "MMw.!!MZ?.w..i!."  // C0  C4, C5: VEX; C8: enter
                                   "mmmm!!!.mmmmmmmm"  // D0
                                   "iiiiiiiirr!i...."  // E0
                                   "......??......mm"; // F0  F6, F7: an immediate where reg is 0 or 1
static const char two_byte_map[] = "mmmm!.....!.!m.M"  // 00
                                   "mmmmmmmmmmmmmmmm"  // 10
                                   "mmmm!!!!mmmmmmmm"  // 20
                                   "........?!?!!!!!"  // 30  38, 3A: maps of three bytes
                                   "mmmmmmmmmmmmmmmm"  // 40
                                   "mmmmmmmmmmmmmmmm"  // 50
                                   "mmmmmmmmmmmmmmmm"  // 60
                                   "MMMMmmm.?m!!mmmm"  // 70  78: SSE4a's extrq has two bytes
                                   "rrrrrrrrrrrrrrrr"  // 80
                                   "mmmmmmmmmmmmmmmm"  // 90
                                   "...mMm!!...mMmmm"  // A0
                                   "mmmmmmmmmmMmmmmm"  // B0
                                   "mmMmMMMm........"  // C0
                                   "mmmmmmmmmmmmmmmm"  // D0
                                   "mmmmmmmmmmmmmmmm"  // E0
                                   "mmmmmmmmmmmmmmmm"; // F0

// The bytes of modrm, sib and displacement at p.
static int modrm_length(const uint8_t *p) {
    const int mod = p[0] >> 6, rm = p[0] & 7;
    if (mod == 3) return 1;
    const int sib = rm == 4, base = sib ? p[1] & 7 : rm;
    return 1 + sib + (mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
}

// The bytes behind an opcode of this kind (a character of the maps), -1 where it is none. z: the bytes of an immz.
static int rest_length(char kind, const uint8_t *p, int z) {
    switch (kind) {
    case '.': return 0;
    case 'i': return 1;
    case 'w': return 2;
    case 'z': return z;
    case 'r': return 4;
    case 'm': return modrm_length(p);
    case 'M': return modrm_length(p) + 1;
    case 'Z': return modrm_length(p) + z;
    default: return -1;
    }
}

// VEX (C4, C5), EVEX (62) and XOP (8F) at p: the whole length but for earlier prefixes.
static int vector_length(const uint8_t *p) {
    const int prefix = p[0] == 0xc5 ? 2 : p[0] == 0x62 ? 4 : 3; // the opcode stands behind it
    const int map = p[0] == 0xc5 ? 1 : p[1] & (p[0] == 0x62 ? 7 : 31);
    char kind = '!';
    if (p[0] == 0x8f) kind = map == 8 ? 'M' : map == 9 ? 'm' : map == 10 ? 'Z' : '!';
    else if (map == 1) kind = p[prefix] >= 0x78 && p[prefix] <= 0x7b ? 'm' : two_byte_map[p[prefix]];
    else if (map == 2 || map == 5 || map == 6) kind = 'm';
    else if (map == 3) kind = 'M';
    const int rest = rest_length(kind, p + prefix + 1, 4);
    return rest < 0 ? 0 : prefix + 1 + rest;
}

static int is_prefix(uint8_t byte) {
    return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0xf0 || byte == 0x64 ||
           byte == 0x65 || byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x26;
}

// The length of the instruction at p, of which 15 bytes and the 8 behind them may be read; 0: none that is known.
static int x86_length(const uint8_t *const start) {
    const uint8_t *p = start;
    int narrow = 0, short_address = 0, far_prefix = 0, wide = 0, rest;
    for (; is_prefix(*p) && p - start < 14; p++) {
        narrow |= *p == 0x66;
        short_address |= *p == 0x67;
        far_prefix |= *p == 0xf2;
    }
    if ((*p & 0xf0) == 0x40) wide = *p++ & 8;
    const uint8_t opcode = *p++;
    const int z = narrow && !wide ? 2 : 4;
    if (opcode == 0x0f) {
        const uint8_t second = *p++;
        const char kind = two_byte_map[second];
        if (second == 0x38 || second == 0x3a) rest = 1 + modrm_length(p + 1) + (second == 0x3a);
        else if (second == 0x78) rest = modrm_length(p) + (narrow || far_prefix ? 2 : 0);
        else rest = rest_length(kind, p, z);
    } else if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62 || (opcode == 0x8f && p[0] & 0x38)) {
        rest = vector_length(p - 1) - 1;
    } else if (opcode == 0x8f) {
        rest = modrm_length(p);
    } else if (opcode >= 0xa0 && opcode <= 0xa3) {
        rest = short_address ? 4 : 8;
    } else if (opcode >= 0xb8 && opcode <= 0xbf) {
        rest = wide ? 8 : z;
    } else if (opcode == 0xc8) {
        rest = 3;
    } else if (opcode == 0xf6 || opcode == 0xf7) {
        const int test = (p[0] & 0x30) == 0; // the others of the group have no immediate
        rest = modrm_length(p) + (test ? (opcode == 0xf6 ? 1 : z) : 0);
    } else {
        rest = rest_length(one_byte_map[opcode], p, z);
    }
    const long length = p - start + rest;
    return rest < 0 || length > 15 ? 0 : (int)length;
}
