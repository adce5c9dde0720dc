// The kernels that apply the blocks of reflections to columns of the unit matrix. Written for GPU and host,
// see block.h.
//
// The two products are what the time goes into: tiles of 64 × 128 and 128 × 128 sums, 8 × 8 of them in a
// thread's registers, whose operands pass through shared memory in three stages, so that two are on their way
// while one is multiplied. Sums are formed in the order of docs/adr/0008-orthogonal.md: that is why no sum is
// divided among threads, and why there are no tensor cores.
#ifndef ISOMETRY_CUDA_ORTHOGONAL_INL_H_
#define ISOMETRY_CUDA_ORTHOGONAL_INL_H_

#include "cuda/block.h"
#include "cuda/laws.h"
#include "cuda/reflections.h"

namespace isometry::cuda {

inline constexpr uint32_t kStages = 3;
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

// --- sums of Vᵀ·Y over one chunk
// ---------------------------------------------------------------------------------------------

template <class Real>
struct ProductShared {
  static constexpr uint32_t kRows = 64 / sizeof(Real);  // of a stage
  alignas(16) Real v[kStages][kRows][kBlockColumns];
  alignas(16) Real y[kStages][kRows][kTileColumns];
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

// Thread's part of the copies of rows [row, row + kRows) into a stage. With VᵀV the right half of a line of Y
// is the next line, whose sums nobody wants.
template <class Real>
ISOMETRY_HD void copyProductRows(const ProductTile<Real>& tile, uint32_t row, uint32_t stage, uint32_t thread,
                                 ProductShared<Real>& shared) {
  constexpr uint32_t kQuad = Quad<Real>::kCount, kRows = ProductShared<Real>::kRows;
  constexpr uint32_t kVQuads = kBlockColumns / kQuad, kYQuads = kTileColumns / kQuad;
  ISOMETRY_UNROLL
  for (uint32_t i = thread; i < kRows * kVQuads; i += kProductThreads) {
    const uint32_t line = i / kVQuads, at = i % kVQuads * kQuad;
    copyAhead<16>(&shared.v[stage][line][at], tile.v + (row + line) * kBlockColumns + at);
  }
  ISOMETRY_UNROLL
  for (uint32_t i = thread; i < kRows * kYQuads; i += kProductThreads) {
    const uint32_t line = i / kYQuads, at = i % kYQuads * kQuad;
    copyAhead<16>(&shared.y[stage][line][at], tile.y + (row + line) * tile.yWidth + at);
  }
}

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
  ISOMETRY_EACH_THREAD(t, kProductThreads) {
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      ISOMETRY_UNROLL
      for (uint32_t j = 0; j < kSums; ++j) sums[t].x[i][j] = 0;
    }
    for (uint32_t s = 0; s < kStages - 1; ++s) {
      copyProductRows(tile, s * kRows, s, t, shared);
      endCopies();
    }
  }
  uint32_t stage = 0;
  ISOMETRY_ROLLED
  for (uint32_t step = 0; step < steps; ++step) {
    awaitCopies<kStages - 2>();
    ISOMETRY_BARRIER();
    ISOMETRY_EACH_THREAD(t, kProductThreads) {
      // Into the stage that the step before was done with.
      const uint32_t ahead = step + kStages - 1;
      if (ahead < steps) {
        copyProductRows(tile, ahead * kRows, stage == 0 ? kStages - 1 : stage - 1, t, shared);
      }
      endCopies();
      Sums<Real>& own = sums[t];
      ISOMETRY_UNROLL
      for (uint32_t row = 0; row < kRows; ++row) {
        Real v[kSums], y[kSums];
        Below::load(shared.v[stage][row], belowOf(t), v);
        Beside::load(shared.y[stage][row], besideOf(t), y);
        ISOMETRY_UNROLL
        for (uint32_t i = 0; i < kSums; ++i) {
          ISOMETRY_UNROLL
          for (uint32_t j = 0; j < kSums; ++j) own.x[i][j] = addProduct(own.x[i][j], v[i], y[j]);
        }
      }
    }
    stage = stage == kStages - 1 ? 0 : stage + 1;
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

// --- Y = Y - V·Z
// ---------------------------------------------------------------------------------------------

template <class Real>
struct UpdateShared {
  static constexpr uint32_t kDepth = 32 / sizeof(Real);  // reflections of a stage
  // A line is as long as keeps quads aligned and lets the copies, which transpose, hit different banks.
  alignas(16) Real v[kStages][kDepth][kTileRows + 16 / sizeof(Real)];
  alignas(16) Real z[kStages][kDepth][kTileColumns];
};

template <class Real>
ISOMETRY_HD void copyUpdateDepth(const Real* v, const Real* z, uint64_t width, uint32_t first, uint32_t stage,
                                 uint32_t thread, UpdateShared<Real>& shared) {
  constexpr uint32_t kQuad = Quad<Real>::kCount, kDepth = UpdateShared<Real>::kDepth;
  constexpr uint32_t kQuads = kTileColumns / kQuad;
  ISOMETRY_UNROLL
  for (uint32_t i = thread; i < kTileRows * kDepth; i += kUpdateThreads) {
    const uint32_t row = i / kDepth, k = i % kDepth;
    copyAhead<sizeof(Real)>(&shared.v[stage][k][row], v + row * kBlockColumns + first + k);
  }
  ISOMETRY_UNROLL
  for (uint32_t i = thread; i < kDepth * kQuads; i += kUpdateThreads) {
    const uint32_t line = i / kQuads, at = i % kQuads * kQuad;
    copyAhead<16>(&shared.z[stage][line][at], z + (first + line) * width + at);
  }
}

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
  ISOMETRY_EACH_THREAD(t, kUpdateThreads) {
    for (uint32_t s = 0; s < kStages - 1; ++s) {
      copyUpdateDepth(v, z, group.width, s * kDepth, s, t, shared);
      endCopies();
    }
    ISOMETRY_UNROLL
    for (uint32_t i = 0; i < kSums; ++i) {
      const Real* line = y + (Spread16::at(belowOf(t), i / kQuad) + i % kQuad) * group.width;
      Spread16::load(line, besideOf(t), sums[t].x[i]);
    }
  }
  uint32_t stage = 0;
  ISOMETRY_ROLLED
  for (uint32_t step = 0; step < kSteps; ++step) {
    awaitCopies<kStages - 2>();
    ISOMETRY_BARRIER();
    ISOMETRY_EACH_THREAD(t, kUpdateThreads) {
      const uint32_t ahead = step + kStages - 1;
      if (ahead < kSteps) {
        copyUpdateDepth(v, z, group.width, ahead * kDepth, stage == 0 ? kStages - 1 : stage - 1, t, shared);
      }
      endCopies();
      Sums<Real>& own = sums[t];
      ISOMETRY_UNROLL
      for (uint32_t k = 0; k < kDepth; ++k) {
        Real a[kSums], b[kSums];
        Spread16::load(shared.v[stage][k], belowOf(t), a);
        Spread16::load(shared.z[stage][k], besideOf(t), b);
        ISOMETRY_UNROLL
        for (uint32_t i = 0; i < kSums; ++i) {
          ISOMETRY_UNROLL
          for (uint32_t j = 0; j < kSums; ++j) own.x[i][j] = subtractProduct(own.x[i][j], a[i], b[j]);
        }
      }
    }
    stage = stage == kStages - 1 ? 0 : stage + 1;
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

#endif  // ISOMETRY_CUDA_ORTHOGONAL_INL_H_
