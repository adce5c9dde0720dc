// A pseudo-random permutation of [0, size), one number at a time: a Feistel network (Luby and Rackoff, "How
// to construct pseudorandom permutations from pseudorandom functions", 1988) on the smallest power of two
// that holds the numbers, walked until it comes back to one of them (Black and Rogaway, "Ciphers with
// arbitrary finite domains", 2002). docs/adr/0009-sparse.md defines it and says why so.
#ifndef ISOMETRY_CORE_PERMUTATION_H_
#define ISOMETRY_CORE_PERMUTATION_H_

#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

inline constexpr uint32_t kPermutationRounds = 10;
// Networks on fewer bits are far from random; small sizes walk in 64 numbers.
inline constexpr uint32_t kPermutationBits = 6;

// What depends on the size alone, 1 <= size <= 2^53: a number is high·2^lowBits + low.
struct PermutationDomain {
  uint64_t size;
  uint32_t lowBits, lowMask, highMask;
};

ISOMETRY_HD PermutationDomain permutationDomain(uint64_t size) {
  uint32_t bits = kPermutationBits;
  while ((uint64_t{1} << bits) < size) ++bits;
  const uint32_t lowBits = (bits + 1) / 2;
  return {size, lowBits, (1u << lowBits) - 1, (1u << (bits - lowBits)) - 1};
}

// A bijection of 32-bit words that lets every bit depend on every other: the finalizer of MurmurHash3
// (Appleby).
ISOMETRY_HD uint32_t mixWord(uint32_t word) {
  word = (word ^ (word >> 16)) * 0x85ebca6bu;
  word = (word ^ (word >> 13)) * 0xc2b2ae35u;
  return word ^ (word >> 16);
}

// Where the permutation with these four random words puts x < size. 2^bits / size rounds of the loop on
// average: below 2 from size 33 on. It ends, because x itself lies on the cycle that it walks.
ISOMETRY_HD uint64_t permute(const PermutationDomain& domain, const uint32_t (&words)[4], uint64_t x) {
  do {
    uint32_t high = static_cast<uint32_t>(x >> domain.lowBits);
    uint32_t low = static_cast<uint32_t>(x) & domain.lowMask;
    ISOMETRY_UNROLL
    for (uint32_t round = 0; round < kPermutationRounds; round += 2) {
      // Multiples of 2^32 / golden ratio: the keys of rounds that share a word differ.
      const uint32_t key0 = words[round % 4] + round * 0x9e3779b9u;
      const uint32_t key1 = words[round % 4 + 1] + (round + 1) * 0x9e3779b9u;
      high ^= mixWord(low ^ key0) & domain.highMask;
      low ^= mixWord(high ^ key1) & domain.lowMask;
    }
    x = static_cast<uint64_t>(high) << domain.lowBits | low;
  } while (x >= domain.size);
  return x;
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_PERMUTATION_H_
