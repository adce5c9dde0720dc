#include "cuda/enqueue.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "core/quantile.h"

namespace isometry::cuda {
namespace {

constexpr uint64_t kTableBytes = kQuantileTableSize * sizeof(double);

// One launch's place in the upload: its tasks and then its axes.
struct Place {
  uint64_t tasks, axes;
  Kernel kernel;
};

// The bytes of one upload, each kind at a multiple of its alignment: sizes of tasks are multiples of 16, of
// axes and tables of 8.
struct Layout {
  std::vector<Place> places;
  std::map<const double*, uint64_t> tables;
  uint64_t bytes = 0;

  uint64_t take(uint64_t size) {
    const uint64_t at = bytes;
    bytes += (size + alignof(Task) - 1) / alignof(Task) * alignof(Task);
    return at;
  }
};

Status checkParts(const Part* parts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Part& part = parts[i];
    if (part.start >= part.end) continue;
    const uint64_t size = byteSize(part.fill.dtype);
    if (part.end - part.start > (UINT64_MAX - part.address) / size) {
      return {Code::kTooLarge,
              "expected fewer elements than reach the end of the address space but received " +
                  std::to_string(part.end - part.start)};
    }
    if (part.address % size != 0) {
      return {Code::kInvalidTarget, "expected an address that is a multiple of the element's " +
                                        std::to_string(size) + " bytes but received " +
                                        std::to_string(part.address)};
    }
    if (part.fill.seed != parts[0].fill.seed) {
      return {Code::kInvalidTarget, "expected one seed for all parts of a fill but received several"};
    }
  }
  return {};
}

// Where everything goes, with the kernels that it goes to.
Status layOut(Device& device, std::vector<TaskList>& launches, Layout* layout) {
  for (TaskList& list : launches) {
    Place place{};
    Status status = device.kernel(list.kernel(), &place.kernel);
    if (!status.ok()) return status;
    list.finish(place.kernel.residentBlocks);
    place.tasks = layout->take(list.tasks().size() * sizeof(Task));
    place.axes = layout->take(list.axes().size() * sizeof(Axis));
    layout->places.push_back(place);
    for (const TaskList::Table& table : list.tables()) {
      if (layout->tables.count(table.host) == 0) layout->tables[table.host] = layout->take(kTableBytes);
    }
  }
  return {};
}

template <class T>
void put(unsigned char* to, const std::vector<T>& from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(T));
}

}  // namespace

Status enqueueFill(Device& device, Slot& slot, Stream stream, const Part* parts, size_t count) {
  Status status = checkParts(parts, count);
  if (!status.ok()) return status;
  std::vector<TaskList> launches = planLaunches(parts, count);
  if (launches.empty()) return {};
  Layout layout;
  status = layOut(device, launches, &layout);
  if (status.ok()) status = slot.hostTasks.reserve(device, layout.bytes);
  if (status.ok()) status = slot.deviceTasks.reserve(device, layout.bytes);
  if (!status.ok()) return status;

  unsigned char* const host = slot.hostTasks.data;
  const DevicePointer base = slot.deviceTasks.address;
  for (const auto& [table, at] : layout.tables) std::memcpy(host + at, table, kTableBytes);
  for (size_t i = 0; i < launches.size(); ++i) {
    TaskList& list = launches[i];
    for (const TaskList::Table& table : list.tables()) {
      list.setTable(table.task, base + layout.tables[table.host]);
    }
    put(host + layout.places[i].tasks, list.tasks());
    put(host + layout.places[i].axes, list.axes());
  }
  const Driver& driver = device.driver();
  status = device.check(driver.MemcpyHtoDAsync(base, host, layout.bytes, stream), "cuMemcpyHtoDAsync");
  if (!status.ok()) return status;

  for (size_t i = 0; i < launches.size(); ++i) {
    const TaskList& list = launches[i];
    const Place& place = layout.places[i];
    Launch launch;
    launch.keys = philoxKeys(parts[0].fill.seed);
    launch.tasks = reinterpret_cast<const Task*>(base + place.tasks);
    launch.axes = reinterpret_cast<const Axis*>(base + place.axes);
    launch.tiles = list.tiles();
    launch.taskCount = static_cast<uint32_t>(list.tasks().size());
    launch.unitsPerThread = list.unitsPerThread();
    // A block takes every gridDim-th tile.
    const auto blocks = static_cast<uint32_t>(std::min<uint64_t>(list.tiles(), place.kernel.residentBlocks));
    void* parameters[] = {&launch};
    status = device.check(driver.LaunchKernel(place.kernel.function, blocks, 1, 1, kThreads, 1, 1, 0, stream,
                                              parameters, nullptr),
                          list.kernel());
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace isometry::cuda
