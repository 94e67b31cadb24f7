// CRC-32C (Castagnoli): the checksum of iSCSI (RFC 3720, section 12.1 and appendix B.4), LevelDB and TensorFlow.
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t size);

// As LevelDB's files hold it, since a checksum of bytes that contain checksums would not tell much (leveldb,
// util/crc32c.h): rotated, and a constant added.
static inline uint32_t crc32c_masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + UINT32_C(0xa282ead8); }
