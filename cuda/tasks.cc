#include "cuda/tasks.h"

#include <algorithm>
#include <cstring>

#include "core/region.h"
#include "core/round.h"
#include "core/uniform.h"

namespace isometry::cuda {
namespace {

// Both halves of a packet of equal elements.
void setPattern(DType dtype, double value, Numbers& numbers) {
  uint64_t half = 0;
  if (dtype == DType::kFloat64) {
    half = bitCast<uint64_t>(value);
  } else {
    const float rounded = static_cast<float>(value);
    const uint32_t word =
        dtype == DType::kFloat32
            ? bitCast<uint32_t>(rounded)
            : 0x10001u * (dtype == DType::kFloat16 ? toFloat16(rounded) : toBFloat16(rounded));
    half = word | static_cast<uint64_t>(word) << 32;
  }
  numbers.pattern[0] = numbers.pattern[1] = half;
}

Numbers numbersOf(const Job& job, DType dtype) {
  const Params& p = job.params;
  Numbers numbers;
  std::memset(&numbers, 0, sizeof numbers);
  if (job.kind == Kind::kConstant) {
    setPattern(dtype, p.value, numbers);
  } else if (job.kind == Kind::kMask) {
    numbers.mask = {p.rows, p.stride, p.zeros};
  } else if (job.kind == Kind::kQuantile || dtype == DType::kFloat64) {
    const bool uniform = job.kind == Kind::kUniform;
    numbers.f64 = {uniform ? p.low : p.mean, uniform ? p.range : p.std, p.min, p.max, 0};
  } else {
    const bool uniform = job.kind == Kind::kUniform;
    numbers.f32 = {uniform ? static_cast<float>(p.low) : static_cast<float>(p.mean),
                   uniform ? uniformStep32(p.range) : static_cast<float>(p.std),
                   static_cast<float>(p.min),
                   static_cast<float>(p.max),
                   static_cast<uint32_t>(p.base),
                   static_cast<uint32_t>(p.count)};
  }
  return numbers;
}

// Packets of float32 uniforms are clamped only from above: low is no less than min in every request that
// src/lower.ts makes. Strided tasks clamp on both sides.
bool packable(const Task& task) {
  const bool uniform32 = task.kind == static_cast<uint32_t>(Kind::kUniform) &&
                         task.dtype == static_cast<uint16_t>(DType::kFloat32);
  return !uniform32 || task.numbers.f32.shift >= task.numbers.f32.min;
}

// The axes of a box without those of one element, neighbours that continue each other made one. Returns how
// many.
size_t mergeAxes(const Region& box, Axis (&axes)[kMaxRank + 1]) {
  size_t count = 0;
  for (int k = 0; k < box.rank; ++k) {
    if (box.shape[k] == 1) continue;
    const Axis axis{box.shape[k], box.sourceStride[k], box.targetStride[k]};
    if (count > 0) {
      Axis& outer = axes[count - 1];
      if (outer.sourceStride == axis.count * axis.sourceStride &&
          outer.targetStride == axis.count * axis.targetStride) {
        outer = {outer.count * axis.count, axis.sourceStride, axis.targetStride};
        continue;
      }
    }
    axes[count++] = axis;
  }
  return count;
}

// Target distance from a job's first element to its last.
uint64_t spanOf(const Region& region) {
  uint64_t span = 0;
  for (int k = 0; k < region.rank; ++k) span += (region.shape[k] - 1) * region.targetStride[k];
  return span;
}

}  // namespace

void TaskList::add(const Part& part, const Job& job) {
  const DType dtype = part.fill.dtype;
  Task base;
  std::memset(&base, 0, sizeof base);
  base.stream = job.stream;
  base.kind = static_cast<uint32_t>(job.kind);
  base.dtype = static_cast<uint16_t>(dtype);
  base.numbers = numbersOf(job, dtype);
  const size_t first = tasks_.size();
  forEachBox(job.region, part.start, part.end, [&](const Region& box) {
    Axis axes[kMaxRank + 1];
    size_t count = mergeAxes(box, axes);
    Task task = base;
    task.out = part.address + (box.targetOffset - part.start) * byteSize(dtype);
    if (job.kind == Kind::kMask) {
      // No packets: most elements of one stay as they are.
      if (count == 0 || axes[count - 1].sourceStride != 1) axes[count++] = {1, 1, 1};
      addStrided(task, box.sourceOffset, axes, count);
    } else if (count == 0) {
      addRun(task, box.sourceOffset, 1);
    } else if (count == 1 && axes[0].sourceStride == 1 && axes[0].targetStride == 1) {
      addRun(task, box.sourceOffset, axes[0].count);
    } else {
      if (axes[count - 1].sourceStride != 1) axes[count++] = {1, 1, 1};
      addStrided(task, box.sourceOffset, axes, count);
    }
  });
  if (job.kind != Kind::kQuantile) return;
  for (size_t i = first; i < tasks_.size(); ++i) tables_.push_back({i, job.params.table});
}

// Consecutive elements: packets as far as memory and stream are aligned to each other, and the rest one by
// one.
void TaskList::addRun(const Task& task, uint64_t source, uint64_t count) {
  const DType dtype = static_cast<DType>(task.dtype);
  const uint64_t perBlock = static_cast<Kind>(task.kind) == Kind::kConstant ? 1 : elementsPerBlock(dtype);
  const uint64_t perPacket = elementsPerPacket(dtype);
  const auto strided = [&](uint64_t from, uint64_t length) {
    if (length == 0) return;
    Task rest = task;
    rest.out += from * byteSize(dtype);
    const Axis axis{length, 1, 1};
    addStrided(rest, source + from, &axis, 1);
  };
  uint64_t head = 0;
  while (head < perPacket &&
         ((task.out + head * byteSize(dtype)) % kPacketBytes != 0 || (source + head) % perBlock != 0)) {
    ++head;
  }
  if (head == perPacket || count <= head || !packable(task)) return strided(0, count);
  // The last one may be incomplete: its first elements are all there are.
  const uint64_t packets = (count - head + perPacket - 1) / perPacket;
  const uint64_t lastElements = count - head - (packets - 1) * perPacket;
  const uint64_t lastHalves = lastElements * byteSize(dtype) / 2;
  strided(0, head);
  // Within one task the upper half of the block's number does not change.
  const uint64_t perPacketBlocks = blocksPerPacket(dtype);
  const uint64_t block = perBlock == 1 ? 0 : (source + head) / elementsPerBlock(dtype);
  for (uint64_t done = 0; done < packets;) {
    const uint64_t left = (uint64_t{1} << 32) - (block + done * perPacketBlocks) % (uint64_t{1} << 32);
    const uint64_t at = head + done * perPacket;
    Task dense = task;
    dense.out += at * byteSize(dtype);
    if (perBlock == 1) {
      addPackets(dense, 0, packets, lastHalves);
      done = packets;
    } else if (left < perPacketBlocks) {
      strided(at, std::min(perPacket, count - at));
      ++done;
    } else {
      const uint64_t taken = std::min(packets - done, left / perPacketBlocks);
      const bool last = done + taken == packets;
      addPackets(dense, block + done * perPacketBlocks, taken, last ? lastHalves : kPacketBytes / 2);
      done += taken;
    }
  }
}

void TaskList::addPackets(Task task, uint64_t block, uint64_t packets, uint64_t lastHalves) {
  task.source = block;
  task.lastHalves = static_cast<uint16_t>(lastHalves);
  task.units = packets;
  tasks_.push_back(task);
}

void TaskList::addStrided(Task task, uint64_t source, const Axis* axes, size_t axisCount) {
  const uint64_t perBlock = elementsPerBlock(static_cast<DType>(task.dtype));
  uint64_t rows = 1;
  for (size_t k = 0; k + 1 < axisCount; ++k) rows *= axes[k].count;
  task.source = source;
  task.rowBlocks = (axes[axisCount - 1].count + 2 * (perBlock - 1)) / perBlock;
  task.units = rows * task.rowBlocks;
  task.firstAxis = static_cast<uint32_t>(axes_.size());
  task.axisCount = static_cast<uint32_t>(axisCount);
  axes_.insert(axes_.end(), axes, axes + axisCount);
  tasks_.push_back(task);
}

void TaskList::finish(uint32_t residentBlocks) {
  uint64_t units = 0;
  for (const Task& task : tasks_) units += task.units;
  // Large tiles cost least, but every block that can be resident should get some.
  constexpr uint32_t kMostPerThread = 4 * kTurns;
  unitsPerThread_ = kTurns;
  while (unitsPerThread_ < kMostPerThread &&
         units >= uint64_t{residentBlocks} * kThreads * unitsPerThread_ * 4) {
    unitsPerThread_ *= 2;
  }
  const uint64_t perTile = uint64_t{kThreads} * unitsPerThread_;
  tiles_ = 0;
  for (Task& task : tasks_) {
    task.firstTile = tiles_;
    tiles_ += (task.units + perTile - 1) / perTile;
  }
}

const char* TaskList::kernel() const {
  const auto law = [](const Task& task) {
    return kernelName(static_cast<Kind>(task.kind), static_cast<DType>(task.dtype));
  };
  if (tasks_.empty()) return kMixedKernel;
  const char* first = law(tasks_.front());
  for (const Task& task : tasks_) {
    if (task.rowBlocks != 0 || law(task) != first) return kMixedKernel;
  }
  return first;
}

std::vector<TaskList> planLaunches(const Part* parts, size_t count) {
  std::vector<TaskList> launches;
  for (size_t i = 0; i < count; ++i) {
    const Part& part = parts[i];
    if (part.start >= part.end) continue;
    // The stretch of the output that the jobs of the current launch lie in.
    size_t launch = 0;
    uint64_t low = 0, high = 0;
    bool any = false;
    for (size_t j = 0; j < part.fill.jobCount; ++j) {
      const Job& job = part.fill.jobs[j];
      const uint64_t jobLow = job.region.targetOffset;
      const uint64_t jobHigh = jobLow + spanOf(job.region);
      if (any && jobLow <= high && jobHigh >= low) {
        ++launch;
        any = false;
      }
      low = any ? std::min(low, jobLow) : jobLow;
      high = any ? std::max(high, jobHigh) : jobHigh;
      any = true;
      if (launches.size() <= launch) launches.resize(launch + 1);
      launches[launch].add(part, job);
    }
  }
  launches.erase(
      std::remove_if(launches.begin(), launches.end(), [](const TaskList& list) { return list.empty(); }),
      launches.end());
  return launches;
}

}  // namespace isometry::cuda
