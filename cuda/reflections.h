// What the host hands to the kernels of orthogonal.cu: plain data, the same bytes on both sides. The
// mathematics and the order of all operations are those of docs/adr/0008-orthogonal.md.
//
// A launch works on a group of consecutive matrices at once, and on a panel of their columns. Rows are padded
// with zeros to whole tiles, columns to whole blocks of reflections; both change no bit. All matrices are
// row-major.
#ifndef ISOMETRY_CUDA_REFLECTIONS_H_
#define ISOMETRY_CUDA_REFLECTIONS_H_

#include "core/job.h"
#include "core/orthogonal.h"
#include "core/philox.h"
#include "core/platform.h"
#include "cuda/launch.h"

namespace isometry::cuda {

inline constexpr uint32_t kTileRows = 128;  // of Y, in one block of threads
inline constexpr uint32_t kTileColumns = 128;

// Threads of a block of each kernel. Those of the products have 8 × 8 sums each.
inline constexpr uint32_t kDrawThreads = kBlockColumns;
inline constexpr uint32_t kProductThreads = kBlockColumns * kTileColumns / 64;
inline constexpr uint32_t kSolveColumns = 32;  // a warp: each of its threads has one column
inline constexpr uint32_t kSolveRows = 8;      // of a thread
inline constexpr uint32_t kSolveThreads = kSolveColumns * kBlockColumns / kSolveRows;
inline constexpr uint32_t kUpdateThreads = kTileRows * kTileColumns / 64;

// The sizes that all kernels share, and where in work memory everything is.
struct Group {
  uint64_t firstMatrix;  // of the tensor's
  uint32_t matrices;
  uint32_t blocks;            // of reflections, as many as the columns that are wanted need
  uint64_t rows, cols;        // of a matrix: M ≥ N
  uint64_t paddedRows;        // a multiple of kTileRows
  uint64_t width;             // columns of Y, a multiple of kTileColumns
  uint64_t firstColumn;       // which column of the matrix is Y's first
  uint64_t lastColumn;        // and behind which one the panel ends
  uint64_t v, u, rho, signs;  // device addresses
  uint64_t partials, y, z;
  uint64_t partialsWidth;  // columns of partials, at least `width` and 64·blocks

  // What one matrix has of each, in numbers; of v the blocks follow each other, and rows above a block's
  // first tile are not kept.
  ISOMETRY_HD uint64_t columns() const { return uint64_t{blocks} * kBlockColumns; }  // of rho and signs
  ISOMETRY_HD uint64_t chunks() const { return (paddedRows + kChunkRows - 1) / kChunkRows; }
  ISOMETRY_HD static uint64_t firstRow(uint64_t block) {
    return block * kBlockColumns / kTileRows * kTileRows;
  }
  ISOMETRY_HD uint64_t blockOffset(uint64_t block) const {
    static_assert(kTileRows == 2 * kBlockColumns, "each two blocks begin at the same row");
    return kBlockColumns * (block * paddedRows - kTileRows * (block / 2 * ((block - 1) / 2)));
  }
  ISOMETRY_HD uint64_t vSize() const { return blockOffset(blocks); }
  ISOMETRY_HD uint64_t uSize() const { return uint64_t{blocks} * kBlockColumns * kBlockColumns; }
  ISOMETRY_HD uint64_t partialsSize() const { return chunks() * kBlockColumns * partialsWidth; }
  ISOMETRY_HD uint64_t ySize() const { return paddedRows * width; }
  ISOMETRY_HD uint64_t zSize() const { return kBlockColumns * width; }
};

// orthogonalDraw: v without its diagonal, and in partials, as float64, the chunks' sums of squares of each
// column. A block of threads for each matrix, block of reflections and chunk.
struct DrawLaunch {
  PhiloxKeys keys;
  uint64_t stream;
  uint64_t table;  // float64: device address of the quantile table of the standard normal
  Group group;
};

// orthogonalPivot: v's diagonal, rho and signs, of all columns. orthogonalGram: U, of all blocks, out of the
// chunks' sums in partials. orthogonalStart: Y = the columns of the unit matrix. One thread for each number.
struct GroupLaunch {
  Group group;
};

// orthogonalProduct: the chunks' sums of VᵀY into partials; with `gram` those of VᵀV for all blocks at once,
// where the columns of a block take the place of Y's. A block of threads for each matrix, chunk and tile of
// columns (or block). orthogonalSolve: from these sums to Z, from column `from` of Y on. orthogonalUpdate: Y
// = Y - V·Z, from tile `from / kTileColumns` on.
struct BlockLaunch {
  Group group;
  uint32_t block;
  uint32_t gram;
  uint64_t
      from;  // a multiple of kTileColumns: columns of Y before it are those of later columns than the block's

  ISOMETRY_HD uint64_t tiles() const { return (group.width - from) / kTileColumns; }
  ISOMETRY_HD uint64_t firstChunk() const { return Group::firstRow(block) / kChunkRows; }
};

// orthogonalScatter: the elements of one box to where they belong in the output; those of other matrices or
// columns than the panel's are left out. One thread for each element.
struct ScatterLaunch {
  Group group;
  double gain;
  uint64_t out;  // device address of the output's element `target`
  uint64_t source, count;
  uint32_t axisCount;
  Axis axes[kMaxRank];  // outermost first
};

// The kernels' names without what they are for.
#define ISOMETRY_ORTHOGONAL_NAME(function, stem)               \
  inline constexpr const char* function(DType dtype) {         \
    return dtype == DType::kFloat64 ? stem "F64" : stem "F32"; \
  }
ISOMETRY_ORTHOGONAL_NAME(drawKernel, "orthogonalDraw")
ISOMETRY_ORTHOGONAL_NAME(pivotKernel, "orthogonalPivot")
ISOMETRY_ORTHOGONAL_NAME(gramKernel, "orthogonalGram")
ISOMETRY_ORTHOGONAL_NAME(startKernel, "orthogonalStart")
ISOMETRY_ORTHOGONAL_NAME(productKernel, "orthogonalProduct")
ISOMETRY_ORTHOGONAL_NAME(solveKernel, "orthogonalSolve")
ISOMETRY_ORTHOGONAL_NAME(updateKernel, "orthogonalUpdate")
#undef ISOMETRY_ORTHOGONAL_NAME

inline constexpr const char* scatterKernel(DType dtype) {
  constexpr const char* kNames[4] = {"orthogonalScatterF64", "orthogonalScatterF32", "orthogonalScatterF16",
                                     "orthogonalScatterBF16"};
  return kNames[static_cast<int>(dtype)];
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_REFLECTIONS_H_
