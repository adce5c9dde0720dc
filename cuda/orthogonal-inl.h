// The kernels that apply the blocks of reflections to columns of the unit matrix. Written for GPU and host,
// see block.h.
//
// The two products are what the time goes into: tiles of 64 × 128 and 128 × 128 sums, 8 × 8 of them in a
// thread's registers, whose operands pass through shared memory in two stages: one is on its way while the
// other is multiplied. Sums are formed in the order of docs/adr/0008-orthogonal.md: that is why no sum is
// divided among threads, and why there are no tensor cores.
#ifndef ISOMETRY_CUDA_ORTHOGONAL_INL_H_
#define ISOMETRY_CUDA_ORTHOGONAL_INL_H_

#include "cuda/block.h"
#include "cuda/laws.h"
#include "cuda/reflections.h"

namespace isometry::cuda {

inline constexpr uint32_t kStages = 2;
inline constexpr uint32_t kSums = 8;  // of a thread in each direction

// Which of a tile's columns (or rows) a thread has: quads of neighbours, so that a warp's loads of a quad
// each are without gaps and hit every bank of shared memory once.
template <class Real, uint32_t threads>
struct Spread {
  static constexpr uint32_t kQuads = kSums / Quad<Real>::kCount;
  ISOMETRY_HD static uint32_t at(uint32_t thread, uint32_t quad) {
    return (quad * threads + thread) * Quad<Real>::kCount;
  }
  ISOMETRY_HD static void load(const Real* line, uint32_t thread, Real (&x)[kSums]) {
    ISOMETRY_UNROLL
    for (uint32_t q = 0; q < kQuads; ++q) {
      const Quad<Real> quad = loadQuad(line + at(thread, q));
      ISOMETRY_UNROLL
      for (uint32_t k = 0; k < Quad<Real>::kCount; ++k) x[q * Quad<Real>::kCount + k] = quad.x[k];
    }
  }
  ISOMETRY_HD static void store(Real* line, uint32_t thread, const Real (&x)[kSums]) {
    ISOMETRY_UNROLL
    for (uint32_t q = 0; q < kQuads; ++q) {
      Quad<Real> quad;
      ISOMETRY_UNROLL
      for (uint32_t k = 0; k < Quad<Real>::kCount; ++k) quad.x[k] = x[q * Quad<Real>::kCount + k];
      storeQuad(line + at(thread, q), quad);
    }
  }
};

template <class Real>
struct Sums {
  Real x[kSums][kSums];
};

// Where of a tile's sums a thread has its own: 16 threads lie side by side.
ISOMETRY_HD uint32_t besideOf(uint32_t thread) { return thread % 8 + thread / 32 % 2 * 8; }
ISOMETRY_HD uint32_t belowOf(uint32_t thread) { return thread / 8 % 4 + thread / 64 * 4; }

// Y = columns firstColumn, firstColumn + 1, … of the unit matrix.
template <class Real>
ISOMETRY_HD void orthogonalStart(const GroupLaunch& launch, const Place& place) {
  const Group& group = launch.group;
  constexpr uint32_t kQuad = Quad<Real>::kCount;
  const uint64_t quads = group.width / kQuad, step = uint64_t{place.blocks} * kThreads;
  const uint64_t count = group.matrices * group.paddedRows * quads;
  for (uint64_t i = uint64_t{place.block} * kThreads + place.thread; i < count; i += step) {
    const uint64_t row = i / quads % group.paddedRows, column = group.firstColumn + i % quads * kQuad;
    Quad<Real> quad;
    ISOMETRY_UNROLL
    for (uint32_t k = 0; k < kQuad; ++k) {
      quad.x[k] = row == column + k && row < group.lastColumn ? Real{1} : Real{0};
    }
    storeQuad(reinterpret_cast<Real*>(group.y) + i * kQuad, quad);
  }
}

template <class Real>
struct ProductShared {
  static constexpr uint32_t kRows = 64 / sizeof(Real);
  struct alignas(16) Stage {
    Real v[kRows][kBlockColumns], y[kRows][kTileColumns];
  } stages[kStages];
};

// What one block of threads multiplies.
template <class Real>
struct ProductTile {
  const Real* v;  // rows × 64
  const Real* y;  // rows × 128, of lines of yWidth
  Real* sums;     // 64 × columns, of lines of sumsWidth
  uint64_t yWidth, sumsWidth;
  uint32_t rows, columns;
};

template <class Real>
ISOMETRY_HD bool productTile(const BlockLaunch& launch, uint64_t at, ProductTile<Real>& tile) {
  const Group& group = launch.group;
  uint64_t matrix, block, chunk, column;
  if (launch.gram) {
    block = at % group.blocks;
    chunk = at / group.blocks % group.chunks();
    matrix = at / group.blocks / group.chunks();
    column = block * kBlockColumns;
  } else {
    const uint64_t chunks = group.chunks() - launch.firstChunk();
    block = launch.block;
    column = launch.from + at % launch.tiles() * kTileColumns;
    chunk = launch.firstChunk() + at / launch.tiles() % chunks;
    matrix = at / launch.tiles() / chunks;
  }
  const uint64_t first = Group::firstRow(block);
  uint64_t begin = chunk * kChunkRows, end = begin + kChunkRows;
  if (begin < first) begin = first;
  if (end > group.paddedRows) end = group.paddedRows;
  if (begin >= end) return false;
  tile.v = reinterpret_cast<const Real*>(group.v) + matrix * group.vSize() + group.blockOffset(block) +
           (begin - first) * kBlockColumns;
  tile.y = launch.gram ? tile.v
                       : reinterpret_cast<const Real*>(group.y) + matrix * group.ySize() +
                             begin * group.width + column;
  tile.sums = reinterpret_cast<Real*>(group.partials) + matrix * group.partialsSize() +
              chunk * kBlockColumns * group.partialsWidth + column;
  tile.yWidth = launch.gram ? kBlockColumns : group.width;
  tile.sumsWidth = group.partialsWidth;
  tile.rows = static_cast<uint32_t>(end - begin);
  tile.columns = launch.gram ? kBlockColumns : kTileColumns;
  return true;
}

// A thread's part of the copies, one stage after the other. With VᵀV the right half of a line of Y is the
// next line, whose sums nobody wants.
template <class Real>
struct ProductCopies {
  using Stage = typename ProductShared<Real>::Stage;
  static constexpr uint32_t kQuad = Quad<Real>::kCount, kRows = ProductShared<Real>::kRows;
  static constexpr uint32_t kVQuads = kBlockColumns / kQuad, kYQuads = kTileColumns / kQuad;
  static_assert(kRows * kVQuads % kProductThreads == 0 && kRows * kYQuads % kProductThreads == 0);
  static_assert(kProductThreads % kVQuads == 0 && kProductThreads % kYQuads == 0);
  const Real *v, *y;  // what the thread copies first of the next stage
  uint32_t vLine, vAt, yLine, yAt;

  ISOMETRY_HD void begin(const ProductTile<Real>& tile, uint32_t thread) {
    vLine = thread / kVQuads;
    vAt = thread % kVQuads * kQuad;
    yLine = thread / kYQuads;
    yAt = thread % kYQuads * kQuad;
    v = tile.v + vLine * kBlockColumns + vAt;
    y = tile.y + yLine * tile.yWidth + yAt;
  }
  ISOMETRY_HD void next(const ProductTile<Real>& tile, Stage& stage) {
    constexpr uint32_t kVStep = kProductThreads / kVQuads, kYStep = kProductThreads / kYQuads;
    ISOMETRY_UNROLL
    for (uint32_t line = 0; line < kRows; line += kVStep) {
      copyAhead<16>(&stage.v[vLine + line][vAt], v + line * kBlockColumns);
    }
    ISOMETRY_UNROLL
    for (uint32_t line = 0; line < kRows; line += kYStep) {
      copyAhead<16>(&stage.y[yLine + line][yAt], y);
      y += kYStep * tile.yWidth;
    }
    v += kRows * kBlockColumns;
  }
};

template <class Real>
ISOMETRY_HD void orthogonalProduct(const BlockLaunch& launch, const Place& place,
                                   ProductShared<Real>& shared) {
  constexpr uint32_t kRows = ProductShared<Real>::kRows;
  using Beside = Spread<Real, 16>;
  using Below = Spread<Real, 8>;
  ProductTile<Real> tile;
  if (!productTile(launch, place.block, tile)) return;
  const uint32_t steps = tile.rows / kRows;
  PerThread<Sums<Real>, kProductThreads> sums;
  PerThread<ProductCopies<Real>, kProductThreads> copies;
  ISOMETRY_EACH_THREAD(t, kProductThreads) {
    copies[t].begin(tile, t);
    copies[t].next(tile, shared.stages[0]);
    endCopies();
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      ISOMETRY_UNROLL
      for (uint32_t j = 0; j < kSums; ++j) sums[t].x[i][j] = 0;
    }
  }
  ISOMETRY_ROLLED
  for (uint32_t step = 0; step < steps; ++step) {
    awaitCopies<0>();
    ISOMETRY_BARRIER();
    ISOMETRY_EACH_THREAD(t, kProductThreads) {
      const auto& stage = shared.stages[step % kStages];
      // Into the other, which the step before was done with.
      if (step + 1 < steps) copies[t].next(tile, shared.stages[(step + 1) % kStages]);
      endCopies();
      Sums<Real>& own = sums[t];
      ISOMETRY_UNROLL
      for (uint32_t row = 0; row < kRows; ++row) {
        Real v[kSums], y[kSums];
        Below::load(stage.v[row], belowOf(t), v);
        Beside::load(stage.y[row], besideOf(t), y);
        ISOMETRY_UNROLL
        for (uint32_t i = 0; i < kSums; ++i) {
          ISOMETRY_UNROLL
          for (uint32_t j = 0; j < kSums; ++j) own.x[i][j] = multiplyAdd(v[i], y[j], own.x[i][j]);
        }
      }
    }
  }
  ISOMETRY_EACH_THREAD(t, kProductThreads) {
    constexpr uint32_t kQuad = Quad<Real>::kCount;
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      Real* line = tile.sums + (Below::at(belowOf(t), i / kQuad) + i % kQuad) * tile.sumsWidth;
      ISOMETRY_UNROLL
      for (uint32_t q = 0; q < Beside::kQuads; ++q) {
        const uint32_t column = Beside::at(besideOf(t), q);
        if (column >= tile.columns) continue;
        Quad<Real> quad;
        ISOMETRY_UNROLL
        for (uint32_t k = 0; k < kQuad; ++k) quad.x[k] = sums[t].x[i][q * kQuad + k];
        storeQuad(line + column, quad);
      }
    }
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_ORTHOGONAL_INL_H_
