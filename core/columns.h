// Which columns of which orthogonal matrices a window of an output has elements of. Host code.
#ifndef ISOMETRY_CORE_COLUMNS_H_
#define ISOMETRY_CORE_COLUMNS_H_

#include <algorithm>
#include <vector>

#include "core/job.h"
#include "core/region.h"

namespace isometry::inline ISOMETRY_TARGET {

// Columns [firstColumn, lastColumn) of each of the matrices [firstMatrix, lastMatrix).
struct Columns {
  uint64_t firstMatrix, lastMatrix, firstColumn, lastColumn;
};

namespace detail {

// Calls visit(Columns) for all that a box which is whole within the window has elements of.
template <class Visit>
void columnsOf(const Region& box, uint64_t rows, uint64_t cols, const Visit& visit) {
  const uint64_t size = rows * cols;
  // Axes from matrix to matrix, and those inside one.
  uint64_t across = 0, inside = 0;
  for (int k = 0; k < box.rank; ++k) {
    const uint64_t span = (box.shape[k] - 1) * box.sourceStride[k];
    if (box.sourceStride[k] % size == 0) {
      across += span;
    } else {
      inside += span;
    }
  }
  const uint64_t first = box.sourceOffset, last = first + across + inside;
  const uint64_t firstMatrix = first / size, lastMatrix = last / size;
  if (first % size + inside < size) {
    visit(Columns{firstMatrix, lastMatrix + 1, first % size / rows, (first % size + inside) / rows + 1});
  } else if (across > 0) {
    visit(Columns{firstMatrix, lastMatrix + 1, 0, cols});
  } else {
    visit(Columns{firstMatrix, firstMatrix + 1, first % size / rows, cols});
    if (firstMatrix + 1 < lastMatrix) visit(Columns{firstMatrix + 1, lastMatrix, 0, cols});
    visit(Columns{lastMatrix, lastMatrix + 1, 0, last % size / rows + 1});
  }
}

}  // namespace detail

// All columns that elements of the parts in the output window [start, end) lie in, in ascending order of
// matrices, no matrix twice. Where regions are irregular it may be more than needed.
inline std::vector<Columns> neededColumns(const Orthogonal& work, uint64_t start, uint64_t end) {
  std::vector<Columns> wanted;
  std::vector<uint64_t> cuts;
  for (size_t p = 0; p < work.partCount; ++p) {
    forEachBox(work.parts[p].region, start, end, [&](const Region& box) {
      detail::columnsOf(box, work.rows, work.cols, [&](const Columns& columns) {
        wanted.push_back(columns);
        cuts.push_back(columns.firstMatrix);
        cuts.push_back(columns.lastMatrix);
      });
    });
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Columns> needed;
  for (size_t k = 0; k + 1 < cuts.size(); ++k) {
    Columns next{cuts[k], cuts[k + 1], work.cols, 0};
    for (const Columns& each : wanted) {
      if (each.firstMatrix > next.firstMatrix || each.lastMatrix < next.lastMatrix) continue;
      next.firstColumn = std::min(next.firstColumn, each.firstColumn);
      next.lastColumn = std::max(next.lastColumn, each.lastColumn);
    }
    if (next.firstColumn >= next.lastColumn) continue;
    Columns* before = needed.empty() ? nullptr : &needed.back();
    if (before != nullptr && before->lastMatrix == next.firstMatrix &&
        before->firstColumn == next.firstColumn && before->lastColumn == next.lastColumn) {
      before->lastMatrix = next.lastMatrix;
    } else {
      needed.push_back(next);
    }
  }
  return needed;
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_COLUMNS_H_
