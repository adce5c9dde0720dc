// One matrix's reflections in memory, and what a thread needs to make and apply them. Plain data: the loops
// are in orthogonal-inl.h, who runs them when is in orthogonal.cc.
#ifndef ISOMETRY_CPU_FACTOR_H_
#define ISOMETRY_CPU_FACTOR_H_

#include <algorithm>
#include <atomic>

#include "core/job.h"
#include "core/orthogonal.h"

namespace isometry::cpu {

// Reflections that lie side by side; rows are padded with zeros to whole tiles of as many.
inline constexpr int kPack = 8;

// Columns of at most so many rows are drawn several at a time.
inline constexpr uint64_t kDrawnTogether = 512;

constexpr uint64_t roundUp(uint64_t x, uint64_t unit) { return (x + unit - 1) / unit * unit; }

// Q is rows × cols, of which columns [0, reflections) are wanted.
struct Shape {
  uint64_t rows, cols, reflections;

  uint64_t blocks() const { return (reflections + kBlockColumns - 1) / kBlockColumns; }
  int blockColumns(uint64_t block) const {
    return static_cast<int>(std::min(kBlockColumns, reflections - block * kBlockColumns));
  }
  int groups(uint64_t block) const { return (blockColumns(block) + kPack - 1) / kPack; }
  // Rows of block's reflections that are kept: those from its first on.
  uint64_t packedRows(uint64_t block) const { return roundUp(rows, kPack) - block * kBlockColumns; }
  // Elements of V before the block's.
  uint64_t blockOffset(uint64_t block) const {
    return kBlockColumns * (block * roundUp(rows, kPack) - kBlockColumns * (block * (block - 1) / 2));
  }
  uint64_t elementsOfV() const {
    const uint64_t last = blocks() - 1;
    return blockOffset(last) + packedRows(last) * groups(last) * kPack;
  }
};

// How the columns of a panel lie: strips of three vectors, a narrower one at the end.
struct Strips {
  uint64_t columns;
  int lanes;

  uint64_t full() const { return uint64_t{3} * lanes; }
  uint64_t count() const { return (columns + full() - 1) / full(); }
  uint64_t stripOf(uint64_t column) const { return column / full(); }
  uint64_t begin(uint64_t strip) const { return strip * full(); }
  int vectorsOf(uint64_t strip) const {
    const uint64_t left = columns - begin(strip);
    return static_cast<int>((std::min(left, full()) + lanes - 1) / lanes);
  }
  uint64_t widthOf(uint64_t strip) const { return static_cast<uint64_t>(vectorsOf(strip)) * lanes; }
  uint64_t width() const { return begin(count() - 1) + widthOf(count() - 1); }
};

struct Target;

// All arrays are of the working precision.
struct Factor {
  const Orthogonal* work;
  const Target* target;  // whose fill draws
  const std::atomic<bool>* cancelled;
  uint64_t matrix;
  Shape shape;
  void* v;      // packed, block after block
  void* u;      // [block][64][64]
  void* rho;    // [block·64]
  void* signs;  // d

  // G from row `row` of column `column` to the end of column `last` - 1, column after column, to `out`.
  void draw(uint64_t column, uint64_t row, uint64_t last, void* out) const;
};

// What one thread works in.
struct Scratch {
  void* columns;  // kPack columns of a block
  void* strip;    // a chunk of the block's rows
  void* sums;     // 64 sums for each column of a panel
  void* panel;    // the columns themselves, strip after strip
  void* stored;   // a chunk of the panel's rows, column after column
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FACTOR_H_
