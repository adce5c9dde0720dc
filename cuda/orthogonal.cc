#include "cuda/orthogonal.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/quantile.h"
#include "cuda/format.h"
#include "cuda/memory.h"
#include "cuda/orthogonal_plan.h"

namespace isometry::cuda {
namespace {

// Matrices are worked on together while their work memory is no more than this: enough to fill any GPU.
constexpr uint64_t kGroupBytes = uint64_t{1} << 30;
constexpr uint64_t kTableBytes =
    (kQuantileTableSize * sizeof(double) + kWorkAlignment - 1) / kWorkAlignment * kWorkAlignment;

// Columns of consecutive matrices, so many matrices at a time and so many columns.
struct Step {
  Columns columns;
  uint64_t matrices, width;
};

uint64_t tilesOf(uint64_t columns) { return (columns + kTileColumns - 1) / kTileColumns; }

// Memory that is counted, and freed when its scope is left: after all that uses it is done.
class WorkMemory {
 public:
  explicit WorkMemory(Device& device) : device_(device) {}
  // An error of freeing has been reported before, by whatever broke the context.
  ~WorkMemory() { (void)release(device_, address_); }
  WorkMemory(const WorkMemory&) = delete;
  WorkMemory& operator=(const WorkMemory&) = delete;

  Status take(uint64_t bytes) { return allocate(device_, bytes, &address_); }
  uint64_t address() const { return address_; }

 private:
  Device& device_;
  uint64_t address_ = 0;
};

// One call. Needs an exclusive Use while it lives.
class Run {
 public:
  Run(Device& device, const Orthogonal& work, uint64_t start, uint64_t end, uint64_t address,
      const std::atomic<bool>* cancelled)
      : device_(device),
        work_(work),
        start_(start),
        end_(end),
        address_(address),
        cancelled_(cancelled),
        memory_(device) {}

  Status prepare(uint64_t workBytes) {
    size_t available = 0, total = 0;
    Status status = device_.check(device_.driver().MemGetInfo(&available, &total), "cuMemGetInfo");
    if (!status.ok()) return status;
    // What is free is not free in one piece, and is not all ours.
    uint64_t most = available / 16 * 15;
    if (workBytes > 0) most = std::min(most, workBytes);
    uint64_t needed = 0;
    for (const Columns& columns : neededColumns(work_, start_, end_)) {
      Step step{columns, 1, tilesOf(columns.lastColumn - columns.firstColumn) * kTileColumns};
      const uint64_t bytes = fit(step, most);
      const bool fits = bytes > 0 && (bytes <= most || (workBytes > 0 && bytes <= available));
      if (!fits) return outOfMemory(bytes, available, total);
      needed = std::max(needed, bytes);
      steps_.push_back(step);
    }
    if (needed == 0) return {};
    status = memory_.take(needed + tableBytes());
    return status.ok() && tableBytes() > 0 ? uploadTable() : status;
  }

  Status make() {
    for (const Step& step : steps_) {
      Columns part = step.columns;
      for (uint64_t m = step.columns.firstMatrix; m < step.columns.lastMatrix; m = part.lastMatrix) {
        part.firstMatrix = m;
        part.lastMatrix = std::min(m + step.matrices, step.columns.lastMatrix);
        Status status = makeGroup(part, step.width);
        if (!status.ok()) return status;
      }
    }
    return {};
  }

 private:
  bool isDouble() const { return work_.dtype == DType::kFloat64; }
  uint64_t realBytes() const { return isDouble() ? 8 : 4; }
  uint64_t tableBytes() const { return isDouble() ? kTableBytes : 0; }
  Stream stream() const { return device_.stream(0); }

  // Work memory of `matrices` matrices of a step; 0 where it would be beyond all bounds.
  uint64_t bytesOf(const Step& step, uint64_t matrices, uint64_t width) const {
    Columns columns = step.columns;
    columns.lastMatrix = columns.firstMatrix + matrices;
    const uint64_t bytes = layOutGroup(work_, columns, width, realBytes()).bytes;
    return bytes == 0 ? 0 : bytes + tableBytes();
  }

  // Chooses how many matrices or columns of one at a time; returns the memory that they need.
  uint64_t fit(Step& step, uint64_t most) const {
    const uint64_t one = bytesOf(step, 1, step.width);
    if (one != 0 && one <= most) {
      const uint64_t count = std::min(most, kGroupBytes) / one;
      step.matrices = std::clamp<uint64_t>(count, 1, step.columns.lastMatrix - step.columns.firstMatrix);
      return bytesOf(step, step.matrices, step.width);
    }
    uint64_t low = 1, high = step.width / kTileColumns;  // in tiles: what may not fit, and what does not
    while (high - low > 1) {
      const uint64_t middle = (low + high) / 2;
      const uint64_t bytes = bytesOf(step, 1, middle * kTileColumns);
      (bytes != 0 && bytes <= most ? low : high) = middle;
    }
    step.width = low * kTileColumns;
    return bytesOf(step, 1, step.width);
  }

  Status outOfMemory(uint64_t needed, uint64_t available, uint64_t total) const {
    return {Code::kOutOfMemory, "out of GPU memory for orthogonal matrices of " + std::to_string(work_.rows) +
                                    " × " + std::to_string(work_.cols) + " on GPU " +
                                    std::to_string(device_.ordinal()) + " (" + device_.info().name +
                                    "): needed " +
                                    (needed == 0 ? "2^53 bytes and more" : formatBytes(needed)) +
                                    ", available " + formatBytes(available) + " of " + formatBytes(total)};
  }

  Status uploadTable() {
    PinnedBuffer& pinned = device_.slot(0).hostTasks;
    Status status = pinned.reserve(device_, kTableBytes);
    if (!status.ok()) return status;
    std::memcpy(pinned.data, work_.table, kQuantileTableSize * sizeof(double));
    return device_.check(
        device_.driver().MemcpyHtoDAsync(memory_.address(), pinned.data, kTableBytes, stream()),
        "cuMemcpyHtoDAsync");
  }

  Status makeGroup(const Columns& columns, uint64_t width) {
    Group group = layOutGroup(work_, columns, width, realBytes()).group;
    for (uint64_t* address :
         {&group.v, &group.u, &group.rho, &group.signs, &group.z, &group.partials, &group.y})
      *address += memory_.address() + tableBytes();
    Status status = makeReflections(group);
    for (uint64_t first = columns.firstColumn; first < columns.lastColumn && status.ok(); first += width) {
      group.firstColumn = first;
      group.lastColumn = std::min(first + width, columns.lastColumn);
      status = makePanel(group);
    }
    return status;
  }

  Status makeReflections(const Group& group) {
    DrawLaunch draw{philoxKeys(work_.seed), work_.stream, memory_.address(), group};
    const uint64_t stretches = group.matrices * group.blocks * group.chunks();
    Status status = launch(drawKernel(work_.dtype), kDrawThreads, stretches, &draw);
    GroupLaunch whole{group};
    if (status.ok()) status = launchEach(pivotKernel(work_.dtype), group.matrices * group.columns(), &whole);
    BlockLaunch gram{group, 0, 1, 0};
    if (status.ok()) status = launch(productKernel(work_.dtype), kProductThreads, stretches, &gram);
    if (status.ok()) status = launchEach(gramKernel(work_.dtype), group.matrices * group.uSize(), &whole);
    return status;
  }

  Status makePanel(const Group& group) {
    GroupLaunch start{group};
    const uint64_t quads = group.matrices * group.ySize() * realBytes() / 16;
    Status status = launchEach(startKernel(work_.dtype), quads, &start);
    for (uint64_t block = (group.lastColumn - 1) / kBlockColumns + 1; block-- > 0 && status.ok();) {
      if (isCancelled(cancelled_)) return {Code::kCancelled, "cancelled"};
      status = applyBlock(group, static_cast<uint32_t>(block));
    }
    return status.ok() ? scatter(group) : status;
  }

  Status applyBlock(const Group& group, uint32_t block) {
    const uint64_t column = uint64_t{block} * kBlockColumns;
    const uint64_t skipped = column < group.firstColumn ? 0 : (column - group.firstColumn) / kTileColumns;
    BlockLaunch apply{group, block, 0, skipped * kTileColumns};
    const uint64_t chunks = group.chunks() - apply.firstChunk();
    const uint64_t rowTiles = (group.paddedRows - Group::firstRow(block)) / kTileRows;
    const uint64_t solves = apply.tiles() * (kTileColumns / kSolveColumns);
    Status status =
        launch(productKernel(work_.dtype), kProductThreads, group.matrices * chunks * apply.tiles(), &apply);
    if (status.ok())
      status = launch(solveKernel(work_.dtype), kSolveThreads, group.matrices * solves, &apply);
    if (status.ok()) {
      status = launch(updateKernel(work_.dtype), kUpdateThreads, group.matrices * rowTiles * apply.tiles(),
                      &apply);
    }
    return status;
  }

  Status scatter(const Group& group) {
    const uint64_t size = work_.rows * work_.cols, first = group.firstMatrix * size;
    uint64_t begin = first, stop = first + group.matrices * size;
    if (group.matrices == 1) {
      begin = first + group.firstColumn * work_.rows;
      stop = first + group.lastColumn * work_.rows;
    }
    for (const ScatterBox& box : scatterBoxes(work_, start_, end_, begin, stop)) {
      ScatterLaunch one{group, box.gain, 0, box.source, box.count, 0, {}};
      one.out = address_ + (box.target - start_) * byteSize(work_.dtype);
      one.axisCount = static_cast<uint32_t>(box.axes.size());
      std::copy(box.axes.begin(), box.axes.end(), one.axes);
      Status status = launchEach(scatterKernel(work_.dtype), box.count, &one);
      if (!status.ok()) return status;
    }
    return {};
  }

  // A kernel whose blocks of threads are numbered: fewer than 2^31, for each has tens of kilobytes of work
  // memory.
  Status launch(const char* name, uint32_t threads, uint64_t blocks, void* parameter) {
    Kernel kernel;
    Status status = device_.kernel(name, &kernel, threads);
    return status.ok() ? launch(kernel, threads, blocks, parameter) : status;
  }

  // A kernel whose threads take one number after the other.
  Status launchEach(const char* name, uint64_t count, void* parameter) {
    Kernel kernel;
    Status status = device_.kernel(name, &kernel);
    if (!status.ok()) return status;
    const uint64_t blocks = std::min<uint64_t>((count + kThreads - 1) / kThreads, kernel.residentBlocks);
    return launch(kernel, kThreads, blocks, parameter);
  }

  Status launch(const Kernel& kernel, uint32_t threads, uint64_t blocks, void* parameter) {
    void* parameters[] = {parameter};
    return device_.check(device_.driver().LaunchKernel(kernel.function, static_cast<unsigned>(blocks), 1, 1,
                                                       threads, 1, 1, 0, stream(), parameters, nullptr),
                         "cuLaunchKernel");
  }

  Device& device_;
  const Orthogonal& work_;
  const uint64_t start_, end_, address_;
  const std::atomic<bool>* const cancelled_;
  WorkMemory memory_;
  std::vector<Step> steps_;
};

}  // namespace

Status orthogonalDevice(Device& device, const Orthogonal& work, uint64_t start, uint64_t end,
                        uint64_t address, const std::atomic<bool>* cancelled, uint64_t workBytes) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kExclusive);
    if (!use.status().ok()) return use.status();
    if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
    Run run(device, work, start, end, address, cancelled);
    Drain drain(device);  // before the run's memory is freed
    Status status = run.prepare(workBytes);
    if (status.ok()) status = run.make();
    const Status waited = drain.now();
    return status.ok() ? waited : status;
  });
}

Status orthogonalHost(Device& device, const Orthogonal& work, uint64_t start, uint64_t end, void* out,
                      const std::atomic<bool>* cancelled, uint64_t workBytes) {
  return guarded([&]() -> Status {
    const Window window = boundsOf(work, start, end);
    const uint64_t size = byteSize(work.dtype), bytes = (window.end - window.start) * size;
    if (bytes == 0) return {};
    unsigned char* const host = static_cast<unsigned char*>(out) + (window.start - start) * size;
    uint64_t address = 0;
    Status status = allocate(device, bytes, &address);
    if (!status.ok()) return status;
    // What no part has must come back as it is.
    if (!coversWindow(work, window.start, window.end))
      status = copyFromHost(device, host, address, bytes, cancelled);
    if (status.ok())
      status = orthogonalDevice(device, work, window.start, window.end, address, cancelled, workBytes);
    if (status.ok()) status = copyToHost(device, address, host, bytes, cancelled);
    const Status released = release(device, address);
    return status.ok() ? released : status;
  });
}

}  // namespace isometry::cuda
