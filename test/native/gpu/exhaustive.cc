// The normal of all 2^32 words on the device, block by block against the hashes of the CPU's
// (test/exhaustive/normal.cc made them).
#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

#include "cuda/launch.h"
#include "test/native/gpu/stages.h"

namespace isometry::gpu {
namespace {

constexpr uint32_t kBlock = 1u << 20;  // words that one hash is of
constexpr uint32_t kBlocks = 1u << 12;

// As in test/exhaustive/normal.cc.
std::string hashOf(const uint32_t* words) {
  uint32_t a = 0x811c9dc5u, b = 0x9e3779b9u;
  for (uint32_t i = 0; i < kBlock; ++i) {
    a = (a ^ words[i]) * 0x01000193u;
    b = ((b << 5 | b >> 27) ^ words[i]) * 0x85ebca6bu;
  }
  return format("%08x%08x", a, b);
}

std::vector<std::string> readHashes(const std::string& path) {
  std::vector<std::string> hashes;
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (line[0] != '#') hashes.emplace_back(line, std::strcspn(line, "\n"));
  }
  std::fclose(file);
  if (hashes.size() != kBlocks) throw std::runtime_error(path + " does not hold 4096 hashes");
  return hashes;
}

}  // namespace

void exhaustive(Suite& suite) {
  Report& report = suite.report;
  report.beginStage("exhaustive");
  const auto hashes = readHashes(suite.options.hashes);
  Gpu& gpu = suite.gpu;
  const Kernel kernel = gpu.kernel(suite.library, cuda::kNormalsKernel, cuda::kThreads);
  // A batch of hash blocks is drawn into one half of the buffers while the other half is hashed.
  const uint32_t kBatch = suite.options.quick ? 4 : 64;
  const uint32_t step = suite.options.quick ? 1365 : 1;  // 4 of 4096 blocks, spread over all words
  const uint64_t batchBytes = uint64_t{kBatch} * kBlock * sizeof(float);
  Buffer device(gpu, 2 * batchBytes);
  Pinned host(gpu, 2 * batchBytes);
  device.set(0xcacacaca);

  std::vector<uint32_t> blocks;
  for (uint32_t block = 0; block < kBlocks; block += step) blocks.push_back(block);
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> hashing;
  const auto join = [&] {
    for (auto& thread : hashing) thread.join();
    hashing.clear();
  };
  uint64_t half = 0;
  for (size_t first = 0; first < blocks.size(); first += kBatch, half ^= 1) {
    const size_t count = std::min<size_t>(kBatch, blocks.size() - first);
    const uint64_t address = device.address() + half * batchBytes;
    auto* const words = static_cast<uint32_t*>(host.data()) + half * batchBytes / sizeof(uint32_t);
    for (size_t k = 0; k < count; ++k) {
      const cuda::NormalsLaunch launch{address + k * kBlock * sizeof(float), kBlock,
                                       blocks[first + k] * kBlock};
      gpu.launch(kernel, std::min(kernel.residentBlocks, kBlock / cuda::kThreads), cuda::kThreads, &launch);
    }
    gpu.copyToHostAsync(words, address, count * kBlock * sizeof(float));
    gpu.wait();
    join();
    auto next = std::make_shared<std::atomic<size_t>>(0);
    for (unsigned t = 0; t < threads; ++t) {
      hashing.emplace_back([&, words, first, count, next] {
        for (size_t k; (k = next->fetch_add(1)) < count;) {
          if (hashOf(words + k * kBlock) != hashes[blocks[first + k]]) wrong.fetch_add(1);
        }
      });
    }
  }
  join();
  report.check(wrong == 0, format("%llu of %zu blocks of 2^20 standard normals differ from the CPU's",
                                  static_cast<unsigned long long>(wrong.load()), blocks.size()));
  report.say(format("%zu of %u blocks of 2^20 words: %llu differ", blocks.size(), kBlocks,
                    static_cast<unsigned long long>(wrong.load())));
  report.json(Json()
                  .text("kind", "exhaustive")
                  .whole("blocks", blocks.size())
                  .whole("of", kBlocks)
                  .whole("wrong", wrong.load()));
}

}  // namespace isometry::gpu
