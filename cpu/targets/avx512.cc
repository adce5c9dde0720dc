#define ISOMETRY_TARGET avx512

#include "cpu/fill-inl.h"
#include "cpu/orthogonal-inl.h"
#include "cpu/simd_avx512.h"
#include "cpu/targets/targets.h"

namespace isometry::cpu {

void fillAvx512(const Fill& fill, void* out, uint64_t start, uint64_t end) {
  fillWindow<Avx512>(fill, out, start, end);
}

void standardNormalsAvx512(const uint32_t* words, size_t count, float* out) {
  normalsOfWords<Avx512>(words, count, out);
}

const Reflections kReflections32Avx512 = reflections<Avx512Lanes<float>>();
const Reflections kReflections64Avx512 = reflections<Avx512Lanes<double>>();

}  // namespace isometry::cpu
