// Which elements of a sparse matrix are zero: in every column a random subset of the rows, always as many.
#ifndef ISOMETRY_CORE_MASK_H_
#define ISOMETRY_CORE_MASK_H_

#include "core/permutation.h"
#include "core/philox.h"

namespace isometry::inline ISOMETRY_TARGET {

// `stride` elements lie between a row and the next; 0 < zeros < rows.
struct Mask {
  uint64_t stride, zeros;
  PermutationDomain rows;

  ISOMETRY_HD Mask(uint64_t rowCount, uint64_t rowStride, uint64_t zeroCount)
      : stride(rowStride), zeros(zeroCount), rows(permutationDomain(rowCount)) {}

  // Element e is in row ⌊e/stride⌋ mod rows of column ⌊e/(stride·rows)⌋·stride + e mod stride. Philox block
  // `column` of the mask's stream is the key of the column's permutation.
  ISOMETRY_HD bool isZero(const PhiloxKeys& keys, uint64_t stream, uint64_t element) const {
    const uint64_t line = element / stride;
    const uint64_t matrix = line / rows.size;
    const uint64_t column = matrix * stride + (element - line * stride);
    uint32_t words[4];
    philoxBlock(keys, stream, column, words);
    return permute(rows, words, line - matrix * rows.size) < zeros;
  }
};

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_MASK_H_
