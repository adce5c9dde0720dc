#include "cpu/fill-inl.h"
#include "cpu/orthogonal-inl.h"
#include "cpu/simd_portable.h"
#include "cpu/targets/targets.h"

namespace isometry::cpu {

void fillPortable(const Fill& fill, void* out, uint64_t start, uint64_t end) {
  fillWindow<Portable>(fill, out, start, end);
}

void standardNormalsPortable(const uint32_t* words, size_t count, float* out) {
  normalsOfWords<Portable>(words, count, out);
}

const Reflections kReflections32Portable = reflections<PortableLanes<float>>();
const Reflections kReflections64Portable = reflections<PortableLanes<double>>();

}  // namespace isometry::cpu
