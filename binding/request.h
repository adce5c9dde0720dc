// A fill request as JavaScript hands it over: one flat array of float64 words, made by
// src/backends/encode.ts.
//
//   version, seed low 32 bits, seed high 32 bits, dtype, number of jobs, then per job:
//   kind, stream low, stream high, value, low, range, mean, std, base, count, min, max,
//   rank, source offset, target offset, shape[rank], source strides[rank], target strides[rank],
//   and for the quantile kind table[kQuantileTableSize], for the mask kind rows, stride, zeros
#ifndef ISOMETRY_BINDING_REQUEST_H_
#define ISOMETRY_BINDING_REQUEST_H_

#include <cstddef>
#include <vector>

#include "core/job.h"

namespace isometry::binding {

inline constexpr double kRequestVersion = 1;

struct Request {
  DType dtype = DType::kFloat32;
  uint64_t seed = 0;
  std::vector<Job> jobs;  // quantile tables point into the words that were decoded

  Fill fill() const { return Fill{seed, dtype, jobs.data(), jobs.size()}; }
};

// Null on success, else what is wrong. Checks what memory safety needs and no more: the words come from our
// own TypeScript, which has said everything a user can understand before. The words must outlive the request.
const char* decodeRequest(const double* words, size_t count, Request& request);

// Orthogonal matrices:
//
//   version, seed low 32 bits, seed high 32 bits, dtype, stream low, stream high, rows, cols, number of
//   parts, then per part: gain, and the region as above; and for float64 table[kQuantileTableSize]
struct OrthogonalRequest {
  Orthogonal work{};
  std::vector<OrthogonalPart> parts;

  Orthogonal orthogonal() const {
    Orthogonal whole = work;
    whole.parts = parts.data();
    whole.partCount = parts.size();
    return whole;
  }
};

// As decodeRequest.
const char* decodeOrthogonal(const double* words, size_t count, OrthogonalRequest& request);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_REQUEST_H_
