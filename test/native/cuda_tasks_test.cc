// The GPU's kernels, their bodies run on the host thread after thread, against the CPU backend: every law and
// dtype, on windows, alignments and strides that share nothing with a packet's 16 bytes. What is not the
// part's keeps its bytes.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "core/quantile.h"
#include "core/region.h"
#include "cpu/fill.h"
#include "cuda/tasks.h"
#include "fake_cuda/kernels.h"
#include "jobs.h"

namespace isometry {
namespace {

using cuda::Part;
using cuda::TaskList;
using test::denseJob;

constexpr unsigned char kPoison = 0xca;
constexpr size_t kGuard = 64;

const std::vector<double>& table() {
  static const std::vector<double> made = [] {  // not a law, but every row differs
    std::vector<double> rows(kQuantileTableSize);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<double>(i % 977) / 977 - 0.5;
    return rows;
  }();
  return made;
}

bool isDefined(Kind kind, DType dtype) {
  return dtype != DType::kFloat64 || (kind != Kind::kNormal && kind != Kind::kTruncatedNormal);
}

// Runs the launches as a device would, on `blocks` blocks; returns the kernels' names.
std::vector<std::string> run(const Part* parts, size_t count, uint32_t blocks) {
  std::vector<std::string> names;
  for (TaskList& list : cuda::planLaunches(parts, count)) {
    for (const TaskList::Table& entry : list.tables()) {
      list.setTable(entry.task, reinterpret_cast<uint64_t>(entry.host));
    }
    list.finish(blocks);
    cuda::Launch launch{};
    launch.keys = philoxKeys(parts[0].fill.seed);
    launch.tasks = list.tasks().data();
    launch.axes = list.axes().data();
    launch.tiles = list.tiles();
    launch.taskCount = static_cast<uint32_t>(list.tasks().size());
    launch.unitsPerThread = list.unitsPerThread();
    const fake_cuda::Kernel* kernel = fake_cuda::findKernel(list.kernel());
    CHECK(kernel != nullptr && kernel->parameterBytes == sizeof launch);
    if (kernel == nullptr) return names;
    for (uint32_t block = 0; block < blocks; ++block) kernel->run(&launch, {block, blocks});
    names.push_back(kernel->name);
  }
  return names;
}

// Elements [start, end) of the fill, `offset` elements past a 16-byte boundary, by kernels and by the CPU.
std::vector<std::string> compare(const Fill& fill, uint64_t start, uint64_t end, size_t offset,
                                 const char* what) {
  const size_t size = byteSize(fill.dtype), bytes = (end - start) * size;
  const auto buffer = [&] {
    return std::vector<unsigned char>(bytes + 2 * kGuard + 16 + offset * size, kPoison);
  };
  std::vector<unsigned char> ours = buffer(), theirs = buffer();
  const auto at = [&](std::vector<unsigned char>& memory) {
    const uint64_t address = reinterpret_cast<uint64_t>(memory.data()) + kGuard;
    return memory.data() + kGuard + (16 - address % 16) % 16 + offset * size;
  };
  const Part part{fill, start, end, reinterpret_cast<uint64_t>(at(ours))};
  const std::vector<std::string> names = run(&part, 1, 3);
  cpu::bestTarget()->fill(fill, at(theirs), start, end);
  const size_t shift = static_cast<size_t>(at(ours) - ours.data()) - kGuard;
  const size_t theirShift = static_cast<size_t>(at(theirs) - theirs.data()) - kGuard;
  const bool equal = std::memcmp(ours.data() + shift, theirs.data() + theirShift, bytes + kGuard + 16) == 0;
  CHECK(equal);
  if (!equal) {
    std::printf("  %s: kind %d dtype %d [%llu, %llu) offset %zu\n", what, static_cast<int>(fill.jobs[0].kind),
                static_cast<int>(fill.dtype), static_cast<unsigned long long>(start),
                static_cast<unsigned long long>(end), offset);
  }
  return names;
}

// Bounds that cut much away.
void bound(Job& job) {
  job.params.min = -0.5;
  job.params.max = 0.375;
}

template <class Visit>
void forEachLaw(const Visit& visit) {
  for (int kind = 0; kind <= 4; kind++) {
    for (int dtype = 0; dtype <= 3; dtype++) {
      if (isDefined(static_cast<Kind>(kind), static_cast<DType>(dtype))) {
        visit(static_cast<Kind>(kind), static_cast<DType>(dtype));
      }
    }
  }
}

TEST(kernelsEqualTheCpuOnDenseOutputs) {
  forEachLaw([](Kind kind, DType dtype) {
    for (uint64_t total : {1, 2, 3, 4, 5, 7, 8, 9, 63, 65, 257, 4099, 70001}) {
      Job job = denseJob(kind, total);
      job.params.table = table().data();
      const Fill fill{0xdeadbeefcafef00d, dtype, &job, 1};
      const auto names = compare(fill, 0, total, 0, "whole");
      CHECK(names.size() == 1 && names[0] == cuda::kernelName(kind, dtype));
      bound(job);
      compare(fill, 0, total, 0, "bounded");
      if (total > 3) compare(fill, 1, total - 1, 3, "bounded window");
      job.params.low = -0.5;  // float32 packets are then clamped from above only
      compare(fill, 0, total, 0, "bounded above");
      for (uint64_t start : {0, 1, 2, 3, 4, 6, 8}) {
        for (size_t offset : {0, 1, 2, 3, 5, 7}) {
          if (start < total)
            compare(fill, start, total - (total - start > 6 ? start % 3 : 0), offset, "window");
        }
      }
    }
  });
}

// Random boxes with random gaps, both in the stream and in the output.
TEST(kernelsEqualTheCpuOnStridedRegions) {
  std::mt19937 random(12345);
  const auto below = [&](uint32_t n) { return random() % n; };
  forEachLaw([&](Kind kind, DType dtype) {
    for (int round = 0; round < 60; ++round) {
      Job job = denseJob(kind, 1);
      job.params.table = table().data();
      Region& region = job.region;
      region.rank = static_cast<int>(1 + below(4));
      region.sourceOffset = below(9);
      region.targetOffset = below(5);
      uint64_t span = 0;
      for (int k = region.rank - 1; k >= 0; --k) {
        region.shape[k] = 1 + below(k == region.rank - 1 ? 23 : 5);
        region.targetStride[k] = span + 1 + (below(2) ? below(3) : 0);
        region.sourceStride[k] = k == region.rank - 1 && below(3) ? 1 : 1 + below(40);
        span += (region.shape[k] - 1) * region.targetStride[k];
      }
      const uint64_t total = region.targetOffset + span + 1 + below(3);
      const Fill fill{42, dtype, &job, 1};
      compare(fill, 0, total, below(8), "strided");
      const uint64_t start = below(static_cast<uint32_t>(total));
      compare(fill, start, start + 1 + below(static_cast<uint32_t>(total - start)), below(8),
              "strided window");
    }
  });
}

TEST(laterJobsOverwriteEarlierOnes) {
  for (int dtype = 0; dtype <= 3; dtype++) {
    std::vector<Job> jobs = {denseJob(Kind::kUniform, 1000), denseJob(Kind::kConstant, 100),
                             denseJob(Kind::kUniform, 30)};
    jobs[1].region.targetOffset = 37;
    jobs[2].region.targetOffset = 120;
    jobs[2].stream = 7;
    const Fill fill{42, static_cast<DType>(dtype), jobs.data(), jobs.size()};
    CHECK(compare(fill, 0, 1000, 0, "overlapping").size() == 3);
    // Side by side they need no order.
    jobs = {denseJob(Kind::kUniform, 100), denseJob(Kind::kConstant, 20), denseJob(Kind::kUniform, 30)};
    jobs[1].region.targetOffset = 100;
    jobs[2].region.targetOffset = 120;
    const Fill aside{42, static_cast<DType>(dtype), jobs.data(), jobs.size()};
    CHECK(compare(aside, 0, 150, 0, "side by side").size() == 1);
  }
}

TEST(aModelIsOneLaunch) {
  std::vector<std::vector<float>> outputs;
  std::vector<Job> jobs;
  std::vector<Part> parts;
  for (uint64_t i = 0; i < 300; ++i) {
    jobs.push_back(denseJob(i % 3 == 0 ? Kind::kConstant : Kind::kNormal, 1 + i * 13 % 2000));
    jobs.back().stream = i;
    outputs.emplace_back(jobs.back().region.shape[0] + 1, -1.0f);
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Fill fill{42, DType::kFloat32, &jobs[i], 1};
    parts.push_back({fill, 0, outputs[i].size() - 1, reinterpret_cast<uint64_t>(outputs[i].data())});
  }
  CHECK(run(parts.data(), parts.size(), 8) == std::vector<std::string>{cuda::kMixedKernel});
  for (size_t i = 0; i < jobs.size(); ++i) {
    std::vector<float> expected(outputs[i].size(), -1.0f);
    cpu::bestTarget()->fill(parts[i].fill, expected.data(), 0, parts[i].end);
    CHECK(std::memcmp(expected.data(), outputs[i].data(), expected.size() * sizeof(float)) == 0);
  }
}

// Block numbers beyond 2^32, and a run that crosses it: the upper half of the counter must follow.
TEST(streamsGoOnBeyondTwoToTheThirtyTwoBlocks) {
  forEachLaw([](Kind kind, DType dtype) {
    for (uint64_t back : {0, 1, 2, 3, 4, 5, 9, 1000}) {
      Job job = denseJob(kind, 3001);
      job.params.table = table().data();
      job.region.sourceOffset = (uint64_t{1} << 32) * cuda::elementsPerBlock(dtype) - back;
      const Fill fill{42, dtype, &job, 1};
      compare(fill, 0, 3001, 0, "beyond 2^32");
    }
  });
}

TEST(tilesCoverLargeTasksExactlyOnce) {
  for (uint32_t blocks : {1, 2, 64, 5000}) {
    Job job = denseJob(Kind::kConstant, uint64_t{1} << 36);
    const Fill fill{42, DType::kFloat32, &job, 1};
    TaskList list;
    const Part part{fill, 0, (uint64_t{1} << 36) - 5, 4096};
    list.add(part, job);
    list.finish(blocks);
    CHECK(list.tasks().size() == 1 && list.tasks()[0].lastHalves == 6);
    const uint64_t perTile = uint64_t{cuda::kThreads} * list.unitsPerThread();
    CHECK((list.tiles() - 1) * perTile < list.tasks()[0].units &&
          list.tasks()[0].units <= list.tiles() * perTile);
    CHECK(list.unitsPerThread() % cuda::kTurns == 0);
  }
}

TEST(boxesOfAWindowAreItsRuns) {
  Job job = denseJob(Kind::kConstant, 1);
  Region& region = job.region;
  region.rank = 3;
  const uint64_t shape[] = {4, 3, 5}, stride[] = {40, 11, 2};
  for (int k = 0; k < 3; ++k) {
    region.shape[k] = shape[k];
    region.targetStride[k] = region.sourceStride[k] = stride[k];
  }
  region.targetOffset = 3;
  for (uint64_t start = 0; start < 165; ++start) {
    for (uint64_t end = start; end <= 165; end += 1 + start % 3) {
      std::vector<int> runs(165), boxes(165);
      forEachRun(region, start, end, [&](const Run& r) {
        for (uint64_t i = 0; i < r.count; ++i) ++runs[r.target + i * r.targetStride];
      });
      size_t count = 0;
      forEachBox(region, start, end, [&](const Region& box) {
        ++count;
        forEachRun(box, 0, 165, [&](const Run& r) {
          for (uint64_t i = 0; i < r.count; ++i) ++boxes[r.target + i * r.targetStride];
        });
      });
      CHECK(runs == boxes);
      CHECK(count <= 7);
    }
  }
}

}  // namespace
}  // namespace isometry
