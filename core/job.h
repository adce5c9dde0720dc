// The plain structs of one fill; shared by cpu/, cuda/ and binding/. src/job.ts is the same in TypeScript and
// says what each field means.
#ifndef ISOMETRY_CORE_JOB_H_
#define ISOMETRY_CORE_JOB_H_

#include <cstddef>
#include <cstdint>

namespace isometry {

enum class DType : int32_t { kFloat64 = 0, kFloat32 = 1, kFloat16 = 2, kBFloat16 = 3 };

inline constexpr size_t byteSize(DType dtype) {
  return dtype == DType::kFloat64 ? 8 : dtype == DType::kFloat32 ? 4 : 2;
}

enum class Kind : int32_t {
  kConstant = 0,
  kUniform = 1,
  kNormal = 2,
  kTruncatedNormal = 3,
  kQuantile = 4,
  kMask = 5
};

inline constexpr int kMaxRank = 32;

// The primitive's numbers; which ones count depends on its kind.
struct Params {
  double value = 0;              // constant
  double low = 0, range = 0;     // uniform
  double mean = 0, std = 0;      // normal, truncatedNormal, quantile
  uint64_t base = 0, count = 0;  // truncatedNormal: first word and number of words, base + count <= 2^32
  double min = 0, max = 0;       // clamp, all but constant and mask
  uint64_t rows = 0, stride = 0, zeros = 0;  // mask
  const double* table = nullptr;             // quantile: kQuantileTableSize doubles, owned by the caller
};

struct Region {
  int rank = 0;  // 0: one element
  uint64_t sourceOffset = 0, targetOffset = 0;
  uint64_t shape[kMaxRank];
  uint64_t sourceStride[kMaxRank];
  uint64_t targetStride[kMaxRank];
};

struct Job {
  Kind kind;
  uint64_t stream;
  Params params;
  Region region;
};

// Matrices with orthonormal columns (docs/adr/0008-orthogonal.md): elements of a region have the source index
// b·rows·cols + c·rows + r, for row r of column c of matrix b. Strides are not 0.
struct OrthogonalPart {
  double gain;
  Region region;
};

struct Orthogonal {
  uint64_t seed;
  DType dtype;
  uint64_t stream;
  uint64_t rows, cols;  // rows >= cols
  const double* table;  // float64: kQuantileTableSize doubles, owned by the caller; else null
  const OrthogonalPart* parts;
  size_t partCount;
};

struct Fill {
  uint64_t seed;
  DType dtype;
  const Job* jobs;
  size_t jobCount;
};

}  // namespace isometry

#endif  // ISOMETRY_CORE_JOB_H_
