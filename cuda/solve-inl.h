// The kernels of orthogonal matrices that are not products: from the chunks' sums of VᵀY to Z = U⁻¹VᵀY, and
// from Y to the elements that are stored. Written for GPU and host, see block.h.
#ifndef ISOMETRY_CUDA_SOLVE_INL_H_
#define ISOMETRY_CUDA_SOLVE_INL_H_

#include "cuda/block.h"
#include "cuda/laws.h"
#include "cuda/reflections.h"

namespace isometry::cuda {

template <class Real>
struct SolveShared {
  alignas(16) Real u[kBlockColumns][kBlockColumns];
  Real z[kBlockColumns][kSolveColumns];
};

// Warp w has rows 8w … 8w + 7 of the 64, each of its threads those of one column. From the last warp to the
// first: one solves its own rows, and those before it subtract what that gives.
template <class Real>
ISOMETRY_HD void orthogonalSolve(const BlockLaunch& launch, const Place& place, SolveShared<Real>& shared) {
  const Group& group = launch.group;
  const uint64_t parts = (group.width - launch.from) / kSolveColumns;
  const uint64_t matrix = place.block / parts;
  const uint64_t column = launch.from + place.block % parts * kSolveColumns;
  const Real* u = reinterpret_cast<const Real*>(group.u) + matrix * group.uSize() +
                  uint64_t{launch.block} * kBlockColumns * kBlockColumns;
  const Real* rho = reinterpret_cast<const Real*>(group.rho) + matrix * group.columns() +
                    uint64_t{launch.block} * kBlockColumns;
  struct Rows {
    Real x[kSolveRows];
  };
  PerThread<Rows, kSolveThreads> a;
  ISOMETRY_EACH_THREAD(t, kSolveThreads) {
    constexpr uint32_t kQuad = Quad<Real>::kCount;
    for (uint32_t i = t * kQuad; i < kBlockColumns * kBlockColumns; i += kSolveThreads * kQuad) {
      copyAhead<16>(&shared.u[i / kBlockColumns][i % kBlockColumns], u + i);
    }
    endCopies();
    const uint64_t width = group.partialsWidth, stride = kBlockColumns * width;
    const uint64_t chunks = group.chunks() - launch.firstChunk();
    const Real* sums = reinterpret_cast<const Real*>(group.partials) + matrix * group.partialsSize() +
                       launch.firstChunk() * stride + t / kSolveColumns * kSolveRows * width + column +
                       t % kSolveColumns;
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSolveRows; ++i) a[t].x[i] = sums[i * width];
#if defined(__CUDA_ARCH__)
#pragma unroll 4  // 32 loads at a time are under way
#endif
    for (uint64_t chunk = 1; chunk < chunks; ++chunk) {
      ISOMETRY_UNROLL
      for (uint32_t i = 0; i < kSolveRows; ++i) a[t].x[i] = a[t].x[i] + sums[chunk * stride + i * width];
    }
    awaitCopies<0>();
  }
  ISOMETRY_BARRIER();
  ISOMETRY_ROLLED
  for (uint32_t warp = kBlockColumns / kSolveRows; warp-- > 0;) {
    const uint32_t first = warp * kSolveRows;
    ISOMETRY_EACH_THREAD(t, kSolveThreads) {
      if (t / kSolveColumns == warp) {
        ISOMETRY_UNROLL
        for (uint32_t j = kSolveRows; j-- > 0;) {
          const Real z = a[t].x[j] * rho[first + j];
          shared.z[first + j][t % kSolveColumns] = z;
          reinterpret_cast<Real*>(
              group.z)[matrix * group.zSize() + (first + j) * group.width + column + t % kSolveColumns] = z;
          ISOMETRY_UNROLL
          for (uint32_t i = 0; i < j; ++i) {
            a[t].x[i] = multiplyAdd(-shared.u[first + i][first + j], z, a[t].x[i]);
          }
        }
      }
    }
    ISOMETRY_BARRIER();
    ISOMETRY_EACH_THREAD(t, kSolveThreads) {
      if (t / kSolveColumns < warp) {
        ISOMETRY_UNROLL
        for (uint32_t j = kSolveRows; j-- > 0;) {
          const Real z = shared.z[first + j][t % kSolveColumns];
          ISOMETRY_UNROLL
          for (uint32_t i = 0; i < kSolveRows; ++i) {
            const Real factor = shared.u[t / kSolveColumns * kSolveRows + i][first + j];
            a[t].x[i] = multiplyAdd(-factor, z, a[t].x[i]);
          }
        }
      }
    }
  }
}

// --- from Y to the output
// ---------------------------------------------------------------------------------------------

// a / b; most indices are below 2^32, where a division costs a fifth.
ISOMETRY_HD uint64_t quotient(uint64_t a, uint64_t b) {
  if ((a | b) >> 32 == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

template <DType dtype>
ISOMETRY_HD void orthogonalScatter(const ScatterLaunch& launch, const Place& place) {
  using Real = std::conditional_t<dtype == DType::kFloat64, double, float>;
  using Type = typename ElementOf<dtype>::Type;
  const Group& group = launch.group;
  const uint64_t size = group.rows * group.cols, begin = group.firstMatrix * size;
  const Real gain = static_cast<Real>(launch.gain);
  const Real* signs = reinterpret_cast<const Real*>(group.signs);
  const Real* ys = reinterpret_cast<const Real*>(group.y);
  const uint64_t step = uint64_t{place.blocks} * kThreads;
  for (uint64_t i = uint64_t{place.block} * kThreads + place.thread; i < launch.count; i += step) {
    uint64_t rest = i, source = launch.source, target = 0;
    ISOMETRY_ROLLED
    for (uint32_t k = launch.axisCount; k-- > 0;) {
      const Axis& axis = launch.axes[k];
      const uint64_t outer = k == 0 ? 0 : quotient(rest, axis.count);
      const uint64_t index = rest - outer * axis.count;
      rest = outer;
      source += index * axis.sourceStride;
      target += index * axis.targetStride;
    }
    source -= begin;  // before the group: beyond it
    const uint64_t matrix = quotient(source, size);
    const uint64_t inside = source - matrix * size;
    const uint64_t column = quotient(inside, group.rows);
    if (matrix >= group.matrices || column < group.firstColumn || column >= group.lastColumn) continue;
    const uint64_t row = inside - column * group.rows;
    const Real stored = ys[matrix * group.ySize() + row * group.width + (column - group.firstColumn)];
    const Real y = orthogonalElement<Real>(stored, signs[matrix * group.columns() + column] * gain);
    if constexpr (dtype == DType::kFloat64) {
      reinterpret_cast<Type*>(launch.out)[target] = y;
    } else {
      reinterpret_cast<Type*>(launch.out)[target] = ElementOf<dtype>::round(y);
    }
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_SOLVE_INL_H_
