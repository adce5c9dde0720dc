// The device's bytes are the CPU's: every primitive × dtype × awkward size × window × alignment, contiguous
// and strided, alone and together, and beyond 2^32 elements.
#include <cstring>

#include "cpu/fill.h"
#include "cuda/fill.h"
#include "test/native/gpu/batch.h"

namespace isometry::gpu {
namespace {

// A small generator for the shapes of strided regions (Vigna's splitmix64): the same ones in every run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t below(uint64_t n) {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % n;
  }

 private:
  uint64_t state_;
};

constexpr uint64_t kSizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 255, 257, 1023, 4099};

void windows(Suite& suite) {
  const uint64_t large = suite.options.quick ? 1 << 14 : (1 << 20) + 7;
  for (const Case& test : suite.cases.all()) {
    Batch batch(suite);
    const Job job = denseJob(test, large);
    for (const uint64_t size : kSizes) {
      for (const uint64_t start :
           {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{64}, large - size}) {
        for (const uint64_t misaligned : {0, 1, 2, 3, 4, 5, 7}) {
          batch.add(test.name, test.dtype, {job}, start, start + size, misaligned);
        }
      }
    }
    for (const uint64_t misaligned : {0, 1, 4}) batch.add(test.name, test.dtype, {job}, 0, large, misaligned);
    batch.onDevice();
  }
}

// Where the counter's second word begins to count, where a byte offset passes 32 bits, and far out.
void farSources(Suite& suite) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    Batch batch(suite, seed);
    for (const Case& test : suite.cases.all()) {
      for (const uint64_t source :
           {(uint64_t{1} << 30) - 3, (uint64_t{1} << 32) - 5, (uint64_t{1} << 33) - 1002,
            (uint64_t{1} << 34) - 1001, (uint64_t{1} << 34) - 1000, (uint64_t{1} << 34),
            (uint64_t{1} << 53) - 9000}) {
        Job job = denseJob(test, 2048, source);
        batch.add(test.name + ", far source", test.dtype, {job}, 0, 2048, 0);
        batch.add(test.name + ", far source", test.dtype, {job}, 1, 2045, 3);
        job.stream = ~job.stream;
        batch.add(test.name + ", other stream", test.dtype, {job}, 0, 300, 1);
      }
    }
    batch.onDevice();  // one launch for all laws and dtypes
  }
}

// A box with any source strides, its target axes nested as the request's check demands (binding/request.cc).
Region randomBox(Dice& dice, uint64_t* length) {
  Region region{};
  region.rank = 1 + static_cast<int>(dice.below(4));
  uint64_t span = 0;
  for (int k = region.rank - 1; k >= 0; --k) {
    region.shape[k] = 1 + dice.below(k == region.rank - 1 ? 40 : 9);
    region.sourceStride[k] = k == region.rank - 1 && dice.below(3) != 0 ? 1 : dice.below(5000);
    region.targetStride[k] = span + 1 + (dice.below(2) != 0 ? dice.below(4) : 0);
    span += (region.shape[k] - 1) * region.targetStride[k];
  }
  region.sourceOffset = dice.below(uint64_t{1} << 36);
  region.targetOffset = dice.below(10);
  *length = region.targetOffset + span + 1 + dice.below(5);
  return region;
}

// A slice of a tensor as src/region.ts makes it: source strides of the whole, target dense.
Region slice(const std::vector<uint64_t>& shape, const std::vector<std::pair<uint64_t, uint64_t>>& ranges,
             uint64_t* length) {
  Region region{};
  region.rank = static_cast<int>(shape.size());
  uint64_t source = 1, target = 1;
  for (int k = region.rank - 1; k >= 0; --k) {
    const auto [from, to] = ranges[static_cast<size_t>(k)];
    region.shape[k] = to - from;
    region.sourceStride[k] = source;
    region.targetStride[k] = target;
    region.sourceOffset += from * source;
    source *= shape[static_cast<size_t>(k)];
    target *= to - from;
  }
  *length = target;
  return region;
}

void strided(Suite& suite) {
  Dice dice(7);
  for (const Case& test : suite.cases.all()) {
    Batch batch(suite);
    for (int k = 0; k < (suite.options.quick ? 4 : 48); ++k) {
      uint64_t length = 0;
      Job job = denseJob(test, 1);
      job.region = randomBox(dice, &length);
      const uint64_t start = dice.below(length), end = start + dice.below(length - start + 1);
      batch.add(test.name + ", strided", test.dtype, {job}, 0, length, dice.below(9));
      batch.add(test.name + ", strided", test.dtype, {job}, start, end, dice.below(9));
    }
    for (const auto& ranges :
         std::vector<std::vector<std::pair<uint64_t, uint64_t>>>{{{0, 7}, {0, 5}, {0, 11}, {0, 13}},
                                                                 {{2, 5}, {0, 5}, {0, 11}, {0, 13}},
                                                                 {{0, 7}, {1, 4}, {0, 11}, {0, 13}},
                                                                 {{0, 7}, {0, 5}, {3, 8}, {0, 13}},
                                                                 {{0, 7}, {0, 5}, {0, 11}, {2, 9}},
                                                                 {{6, 7}, {4, 5}, {10, 11}, {12, 13}},
                                                                 {{1, 6}, {1, 4}, {3, 9}, {5, 12}}}) {
      uint64_t length = 0;
      Job job = denseJob(test, 1);
      job.region = slice({7, 5, 11, 13}, ranges, &length);
      for (const uint64_t start : {uint64_t{0}, length / 3}) {
        batch.add(test.name + ", slice", test.dtype, {job}, start, length, start % 5);
      }
    }
    batch.onDevice();
  }
}

// Jobs over jobs: the later ones win, on any number of blocks.
void layered(Suite& suite) {
  Batch batch(suite);
  for (const Case& base : suite.cases.all()) {
    for (const Case& over : suite.cases.all()) {
      if (over.dtype != base.dtype) continue;
      Job column = denseJob(over, 1);
      column.region.rank = 2;
      column.region.targetOffset = 5;
      column.region.shape[0] = 40;
      column.region.shape[1] = 3;
      column.region.sourceStride[0] = 3;
      column.region.sourceStride[1] = 1;
      column.region.targetStride[0] = 50;
      column.region.targetStride[1] = 2;
      Job row = denseJob(base, 50, 123);
      row.region.targetOffset = 1000;
      batch.add(base.name + " under " + over.name, base.dtype, {denseJob(base, 2000), column, row}, 0, 2000);
      batch.add(base.name + " under " + over.name, base.dtype, {denseJob(base, 2000), column, row}, 40, 1777,
                1);
      if (suite.options.quick && batch.size() > 40) return batch.onDevice();
    }
  }
  batch.onDevice();
}

// Into host memory: through the pinned buffers, whose chunks these sizes do not divide.
void toHost(Suite& suite) {
  const uint64_t mebibyte = 1 << 20;
  Batch batch(suite);
  for (const Case& test : suite.cases.all()) {
    batch.add(test.name, test.dtype, {denseJob(test, 5000)}, 1, 4999, 1);
  }
  batch.onHost();
  for (const char* name :
       {"uniform [-1, 1), float32", "normal(0.3, 0.02), bfloat16", "normal(0, 1), float64"}) {
    const Case& test = suite.cases.find(name);
    const uint64_t bytes = suite.options.quick ? 9 * mebibyte : 100 * mebibyte;
    const uint64_t length = bytes / byteSize(test.dtype) + 3;
    Batch large(suite);
    large.add(test.name, test.dtype, {denseJob(test, length)}, 0, length);
    large.add(test.name, test.dtype, {denseJob(test, length)}, 12345, length - 1, 3);
    large.add(test.name, test.dtype, {denseJob(test, 10)}, 0, 10);
    large.onHost();
  }
}

// More than 2^32 elements, looked at where 32 bits end.
void huge(Suite& suite) {
  for (const char* name : {"normal(0, 1), float32", "uniform [-1, 1), bfloat16", "constant 0.1, float16"}) {
    const Case& test = suite.cases.find(name);
    const uint64_t length = (uint64_t{1} << 32) + (1 << 20) + 7, size = byteSize(test.dtype);
    if (suite.options.quick || suite.gpu.freeBytes() < length * size + (uint64_t{2} << 30)) {
      suite.report.skip(format("2^32 elements of %s", name),
                        suite.options.quick ? "a quick run" : "too little memory");
      continue;
    }
    Buffer buffer(suite.gpu, (length * size + 15) / 16 * 16);
    buffer.set(0xcacacaca);
    const Job job = denseJob(test, length);
    const cuda::Part part{{kSeed, test.dtype, &job, 1}, 0, length, buffer.address()};
    const cuda::Status status = cuda::fillDevice(suite.device, &part, 1, nullptr);
    suite.report.check(status.ok(), "fillDevice: " + status.message);
    const uint64_t window = 1 << 20;
    for (const uint64_t start :
         {uint64_t{0}, (uint64_t{1} << 29) - 77, (uint64_t{1} << 30) - 77, (uint64_t{1} << 31) - 77,
          (uint64_t{3} << 30) - 77, (uint64_t{1} << 32) - 77, length - window}) {
      std::vector<unsigned char> got(window * size), wanted(window * size);
      buffer.read(got.data(), got.size(), start * size);
      cpu::bestTarget()->fill(part.fill, wanted.data(), start, start + window);
      suite.report.check(got == wanted, format("%s: 2^20 of 2^32 elements from %llu on", name,
                                               static_cast<unsigned long long>(start)));
    }
  }
}

// One call at a time: no launch at all, a launch of one block, and calls that follow each other.
void alone(Suite& suite) {
  const cuda::Status nothing = cuda::fillDevice(suite.device, nullptr, 0, nullptr);
  suite.report.check(nothing.ok(), "no parts: " + nothing.message);
  for (const char* name : {"normal(0, 1), float32", "uniform [-1, 1), float64", "constant 0, bfloat16"}) {
    const Case& test = suite.cases.find(name);
    for (const uint64_t size : kSizes) {
      Batch batch(suite);
      batch.add(test.name, test.dtype, {denseJob(test, size + 1)}, 1, size + 1);
      batch.onDevice();
    }
  }
}

}  // namespace

void parity(Suite& suite) {
  suite.report.beginStage("parity");
  windows(suite);
  farSources(suite);
  strided(suite);
  layered(suite);
  alone(suite);
  toHost(suite);
  huge(suite);
}

}  // namespace isometry::gpu
