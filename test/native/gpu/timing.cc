#include "test/native/gpu/timing.h"

#include <map>

#include "core/quantile.h"

namespace isometry::gpu {

Prepared::Prepared(Suite& suite, const std::vector<cuda::Part>& parts) : suite_(suite) {
  Gpu& gpu = suite.gpu;
  for (cuda::TaskList& list : cuda::planLaunches(parts.data(), parts.size())) {
    One one{list.kernel(), gpu.kernel(suite.library, list.kernel(), cuda::kThreads), {}, 0, {}};
    list.finish(one.kernel.residentBlocks);
    const auto upload = [&](const void* from, uint64_t bytes) {
      one.uploads.push_back(std::make_unique<Buffer>(gpu, bytes));
      one.uploads.back()->write(from, bytes);
      return one.uploads.back()->address();
    };
    std::map<const double*, uint64_t> tables;
    for (const auto& table : list.tables()) {
      uint64_t& address = tables[table.host];
      if (address == 0) address = upload(table.host, kQuantileTableSize * sizeof(double));
      list.setTable(table.task, address);
    }
    cuda::Launch& launch = one.parameter;
    launch.keys = philoxKeys(parts.front().fill.seed);
    launch.tasks = reinterpret_cast<const cuda::Task*>(
        upload(list.tasks().data(), list.tasks().size() * sizeof(cuda::Task)));
    launch.axes = reinterpret_cast<const cuda::Axis*>(
        upload(list.axes().data(), list.axes().size() * sizeof(cuda::Axis)));
    launch.tiles = list.tiles();
    launch.taskCount = static_cast<uint32_t>(list.tasks().size());
    launch.unitsPerThread = list.unitsPerThread();
    one.blocks = static_cast<uint32_t>(std::min<uint64_t>(launch.tiles, one.kernel.residentBlocks));
    launches_.push_back(std::move(one));
  }
}

void Prepared::launch() {
  for (One& one : launches_) suite_.gpu.launch(one.kernel, one.blocks, cuda::kThreads, &one.parameter);
}

Compared compare(Gpu& gpu, int turns, int times, const std::function<void(int)>& work,
                 const std::function<void(int)>& reference) {
  std::vector<double> ours, theirs, ratios;
  // Two turns warm up and are not counted; where there is but one to count, none does.
  for (int turn = turns > 1 ? -2 : 0; turn < turns; ++turn) {
    const auto timed = [&](const std::function<void(int)>& body) {
      return gpu.milliseconds([&] {
        for (int i = 0; i < times; ++i) body(i);
      });
    };
    const double b = timed(reference), a = timed(work);
    if (turn < 0) continue;
    ours.push_back(a / times);
    theirs.push_back(b / times);
    ratios.push_back(b / a);
  }
  return {median(ours), median(theirs), median(ratios)};
}

void warmUp(Suite& suite, double milliseconds) {
  Buffer buffer(suite.gpu, uint64_t{64} << 20);
  double spent = 0;
  while (spent < milliseconds) {
    const double took = suite.gpu.milliseconds([&] {
      for (int i = 0; i < 100; ++i) suite.gpu.memset(buffer.address(), 1, buffer.bytes());
    });
    spent += std::max(took, 1.0);
  }
}

}  // namespace isometry::gpu
