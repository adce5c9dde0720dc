// Walks all 2^32 words through the float32 standard normal of every SIMD target that this CPU runs, and of the
// GPU's kernels as the host compiler makes them ("kernels"), and compares a hash of each block of 2^20 values
// with the committed ones. With --accuracy it also compares the portable definition with the C library's erfc
// and prints the exact moments of the discrete law.
//
//   normal HASHFILE [--write] [--accuracy] [--targets avx512,avx2] [--stride N]
#include "core/normal.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/platform.h"
#include "cpu/fill.h"
#include "cuda/lanes.h"

namespace {

using namespace isometry;

constexpr uint32_t kBlock = 1u << 20;
constexpr uint32_t kBlocks = 1u << 12;

// The same in test/exhaustive/hash.ts.
struct Hash {
  uint32_t a = 0x811c9dc5u, b = 0x9e3779b9u;
  void add(uint32_t bits) {
    a = (a ^ bits) * 0x01000193u;
    b = ((b << 5 | b >> 27) ^ bits) * 0x85ebca6bu;
  }
  std::string text() const {
    char buffer[17];
    std::snprintf(buffer, sizeof buffer, "%08x%08x", a, b);
    return buffer;
  }
};

// Runs body(block) for every stride-th block on all CPUs.
void forEachBlock(uint32_t stride, const std::function<void(uint32_t)>& body) {
  std::atomic<uint32_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (uint32_t block; (block = next.fetch_add(stride)) < kBlocks;) body(block);
    });
  }
  for (auto& thread : threads) thread.join();
}

// What a thread of a GPU kernel computes, with its own order of the table.
void standardNormalsOfKernels(const uint32_t* words, size_t count, float* out) {
  static const cuda::NormalRows rows = [] {
    cuda::NormalRows loaded;
    cuda::loadNormalRows(kNormalTable, 0, 1, loaded);
    return loaded;
  }();
  const cuda::DeviceNormal normal{&rows};
  for (size_t i = 0; i < count; ++i) out[i] = standardNormal(normal, words[i]);
}

std::vector<cpu::Target> allTargets() {
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  std::vector<cpu::Target> all(targets, targets + count);
  all.push_back({"kernels", [] { return true; }, nullptr, standardNormalsOfKernels, nullptr, nullptr});
  return all;
}

std::vector<float> normals(const cpu::Target& target, uint32_t block) {
  std::vector<uint32_t> words(kBlock);
  std::vector<float> z(kBlock);
  for (uint32_t i = 0; i < kBlock; ++i) words[i] = block * kBlock + i;
  target.standardNormals(words.data(), kBlock, z.data());
  return z;
}

// Blocks whose hash differs; finite, monotone within the block and from the block before, odd.
uint32_t walk(const cpu::Target& target, uint32_t stride, std::vector<std::string>& hashes, bool write) {
  std::atomic<uint32_t> bad{0};
  forEachBlock(stride, [&](uint32_t block) {
    const auto z = normals(target, block);
    Hash hash;
    // Where the block before ends; its mirror image is where the block after the mirror begins.
    float previous = block == 0 ? -INFINITY : standardNormal(ScalarNormal{}, block * kBlock - 1);
    bool sound = true;
    for (uint32_t i = 0; i < kBlock; ++i) {
      const float mirrored = standardNormal(ScalarNormal{}, ~(block * kBlock + i));
      if ((i & 63) == 0 && bitCast<uint32_t>(mirrored) != (bitCast<uint32_t>(z[i]) ^ 0x80000000u))
        sound = false;
      if (!(std::fabs(z[i]) < 6.4f) || z[i] < previous) sound = false;
      previous = z[i];
      hash.add(bitCast<uint32_t>(z[i]));
    }
    if (write) hashes[block] = hash.text();
    if (!sound || hashes[block] != hash.text()) bad.fetch_add(1);
  });
  return bad;
}

struct Accuracy {
  double error = 0, relative = 0;  // absolute; relative where |z| > 0.01
  uint32_t word = 0;
  long double second = 0, fourth = 0;
};

// Against the C library's erfc, over the lower half of the words (the upper one mirrors it). The error in z
// is the error in probability over the density.
Accuracy measure() {
  std::vector<Accuracy> parts(kBlocks);
  const auto& target = *cpu::bestTarget();
  forEachBlock(1, [&](uint32_t block) {
    if (block >= kBlocks / 2) return;
    Accuracy& part = parts[block];
    const auto values = normals(target, block);
    for (uint32_t i = 0; i < kBlock; ++i) {
      const double z = values[i];
      const double p = (2.0 * (block * kBlock + i) + 1) * 0x1p-33;
      const double error = std::fabs(0.5 * std::erfc(-z * 0.70710678118654752440) - p) /
                           (0.39894228040143267794 * std::exp(-0.5 * z * z));
      if (error > part.error) part.error = error, part.word = block * kBlock + i;
      if (z < -0.01) part.relative = std::max(part.relative, -error / z);
      const long double square = static_cast<long double>(z) * z;
      part.second += square;
      part.fourth += square * square;
    }
  });
  Accuracy all;
  for (const auto& part : parts) {
    if (part.error > all.error) all.error = part.error, all.word = part.word;
    all.relative = std::max(all.relative, part.relative);
    all.second += part.second;
    all.fourth += part.fourth;
  }
  return all;
}

void reportAccuracy() {
  const Accuracy all = measure();
  const long double variance = all.second / 2147483648.0L;
  const long double kurtosis = all.fourth / 2147483648.0L / (variance * variance);
  std::printf(
      "accuracy over all words: max |error| %.3e at word %08x, max relative error for |z| > 0.01 %.3e\n",
      all.error, all.word, all.relative);
  std::printf("moments of the discrete law: mean 0 (odd), variance 1 - %.3Le, kurtosis 3 - %.3Le\n",
              1 - variance, 3 - kurtosis);
  std::printf("largest |z| %.9g, smallest non-zero |z| %.9g\n",
              static_cast<double>(standardNormal(ScalarNormal{}, 0xffffffffu)), [] {
                uint32_t word = 0x80000000u;
                while (standardNormal(ScalarNormal{}, word) == 0) ++word;
                return static_cast<double>(standardNormal(ScalarNormal{}, word));
              }());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return std::fprintf(stderr,
                        "usage: normal HASHFILE [--write] [--accuracy] [--targets A,B] [--stride N]\n"),
           2;
  bool write = false, accuracy = false;
  uint32_t stride = 1;
  std::string only;
  for (int i = 2; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--write")) write = true;
    if (!std::strcmp(argv[i], "--accuracy")) accuracy = true;
    if (!std::strcmp(argv[i], "--stride") && i + 1 < argc) stride = std::max(1, std::atoi(argv[i + 1]));
    if (!std::strcmp(argv[i], "--targets") && i + 1 < argc) only.append(",").append(argv[i + 1]).append(",");
  }
  std::vector<std::string> hashes(kBlocks);
  if (!write) {
    std::FILE* file = std::fopen(argv[1], "r");
    char line[256];
    size_t n = 0;
    while (file && n < kBlocks && std::fgets(line, sizeof line, file)) {
      if (line[0] != '#') hashes[n++] = std::string(line, std::strcspn(line, "\n"));
    }
    if (file) std::fclose(file);
    if (n != kBlocks) return std::fprintf(stderr, "%s holds %zu hashes, not %u\n", argv[1], n, kBlocks), 1;
  }
  int failed = 0, passed = 0;
  for (const cpu::Target& target : allTargets()) {
    if (!target.supported()) {
      std::printf("%-8s not run: this CPU does not have it\n", target.name);
      continue;
    }
    if (!only.empty() && only.find(std::string(",").append(target.name).append(",")) == std::string::npos)
      continue;
    const uint32_t bad = walk(target, stride, hashes, write && passed + failed == 0);
    std::printf("%-8s %u blocks of 2^20 words, %u bad (hash, order, oddness or range)\n", target.name,
                (kBlocks + stride - 1) / stride, bad);
    std::fflush(stdout);
    ++(bad ? failed : passed);
  }
  if (write) {
    std::FILE* file = std::fopen(argv[1], "w");
    if (!file) return std::perror(argv[1]), 1;
    std::fprintf(file,
                 "# Hashes of the float32 standard normal, blocks of 2^20 words in order; "
                 "test/exhaustive/normal.cc\n");
    for (const auto& hash : hashes) std::fprintf(file, "%s\n", hash.c_str());
    std::fclose(file);
  }
  if (accuracy) reportAccuracy();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || passed == 0 ? 1 : 0;
}
