// What of a stack of orthogonal matrices has to be computed for a window of an output, and in how many steps.
// Host code without a GPU.
#ifndef ISOMETRY_CUDA_ORTHOGONAL_PLAN_H_
#define ISOMETRY_CUDA_ORTHOGONAL_PLAN_H_

#include <vector>

#include "core/columns.h"
#include "cuda/orthogonal.h"
#include "cuda/reflections.h"

namespace isometry::cuda {

// One box of a part as the scatter kernel takes it: `target` is the index of its first element in the output.
// The axes are in descending order of target strides, and no two of them could be one.
struct ScatterBox {
  double gain;
  uint64_t source, target, count;
  std::vector<Axis> axes;
};

// The boxes of all parts, in their order, that together are what lies in the window [start, end) of the
// output and has sources in [begin, stop). Where the sources are irregular there may be elements with others.
std::vector<ScatterBox> scatterBoxes(const Orthogonal& work, uint64_t start, uint64_t end, uint64_t begin,
                                     uint64_t stop);

// True only if the parts leave no element of the window out; false also where several do so together.
bool coversWindow(const Orthogonal& work, uint64_t start, uint64_t end);

// From the first to behind the last element of the window that a part has; nothing, at `start`, where there
// is none.
struct Window {
  uint64_t start, end;
};
Window boundsOf(const Orthogonal& work, uint64_t start, uint64_t end);

// Where in one piece of work memory everything is that a Group names, at multiples of kWorkAlignment. The
// addresses are offsets; `bytes` is 0 where they would reach beyond 2^53. `realBytes`: of a number of the
// working precision.
inline constexpr uint64_t kWorkAlignment = 256;
struct WorkLayout {
  Group group;
  uint64_t bytes;
};
WorkLayout layOutGroup(const Orthogonal& work, const Columns& columns, uint64_t width, uint64_t realBytes);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_ORTHOGONAL_PLAN_H_
