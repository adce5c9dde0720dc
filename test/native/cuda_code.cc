// GPU code for the fake driver, which looks at its first bytes only (cuda/fatbin.h).
#include "cuda/fatbin.h"

extern "C" {
alignas(16) extern const
    unsigned char isometry_fatbin[] = {0x50, 0xed, 0x55, 0xba, 1, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0};
extern const uint64_t isometry_fatbin_bytes = sizeof isometry_fatbin;
extern const int isometry_fatbin_version = 13000;
}
