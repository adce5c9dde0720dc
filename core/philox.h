// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3" (SC'11). Word i of a stream is word i & 3 of the block whose counter is (n lo, n hi,
// stream lo, stream hi), n = i >> 2, under the key (seed lo, seed hi): what cuRAND's curand_init(seed,
// stream, i) returns first.
#ifndef ISOMETRY_CORE_PHILOX_H_
#define ISOMETRY_CORE_PHILOX_H_

#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxM0 = 0xD2511F53u, kPhiloxM1 = 0xCD9E8D57u;  // multipliers
inline constexpr uint32_t kPhiloxW0 = 0x9E3779B9u, kPhiloxW1 = 0xBB67AE85u;  // key increments (Weyl sequence)

// The keys of all rounds; they depend on the seed alone.
struct PhiloxKeys {
  uint32_t k0[kPhiloxRounds], k1[kPhiloxRounds];
};

ISOMETRY_HD PhiloxKeys philoxKeys(uint64_t seed) {
  PhiloxKeys keys;
  for (uint32_t r = 0; r < kPhiloxRounds; ++r) {
    keys.k0[r] = static_cast<uint32_t>(seed) + r * kPhiloxW0;
    keys.k1[r] = static_cast<uint32_t>(seed >> 32) + r * kPhiloxW1;
  }
  return keys;
}

// One lane: a 32-bit word is held in 64 bits of which only the low half counts, so that a product needs no
// split and a SIMD register of 64-bit lanes does for the same code (cpu/simd_*.h).
struct ScalarLane {
  using Word = uint64_t;
  static ISOMETRY_HD Word multiply(Word a, uint32_t m) {
    return static_cast<uint64_t>(static_cast<uint32_t>(a)) * m;
  }
  static ISOMETRY_HD Word high(Word product) { return product >> 32; }
  static ISOMETRY_HD Word exclusiveOr(Word a, Word b, uint32_t key) { return a ^ b ^ key; }
};

// Turns the counter c[0..3] into four random words, in place. Only the low 32 bits of each are the result.
template <class Lane>
ISOMETRY_HD void philox(typename Lane::Word (&c)[4], const PhiloxKeys& keys) {
  ISOMETRY_UNROLL
  for (int r = 0; r < kPhiloxRounds; ++r) {
    const auto p0 = Lane::multiply(c[0], kPhiloxM0);
    const auto p1 = Lane::multiply(c[2], kPhiloxM1);
    c[0] = Lane::exclusiveOr(Lane::high(p1), c[1], keys.k0[r]);
    c[1] = p1;
    c[2] = Lane::exclusiveOr(Lane::high(p0), c[3], keys.k1[r]);
    c[3] = p0;
  }
}

// The four words of block n of a stream.
ISOMETRY_HD void philoxBlock(const PhiloxKeys& keys, uint64_t stream, uint64_t n, uint32_t (&words)[4]) {
  uint64_t c[4] = {n, n >> 32, stream, stream >> 32};
  philox<ScalarLane>(c, keys);
  for (int i = 0; i < 4; ++i) words[i] = static_cast<uint32_t>(c[i]);
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_PHILOX_H_
