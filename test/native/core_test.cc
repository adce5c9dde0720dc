// core/ against independent oracles: known answers, the hardware's own fused multiply-add and conversions.
#include <cmath>
#include <cstdio>
#include <string>

#include "check.h"
#include "core/fma.h"
#include "core/normal.h"
#include "core/philox.h"
#include "core/round.h"
#include "core/uniform.h"

namespace isometry {
namespace {

TEST(philoxGivesTheKnownAnswers) {
  std::FILE* file = std::fopen(ISOMETRY_GOLDEN_DIR "/philox.kat", "r");
  CHECK(file != nullptr);
  if (!file) return;
  int vectors = 0;
  char line[256];
  while (std::fgets(line, sizeof line, file)) {
    uint32_t v[10];
    if (line[0] == '#') continue;
    if (std::sscanf(line, "%x %x %x %x %x %x %x %x %x %x", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7,
                    v + 8, v + 9) != 10) {
      continue;
    }
    uint64_t c[4] = {v[0], v[1], v[2], v[3]};
    philox<ScalarLane>(c, philoxKeys(static_cast<uint64_t>(v[5]) << 32 | v[4]));
    for (int i = 0; i < 4; ++i) CHECK(static_cast<uint32_t>(c[i]) == v[6 + i]);
    ++vectors;
  }
  std::fclose(file);
  CHECK(vectors == 3);
}

// Inputs of these tests, not weights.
uint32_t next() {
  static uint64_t state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<uint32_t>(state >> 16);
}

float finite(uint32_t bits) {
  const float x = bitCast<float>(bits);
  return x - x == 0 ? x : 1.0f;
}

TEST(emulatedFmaIsFma) {
  // std::fma is exact by the C standard, with or without hardware.
  for (int i = 0; i < 2000000; ++i) {
    const float a = finite(next()), b = finite(next()), c = finite(next());
    CHECK(bitCast<uint32_t>(emulatedFma(a, b, c)) == bitCast<uint32_t>(std::fma(a, b, c)));
  }
  // Where rounding twice goes wrong: exponents close together, sums next to ties.
  int twice = 0;
  for (int i = 0; i < 2000000; ++i) {
    const float c = bitCast<float>(0x3f800000u | (next() >> 9));
    const float a = bitCast<float>(0x3f800000u | (next() & 0xff)),
                b = bitCast<float>(0x33800000u - (next() & 0xff));
    const float truth = std::fma(a, b, c);
    CHECK(emulatedFma(a, b, c) == truth);
    twice += static_cast<float>(static_cast<double>(a) * b + c) != truth;
  }
  CHECK(twice > 0);
  // Subnormal results.
  for (int i = 0; i < 500000; ++i) {
    const float a = bitCast<float>((next() & 0x807fffffu) | 0x1f000000u);
    const float b = bitCast<float>((next() & 0x807fffffu) | 0x1f800000u);
    const float c = bitCast<float>(next() & 0x800fffffu);
    CHECK(emulatedFma(a, b, c) == std::fma(a, b, c));
  }
}

#if defined(__x86_64__)
__attribute__((target("f16c"))) uint16_t hardwareFloat16(float x) {
  return __builtin_ia32_vcvtps2ph((__attribute__((vector_size(16))) float){x}, 0)[0];
}

TEST(float16IsTheHardwares) {
  if (!__builtin_cpu_supports("f16c")) {
    std::printf("skipped: this CPU has no F16C\n");
    return;
  }
  for (uint64_t bits = 0; bits < (1ull << 32); bits += 251) {
    const float x = bitCast<float>(static_cast<uint32_t>(bits));
    CHECK(toFloat16(x) == hardwareFloat16(x));
  }
}
#endif

TEST(bfloat16IsTheNearest) {
  for (uint32_t high = 0; high < 0x7f7f; ++high) {
    const float low = bitCast<float>(high << 16), up = bitCast<float>((high + 1) << 16);
    const float middle = bitCast<float>((high << 16) | 0x8000);
    CHECK(toBFloat16(low) == high && toBFloat16(-up) == (0x8000 | (high + 1)));
    CHECK(toBFloat16(middle) == (high & 1 ? high + 1 : high));
    CHECK(toBFloat16(bitCast<float>((high << 16) | 0x7fff)) == high);
    CHECK(toBFloat16(bitCast<float>((high << 16) | 0x8001)) == high + 1);
  }
}

TEST(uniformStaysBelowItsRange) {
  const float step = uniformStep32(1.0);
  CHECK(uniform32(0, 0.0f, step) == 0.0f);
  CHECK(uniform32(0xffffffffu, 0.0f, step) == 1.0f - 0x1p-24f);
  CHECK(uniform64(0xffffffffu, 0xffffffffu, 0, 1) == 1 - 0x1p-53);
  CHECK(uniform64(0, 0, -3, 1) == -3);
}

TEST(truncatedWordsFillTheirWindow) {
  for (uint32_t count : {1u, 2u, 1u << 30, 0xfffffffeu, 0xffffffffu}) {
    const uint32_t base = 0xffffffffu - count;
    CHECK(truncateWord(0, base, count) == base);
    CHECK(truncateWord(0xffffffffu, base, count) == base + count - 1);
  }
}

}  // namespace
}  // namespace isometry
