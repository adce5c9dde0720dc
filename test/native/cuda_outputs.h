// Outputs of several laws, dtypes and windows, with the bytes that the CPU backend gives them.
#ifndef ISOMETRY_TEST_NATIVE_CUDA_OUTPUTS_H_
#define ISOMETRY_TEST_NATIVE_CUDA_OUTPUTS_H_

#include <memory>
#include <vector>

#include "core/quantile.h"
#include "cpu/fill.h"
#include "cuda/fill.h"
#include "jobs.h"

namespace isometry::test {

// Two tables, of no law, in which every row differs.
inline const double* quantileTable(int which) {
  static const std::vector<double>* const made = [] {
    auto* rows = new std::vector<double>(2 * kQuantileTableSize, 0.0);
    for (int row = 0; row < kQuantileRows; row++) {
      const size_t at = static_cast<size_t>(row) * (kQuantileDegree + 1);
      (*rows)[at] = row;
      (*rows)[kQuantileTableSize + at] = 1000 + row;
    }
    return rows;
  }();
  return made->data() + which * kQuantileTableSize;
}

// One output of `count` elements, from a job of its own; a window of it, on the host.
struct Output {
  Job job;
  Fill fill;
  uint64_t start, end;
  std::vector<char> bytes, expected;

  Output(Kind kind, DType dtype, uint64_t count, uint64_t start_, uint64_t end_)
      : job(denseJob(kind, count)), fill{42, dtype, &job, 1}, start(start_), end(end_) {
    job.stream += count;
    job.params.table = quantileTable(dtype == DType::kFloat32 ? 1 : 0);
    bytes.assign((end - start) * byteSize(dtype) + 1, '\xca');
    expected = bytes;
    cpu::bestTarget()->fill(fill, expected.data(), start, end);
  }
  Output(const Output&) = delete;
  cuda::HostPart part() { return {fill, start, end, bytes.data()}; }
};

using Outputs = std::vector<std::unique_ptr<Output>>;

inline Outputs variousOutputs() {
  Outputs outputs;
  const struct {
    Kind kind;
    DType dtype;
    uint64_t count, start, end;
  } cases[] = {
      {Kind::kNormal, DType::kFloat32, 3000, 0, 3000},
      {Kind::kConstant, DType::kFloat16, 5, 0, 5},
      {Kind::kUniform, DType::kFloat64, 777, 1, 776},
      {Kind::kUniform, DType::kFloat32, 10, 10, 10},
      {Kind::kTruncatedNormal, DType::kBFloat16, 999, 3, 999},
      {Kind::kQuantile, DType::kFloat64, 500, 7, 499},
      {Kind::kQuantile, DType::kFloat32, 130, 0, 130},
      {Kind::kNormal, DType::kFloat16, 1, 0, 1},
  };
  for (const auto& c : cases)
    outputs.push_back(std::make_unique<Output>(c.kind, c.dtype, c.count, c.start, c.end));
  return outputs;
}

inline std::vector<cuda::HostPart> partsOf(Outputs& outputs) {
  std::vector<cuda::HostPart> parts;
  for (auto& output : outputs) parts.push_back(output->part());
  return parts;
}

inline bool asExpected(const Outputs& outputs) {
  for (const auto& output : outputs) {
    if (output->bytes != output->expected) return false;
  }
  return true;
}

}  // namespace isometry::test

#endif  // ISOMETRY_TEST_NATIVE_CUDA_OUTPUTS_H_
