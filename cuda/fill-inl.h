// What one thread of a fill kernel does. fill.cu makes kernels of it; tests run it on the host, thread after
// thread (host_kernels.h).
#ifndef ISOMETRY_CUDA_FILL_INL_H_
#define ISOMETRY_CUDA_FILL_INL_H_

#include "core/mask.h"
#include "cuda/launch.h"
#include "cuda/laws.h"

namespace isometry::cuda {

struct alignas(16) Packet {
  uint32_t w[4];
};

// Past the caches: nobody reads what a fill has written before it is long gone from them.
ISOMETRY_HD void storePacket(Packet* out, const Packet& packet) {
#if defined(__CUDA_ARCH__)
  __stcs(reinterpret_cast<uint4*>(out), make_uint4(packet.w[0], packet.w[1], packet.w[2], packet.w[3]));
#else
  *out = packet;
#endif
}

// The packets of a tile of a dense task. No lambdas where packets are made: the compiler decides for itself
// whether to inline those, and the round keys are operands in constant memory only while all is one function.
template <Kind kind, DType dtype>
struct Packets {
  const Law<kind, dtype> law;
  const PhiloxKeys& keys;
  uint64_t stream;
  uint32_t block, blockHigh;  // of packet 0; the upper half is that of all

  ISOMETRY_HD Packets(const Launch& launch, const Task& task, uint64_t first, const Place& place)
      : law(task.numbers, place), keys(launch.keys), stream(task.stream) {
    const uint64_t at = task.source + first * blocksPerPacket(dtype);
    block = static_cast<uint32_t>(at);
    blockHigh = static_cast<uint32_t>(at >> 32);
  }

  ISOMETRY_HD Packet operator()(uint32_t i) const {
    Packet packet;
    uint32_t words[4];
    const uint32_t own = block + blocksPerPacket(dtype) * i;
    drawBlock(keys, stream, own, blockHigh, words);
    if constexpr (dtype == DType::kFloat64) {
      const auto first = bitCast<uint64_t>(law.value(words, 0));
      const auto second = bitCast<uint64_t>(law.value(words, 1));
      packet = {{static_cast<uint32_t>(first), static_cast<uint32_t>(first >> 32),
                 static_cast<uint32_t>(second), static_cast<uint32_t>(second >> 32)}};
    } else if constexpr (dtype == DType::kFloat32) {
      packet = {{bitCast<uint32_t>(law.value(words, 0)), bitCast<uint32_t>(law.value(words, 1)),
                 bitCast<uint32_t>(law.value(words, 2)), bitCast<uint32_t>(law.value(words, 3))}};
    } else {
      using Element = ElementOf<dtype>;
      packet.w[0] = Element::pack(law.value(words, 0), law.value(words, 1));
      packet.w[1] = Element::pack(law.value(words, 2), law.value(words, 3));
      drawBlock(keys, stream, own + 1, blockHigh, words);
      packet.w[2] = Element::pack(law.value(words, 0), law.value(words, 1));
      packet.w[3] = Element::pack(law.value(words, 2), law.value(words, 3));
    }
    return packet;
  }
};

// Of constants: each is the same.
template <DType dtype>
struct Packets<Kind::kConstant, dtype> {
  Packet packet;

  ISOMETRY_HD Packets(const Launch&, const Task& task, uint64_t, const Place&) {
    const uint64_t a = task.numbers.pattern[0], b = task.numbers.pattern[1];
    packet = {{static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32), static_cast<uint32_t>(b),
               static_cast<uint32_t>(b >> 32)}};
  }

  ISOMETRY_HD Packet operator()(uint32_t) const { return packet; }
};

// The beginning of a packet.
ISOMETRY_HD void storeHalves(Packet* out, const Packet& packet, uint32_t halves) {
  uint16_t* to = reinterpret_cast<uint16_t*>(out);
  ISOMETRY_UNROLL
  for (uint32_t k = 0; k < kPacketBytes / 2; ++k) {
    if (k < halves) to[k] = static_cast<uint16_t>(packet.w[k / 2] >> 16 * (k % 2));
  }
}

// Packets thread, thread + kThreads, … below count, and of packet `count` the first `halves` halves, if any.
// `unroll` packets are written out in the inner loop, so that the ends of one overlap with the beginning of
// the next.
template <uint32_t unroll, class Packets>
ISOMETRY_HD void storeTile(Packet* out, uint32_t thread, uint32_t count, uint32_t halves,
                           const Packets& packets) {
  static_assert(kTurns % unroll == 0, "full tiles would take the slow loop");
  constexpr uint32_t kStride = unroll * kThreads;
  uint32_t i = thread;
  ISOMETRY_ROLLED
  for (uint32_t stride = 0; stride < count / kStride; ++stride) {  // the same for all threads
    ISOMETRY_UNROLL
    for (uint32_t k = 0; k < unroll; ++k) storePacket(out + i + k * kThreads, packets(i + k * kThreads));
    i += kStride;
  }
  ISOMETRY_ROLLED
  for (; i < count + (halves > 0); i += kThreads) {
    const Packet packet = packets(i);
    if (i < count) {
      storePacket(out + i, packet);
    } else {
      storeHalves(out + i, packet, halves);
    }
  }
}

// As many packets as hide the latencies of one another: 16 samples, but few of the long polynomials in
// float64.
template <Kind kind, DType dtype>
ISOMETRY_HD constexpr uint32_t unrollOf() {
  if (kind == Kind::kQuantile) return 1;
  if (kind == Kind::kConstant) return 8;
  if (dtype != DType::kFloat32) return 2;
  return kind == Kind::kTruncatedNormal ? 8 : 4;  // 8 saves an instruction in four samples
}

// Where one run of a strided task begins.
struct RowStart {
  uint64_t source, target;
};

ISOMETRY_HD RowStart rowStart(const Task& task, const Axis* axes, uint64_t row) {
  RowStart start{task.source, 0};
  ISOMETRY_ROLLED
  for (uint32_t k = task.axisCount - 1; k-- > 0;) {
    const Axis& axis = axes[task.firstAxis + k];
    const uint64_t outer = row / axis.count;
    const uint64_t index = row - outer * axis.count;
    row = outer;
    start.source += index * axis.sourceStride;
    start.target += index * axis.targetStride;
  }
  return start;
}

// The elements that one Philox block gives to a row, to wherever they belong. `element(block, j)`.
template <DType dtype, class Store>
ISOMETRY_HD void eachOfUnit(const Task& task, const Axis* axes, uint64_t unit, const Store& store) {
  constexpr uint32_t kPerBlock = elementsPerBlock(dtype);
  const uint64_t row = unit / task.rowBlocks;
  const RowStart start = rowStart(task, axes, row);
  const Axis& run = axes[task.firstAxis + task.axisCount - 1];
  const uint64_t block = start.source / kPerBlock + (unit - row * task.rowBlocks);
  // Element j of the block is element block·kPerBlock + j - start.source of the row; below 0 it wraps to a
  // number beyond every row.
  const uint64_t first = block * kPerBlock - start.source;
  store(block, [&](uint32_t j, auto element) {
    using Type = typename ElementOf<dtype>::Type;
    if (first + j < run.count) {
      reinterpret_cast<Type*>(task.out)[start.target + (first + j) * run.targetStride] = element;
    }
  });
}

// This thread's part of one tile of a dense task. The task is a copy: the stores could otherwise change it,
// for all the compiler knows.
template <Kind kind, DType dtype>
ISOMETRY_HD void fillDense(const Launch& launch, Task task, uint64_t tile, const Place& place) {
  const uint64_t perTile = uint64_t{kThreads} * launch.unitsPerThread;
  const uint64_t first = (tile - task.firstTile) * perTile;
  const uint64_t left = task.units - first;
  const bool cut = left <= perTile && task.lastHalves < kPacketBytes / 2;
  const uint32_t count = static_cast<uint32_t>(left < perTile ? left : perTile) - (cut ? 1 : 0);
  const uint32_t halves = cut ? task.lastHalves : 0;
  Packet* out = reinterpret_cast<Packet*>(task.out) + first;
  storeTile<unrollOf<kind, dtype>()>(out, place.thread, count, halves,
                                     Packets<kind, dtype>(launch, task, first, place));
}

// The same of a strided task.
template <Kind kind, DType dtype>
ISOMETRY_HD void fillStrided(const Launch& launch, const Task& task, uint64_t tile, const Place& place) {
  using Element = ElementOf<dtype>;
  const uint64_t perTile = uint64_t{kThreads} * launch.unitsPerThread;
  const uint64_t first = (tile - task.firstTile) * perTile;
  const uint64_t left = task.units - first;
  const uint32_t count = static_cast<uint32_t>(left < perTile ? left : perTile);
  ISOMETRY_ROLLED
  for (uint32_t i = place.thread; i < count; i += kThreads) {
    eachOfUnit<dtype>(task, launch.axes, first + i, [&](uint64_t block, const auto& store) {
      if constexpr (kind == Kind::kConstant) {
        const auto value = firstOf<typename Element::Type>(task.numbers.pattern[0]);
        for (uint32_t j = 0; j < elementsPerBlock(dtype); ++j) store(j, value);
      } else if constexpr (kind == Kind::kMask) {
        const auto& numbers = task.numbers.mask;
        const Mask mask(numbers.rows, numbers.stride, numbers.zeros);
        ISOMETRY_ROLLED
        for (uint32_t j = 0; j < elementsPerBlock(dtype); ++j) {
          if (mask.isZero(launch.keys, task.stream, block * elementsPerBlock(dtype) + j)) {
            store(j, typename Element::Type{});
          }
        }
      } else {
        const Law<kind, dtype> law(task.numbers, place);
        uint32_t words[4];
        drawBlock(launch.keys, task.stream, static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                  words);
        for (uint32_t j = 0; j < elementsPerBlock(dtype); ++j) {
          if constexpr (dtype == DType::kFloat64) {
            store(j, law.edge(words, static_cast<int>(j)));
          } else {
            store(j, Element::round(law.edge(words, static_cast<int>(j))));
          }
        }
      }
    });
  }
}

// The last task that begins at or before the tile.
ISOMETRY_HD uint32_t taskOfTile(const Launch& launch, uint64_t tile) {
  uint32_t low = 0, high = launch.taskCount;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    if (launch.tasks[middle].firstTile <= tile) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// The kernels' bodies: all tiles of this thread's block. Dense tasks of one law:
template <Kind kind, DType dtype>
ISOMETRY_HD void fillLaw(const Launch& launch, const Place& place) {
  for (uint64_t tile = place.block; tile < launch.tiles; tile += place.blocks) {
    const Task& task = launch.tasks[taskOfTile(launch, tile)];
    fillDense<kind, dtype>(launch, task, tile, place);
  }
}

// Any tasks:
ISOMETRY_HD void fillAny(const Launch& launch, const Task& task, uint64_t tile, const Place& place) {
  if (task.rowBlocks != 0) {
    switch (task.kind * 4 + task.dtype) {
#define ISOMETRY_CASE(name, kind, dtype)                 \
  case lawCode(kind, dtype):                             \
    fillStrided<kind, dtype>(launch, task, tile, place); \
    break;
      ISOMETRY_FOR_EACH_CONSTANT(ISOMETRY_CASE)
      ISOMETRY_FOR_EACH_MASK(ISOMETRY_CASE)
      ISOMETRY_FOR_EACH_RANDOM_LAW(ISOMETRY_CASE)
#undef ISOMETRY_CASE
    }
  } else if (task.kind == static_cast<uint32_t>(Kind::kConstant)) {
    fillDense<Kind::kConstant, DType::kFloat32>(launch, task, tile, place);
  } else {
    switch (task.kind * 4 + task.dtype) {
#define ISOMETRY_CASE(name, kind, dtype)               \
  case lawCode(kind, dtype):                           \
    fillDense<kind, dtype>(launch, task, tile, place); \
    break;
      ISOMETRY_FOR_EACH_RANDOM_LAW(ISOMETRY_CASE)
#undef ISOMETRY_CASE
    }
  }
}

ISOMETRY_HD void fillMixed(const Launch& launch, const Place& place) {
  for (uint64_t tile = place.block; tile < launch.tiles; tile += place.blocks) {
    fillAny(launch, launch.tasks[taskOfTile(launch, tile)], tile, place);
  }
}

// Standard normals of consecutive words, for the proof over all of them.
ISOMETRY_HD void fillNormals(const NormalsLaunch& launch, const Place& place) {
  const DeviceNormal normal{place.rows};
  float* out = reinterpret_cast<float*>(launch.out);
  const uint64_t step = uint64_t{place.blocks} * kThreads;
  for (uint64_t i = uint64_t{place.block} * kThreads + place.thread; i < launch.count; i += step) {
    out[i] = standardNormal(normal, launch.firstWord + static_cast<uint32_t>(i));
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_FILL_INL_H_
