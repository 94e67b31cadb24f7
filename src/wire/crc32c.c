// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005): table[k][b] is what byte b adds to the checksum when k
// bytes follow it. The tables are made anew for each call: that costs as much as two kilobytes of data do.
#include "wire/crc32c.h"
#include <string.h>

enum { STEP = 8 };

static void make_tables(uint32_t table[STEP][256]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
        table[0][byte] = crc;
    }
    for (int k = 1; k < STEP; k++)
        for (int byte = 0; byte < 256; byte++)
            table[k][byte] = (table[k - 1][byte] >> 8) ^ table[0][table[k - 1][byte] & 0xff];
}

uint32_t crc32c(const void *bytes, size_t size) {
    uint32_t table[STEP][256], crc = ~UINT32_C(0);
    const uint8_t *at = bytes;
    make_tables(table);
    for (; size >= STEP; size -= STEP, at += STEP) {
        uint32_t low, high;
        memcpy(&low, at, 4); // little-endian, as all machines are that this is built for
        memcpy(&high, at + 4, 4);
        low ^= crc;
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
              table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^ table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; size > 0; size--) crc = (crc >> 8) ^ table[0][(crc ^ *at++) & 0xff];
    return ~crc;
}
