#define ISOMETRY_TARGET avx2

#include "cpu/fill-inl.h"
#include "cpu/orthogonal-inl.h"
#include "cpu/simd_avx2.h"
#include "cpu/targets/targets.h"

namespace isometry::cpu {

void fillAvx2(const Fill& fill, void* out, uint64_t start, uint64_t end) {
  fillWindow<Avx2>(fill, out, start, end);
}

void standardNormalsAvx2(const uint32_t* words, size_t count, float* out) {
  normalsOfWords<Avx2>(words, count, out);
}

const Reflections kReflections32Avx2 = reflections<Avx2Lanes<float>>();
const Reflections kReflections64Avx2 = reflections<Avx2Lanes<double>>();

}  // namespace isometry::cpu
