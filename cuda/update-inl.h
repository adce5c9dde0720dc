// The kernel that applies a block of reflections to the columns of Y, once Z = U⁻¹VᵀY is known: Y = Y - V·Z.
// Its tiles are those of orthogonal-inl.h.
#ifndef ISOMETRY_CUDA_UPDATE_INL_H_
#define ISOMETRY_CUDA_UPDATE_INL_H_

#include "cuda/orthogonal-inl.h"

namespace isometry::cuda {

template <class Real>
struct UpdateShared {
  static constexpr uint32_t kDepth = 64 / sizeof(Real);  // reflections of a stage
  // A line of V is as long as keeps quads aligned and lets the copies, which transpose, hit different banks.
  struct alignas(16) Stage {
    Real v[kDepth][kTileRows + 16 / sizeof(Real)], z[kDepth][kTileColumns];
  } stages[kStages];
};

// A thread's part of the copies, one stage after the other.
template <class Real>
struct UpdateCopies {
  using Stage = typename UpdateShared<Real>::Stage;
  static constexpr uint32_t kQuad = Quad<Real>::kCount, kDepth = UpdateShared<Real>::kDepth;
  static constexpr uint32_t kQuads = kTileColumns / kQuad;
  static_assert(kTileRows * kDepth % kUpdateThreads == 0 && kDepth * kQuads % kUpdateThreads == 0);
  static_assert(kUpdateThreads % kDepth == 0 && kUpdateThreads % kQuads == 0);
  const Real *v, *z;  // what the thread copies first of the next stage
  uint32_t row, depth, line, at;

  ISOMETRY_HD void begin(const Real* tileV, const Real* tileZ, uint64_t width, uint32_t thread) {
    row = thread / kDepth;
    depth = thread % kDepth;
    line = thread / kQuads;
    at = thread % kQuads * kQuad;
    v = tileV + row * kBlockColumns + depth;
    z = tileZ + line * width + at;
  }
  ISOMETRY_HD void next(uint64_t width, Stage& stage) {
    constexpr uint32_t kRowStep = kUpdateThreads / kDepth, kLineStep = kUpdateThreads / kQuads;
    ISOMETRY_UNROLL
    for (uint32_t k = 0; k < kTileRows; k += kRowStep) {
      copyAhead<sizeof(Real)>(&stage.v[depth][row + k], v + k * kBlockColumns);
    }
    ISOMETRY_UNROLL
    for (uint32_t k = 0; k < kDepth; k += kLineStep) {
      copyAhead<16>(&stage.z[line + k][at], z);
      z += kLineStep * width;
    }
    v += kDepth;
  }
};

template <class Real>
ISOMETRY_HD void orthogonalUpdate(const BlockLaunch& launch, const Place& place, UpdateShared<Real>& shared) {
  constexpr uint32_t kDepth = UpdateShared<Real>::kDepth, kQuad = Quad<Real>::kCount;
  constexpr uint32_t kSteps = kBlockColumns / kDepth;
  using Spread16 = Spread<Real, 16>;
  const Group& group = launch.group;
  const uint64_t tiles = launch.tiles(), firstRow = Group::firstRow(launch.block);
  const uint64_t rowTiles = (group.paddedRows - firstRow) / kTileRows;
  const uint64_t column = launch.from + place.block % tiles * kTileColumns;
  const uint64_t row = place.block / tiles % rowTiles * kTileRows;
  const uint64_t matrix = place.block / tiles / rowTiles;
  const Real* v = reinterpret_cast<const Real*>(group.v) + matrix * group.vSize() +
                  group.blockOffset(launch.block) + row * kBlockColumns;
  const Real* z = reinterpret_cast<const Real*>(group.z) + matrix * group.zSize() + column;
  Real* y =
      reinterpret_cast<Real*>(group.y) + matrix * group.ySize() + (firstRow + row) * group.width + column;
  PerThread<Sums<Real>, kUpdateThreads> sums;
  PerThread<UpdateCopies<Real>, kUpdateThreads> copies;
  ISOMETRY_EACH_THREAD(t, kUpdateThreads) {
    copies[t].begin(v, z, group.width, t);
    copies[t].next(group.width, shared.stages[0]);
    endCopies();
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      const Real* line = y + (Spread16::at(belowOf(t), i / kQuad) + i % kQuad) * group.width;
      Spread16::load(line, besideOf(t), sums[t].x[i]);
    }
  }
  ISOMETRY_ROLLED
  for (uint32_t step = 0; step < kSteps; ++step) {
    awaitCopies<0>();
    ISOMETRY_BARRIER();
    ISOMETRY_EACH_THREAD(t, kUpdateThreads) {
      const auto& stage = shared.stages[step % kStages];
      if (step + 1 < kSteps) copies[t].next(group.width, shared.stages[(step + 1) % kStages]);
      endCopies();
      Sums<Real>& own = sums[t];
      ISOMETRY_UNROLL
      for (uint32_t k = 0; k < kDepth; ++k) {
        Real a[kSums], b[kSums];
        Spread16::load(stage.v[k], belowOf(t), a);
        Spread16::load(stage.z[k], besideOf(t), b);
        ISOMETRY_UNROLL
        for (uint32_t i = 0; i < kSums; ++i) {
          ISOMETRY_UNROLL
          for (uint32_t j = 0; j < kSums; ++j) own.x[i][j] = multiplyAdd(-a[i], b[j], own.x[i][j]);
        }
      }
    }
  }
  ISOMETRY_EACH_THREAD(t, kUpdateThreads) {
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      Real* line = y + (Spread16::at(belowOf(t), i / kQuad) + i % kQuad) * group.width;
      Spread16::store(line, besideOf(t), sums[t].x[i]);
    }
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_UPDATE_INL_H_
