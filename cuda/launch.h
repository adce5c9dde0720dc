// What the host hands to the kernels of fill.cu: plain data, the same bytes on both sides. tasks.h makes it
// from jobs.
#ifndef ISOMETRY_CUDA_LAUNCH_H_
#define ISOMETRY_CUDA_LAUNCH_H_

#include "core/job.h"
#include "core/philox.h"
#include "core/platform.h"

namespace isometry::cuda {

// A packet is one 16-byte store, made from one Philox block (32- and 64-bit elements) or two (16-bit ones).
inline constexpr uint32_t kPacketBytes = 16;

// Threads of a block. A thread stores every kThreads-th packet of a tile, so that a warp's stores are
// contiguous.
inline constexpr uint32_t kThreads = 256;

// A tile has a multiple of so many packets per thread.
inline constexpr uint32_t kTurns = 8;

// Elements made from one Philox block of four words.
ISOMETRY_HD constexpr uint32_t elementsPerBlock(DType dtype) { return dtype == DType::kFloat64 ? 2 : 4; }

ISOMETRY_HD constexpr uint32_t elementsPerPacket(DType dtype) {
  return dtype == DType::kFloat64 ? 2 : dtype == DType::kFloat32 ? 4 : 8;
}

ISOMETRY_HD constexpr uint32_t blocksPerPacket(DType dtype) {
  return elementsPerPacket(dtype) / elementsPerBlock(dtype);
}

// A law's final numbers. Which ones count depends on the kind, which width on the dtype.
struct Numbers {
  union {
    struct {
      float shift, scale, min, max;  // uniform: low and step; normals: mean and std
      uint32_t base, count;          // truncatedNormal
    } f32;
    struct {
      double shift, scale, min, max;  // uniform: low and range; quantile: mean and std
      uint64_t table;                 // quantile: device address of kQuantileTableSize doubles
    } f64;
    struct {
      uint64_t rows, stride, zeros;
    } mask;
    uint64_t pattern[2];  // constant: one packet of it
  };
};

// One axis of a strided task.
struct Axis {
  uint64_t count, sourceStride, targetStride;
};

// One primitive on one box of one output: either dense (consecutive elements, from a 16-byte boundary of
// memory and a block boundary of the stream on, in which the upper half of the block number does not change),
// or strided (anything else).
struct alignas(16) Task {
  uint64_t firstTile;  // the launch's tiles from here to the next task's firstTile are this task's
  uint64_t out;        // device address of the box's first element
  // dense: packets, a last incomplete one included. strided: rows × rowBlocks, a row being a run along the
  // last axis.
  uint64_t units;
  uint64_t stream;
  uint64_t source;     // dense: first Philox block. strided: the box's first element in the stream
  uint64_t rowBlocks;  // dense: 0. strided: Philox blocks that a row may touch, whatever its alignment
  uint32_t firstAxis;  // strided: its axes in Launch::axes, outermost first; the last has source stride 1
  uint32_t axisCount;
  uint16_t lastHalves;  // dense: of the last packet, how many 2-byte halves of a word are stored, 1 to 8
  uint16_t dtype;       // DType
  uint32_t kind;        // Kind
  Numbers numbers;
};

// The one parameter of every fill kernel. It holds the round keys, so that they are operands out of constant
// memory.
struct Launch {
  PhiloxKeys keys;
  const Task* tasks;  // taskCount of them, in the order of their tiles
  const Axis* axes;
  uint64_t tiles;
  uint32_t taskCount;
  uint32_t unitsPerThread;  // of a full tile; a multiple of kTurns
};

// The parameter of the kernel standardNormals: out[i] = the standard normal of word firstWord + i.
struct NormalsLaunch {
  uint64_t out;  // device address, float32
  uint64_t count;
  uint32_t firstWord;
};

// Kernels by name: one for dense tasks of each law, and one for tasks of any kind.
inline constexpr const char* kMixedKernel = "fillMixed";
inline constexpr const char* kNormalsKernel = "standardNormals";

// Null where the kind is not defined for the dtype.
inline const char* kernelName(Kind kind, DType dtype) {
  static constexpr const char* kNames[6][4] = {
      {"fillConstant", "fillConstant", "fillConstant", "fillConstant"},
      {"fillUniformF64", "fillUniformF32", "fillUniformF16", "fillUniformBF16"},
      {nullptr, "fillNormalF32", "fillNormalF16", "fillNormalBF16"},
      {nullptr, "fillTruncatedF32", "fillTruncatedF16", "fillTruncatedBF16"},
      {"fillQuantileF64", "fillQuantileF32", "fillQuantileF16", "fillQuantileBF16"},
      {nullptr, nullptr, nullptr, nullptr},  // masks: strided, whatever their region, hence kMixedKernel
  };
  return kNames[static_cast<int>(kind)][static_cast<int>(dtype)];
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_LAUNCH_H_
