// Orthogonal matrices on the fake driver: the bits of the definition, whatever the window, the region and the
// memory; what can go wrong at any call.
#include <cstring>
#include <thread>
#include <vector>

#include "check.h"
#include "cuda/memory.h"
#include "cuda/orthogonal.h"
#include "cuda/orthogonal_plan.h"
#include "cuda_fake.h"
#include "orthogonal_cases.h"

namespace isometry::cuda {
namespace {

using test::denseMatrices;
using test::Fake;
using test::kUntouched;
using test::regionOf;

// A case on a device.
struct Case : test::OrthogonalCase {
  using OrthogonalCase::OrthogonalCase;

  // Whether a window computed now is that of the expected output, to the host and to device memory.
  bool isRight(Device& device, uint64_t start, uint64_t end, uint64_t workBytes = 0) const {
    const uint64_t bytes = (end - start) * size();
    std::vector<unsigned char> out(bytes, kUntouched);
    if (!orthogonalHost(device, work, start, end, out.data(), nullptr, workBytes).ok()) return false;
    return OrthogonalCase::isRight(out, start, end);
  }
  bool isRight(Device& device) const { return isRight(device, 0, length); }
};

// A GPU, open.
struct Gpu {
  Fake fake;
  Device* device = nullptr;
  Gpu(test::Fake::Settings settings = {}) : fake(settings) {
    acquireDevices();
    CHECK(Device::open(0, &device).ok());
  }
  ~Gpu() {
    releaseDevices();
    CHECK(fake.leaked() == 0 && fake.damage() == 0 && memoryStats().allocations == 0);
  }
};

TEST(orthogonalMatricesAreThoseOfTheDefinition) {
  Gpu gpu;
  const struct {
    uint64_t count, rows, cols;
  } shapes[] = {{1, 1, 1},   {1, 2, 2},     {1, 3, 1},    {3, 4, 4},     {5, 9, 9},     {2, 32, 31},
                {2, 64, 64}, {1, 65, 65},   {1, 127, 70}, {2, 128, 128}, {1, 129, 129}, {1, 300, 5},
                {1, 255, 3}, {1, 257, 257}, {2, 513, 66}, {1, 770, 129}};
  for (const auto& s : shapes) {
    const Case one(DType::kFloat32, s.rows, s.cols, denseMatrices(s.count, s.rows, s.cols, -1.5),
                   s.count * s.rows * s.cols);
    CHECK(one.isRight(*gpu.device));
    if (s.rows > 300) continue;
    const Case wide(DType::kFloat64, s.rows, s.cols, denseMatrices(s.count, s.rows, s.cols, 0.7),
                    s.count * s.rows * s.cols);
    CHECK(wide.isRight(*gpu.device));
  }
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const Case narrow(dtype, 70, 66, denseMatrices(2, 70, 66, 1.25), 2 * 70 * 66);
    CHECK(narrow.isRight(*gpu.device));
  }
}

TEST(anyWindowAndAnyMemoryGiveTheSame) {
  Gpu gpu;
  const Case one(DType::kFloat32, 150, 140, denseMatrices(3, 150, 140), 3 * 150 * 140);
  const uint64_t size = 150 * 140;
  const struct {
    uint64_t start, end;
  } windows[] = {{0, 1},
                 {149, 151},
                 {size - 1, size + 1},
                 {10000, 10000},
                 {7, 2 * size + 8},
                 {size, 2 * size},
                 {size + 99 * 150, size + 101 * 150},
                 {3 * size - 1, 3 * size}};
  for (const auto& w : windows) CHECK(one.isRight(*gpu.device, w.start, w.end));
  // One byte: a panel of 128 columns, one matrix at a time. A megabyte: two of them.
  for (const uint64_t workBytes : {uint64_t{1}, uint64_t{1} << 20, uint64_t{1} << 21})
    CHECK(one.isRight(*gpu.device, 0, one.length, workBytes));

  const Case wide(DType::kFloat64, 90, 90, denseMatrices(1, 90, 90), 90 * 90);
  CHECK(wide.isRight(*gpu.device, 0, wide.length, 1) && wide.isRight(*gpu.device, 5000, 5001));
}

TEST(regionsPutElementsWhereTheyBelong) {
  Gpu gpu;
  // A tall matrix in a row-major tensor, its transpose between, and elements that belong to nobody.
  const uint64_t rows = 70, cols = 67;
  const Case tall(DType::kFloat32, rows, cols, {{1, regionOf({rows, cols}, {1, rows}, {cols, 1})}},
                  rows * cols);
  CHECK(tall.isRight(*gpu.device));
  CHECK(tall.isRight(*gpu.device, 100, 101) && tall.isRight(*gpu.device, 66, 68));
  const Case both(DType::kBFloat16, rows, cols,
                  {{1, regionOf({rows, cols}, {1, rows}, {2 * cols, 1})},
                   {-1, regionOf({rows, cols}, {1, rows}, {2 * cols, 1}, 0, cols)}},
                  2 * rows * cols);
  CHECK(both.isRight(*gpu.device) && both.isRight(*gpu.device, 33, 1001));
  // The middle tap of a convolution, a slice of its channels, in a stack of two.
  const Case taps(
      DType::kFloat32, rows, cols,
      {{2, regionOf({2, 1, 30, 20}, {rows * cols, 5, 1, rows}, {5400, 0, 180, 9}, 3 * rows + 11, 4)}},
      2 * 5400 + 7);
  CHECK(taps.isRight(*gpu.device) && taps.isRight(*gpu.device, 5000, 6000));
  CHECK(taps.isRight(*gpu.device, 0, 4) && taps.isRight(*gpu.device, 0, taps.length, 1));
  // Axes that are no digits of the source's index: every third element across columns and matrices.
  const Case odd(DType::kFloat32, 10, 7, {{1, regionOf({5, 9}, {2, 7}, {9, 1}, 1)}}, 45);
  CHECK(odd.isRight(*gpu.device) && odd.isRight(*gpu.device, 8, 31));
  const Case across(DType::kFloat32, 10, 7, {{1, regionOf({60}, {3}, {2}, 1)}}, 120);
  CHECK(across.isRight(*gpu.device));
  const Case single(DType::kFloat32, 10, 7, {{1, regionOf({}, {}, {}, 69, 3)}}, 5);
  CHECK(single.isRight(*gpu.device));
}

TEST(onlyNeededColumnsAreComputed) {
  const auto columns = [](uint64_t rows, uint64_t cols, std::vector<OrthogonalPart> parts, uint64_t start,
                          uint64_t end) {
    const Orthogonal work{1, DType::kFloat32, 1, rows, cols, nullptr, parts.data(), parts.size()};
    std::vector<std::vector<uint64_t>> list;
    for (const Columns& c : neededColumns(work, start, end))
      list.push_back({c.firstMatrix, c.lastMatrix, c.firstColumn, c.lastColumn});
    return list;
  };
  using List = std::vector<std::vector<uint64_t>>;
  CHECK(columns(10, 8, denseMatrices(3, 10, 8), 0, 240) == (List{{0, 3, 0, 8}}));
  CHECK(columns(10, 8, denseMatrices(3, 10, 8), 19, 21) == (List{{0, 1, 1, 3}}));
  CHECK(columns(10, 8, denseMatrices(3, 10, 8), 75, 165) == (List{{0, 1, 7, 8}, {1, 2, 0, 8}, {2, 3, 0, 1}}));
  CHECK(columns(10, 8, denseMatrices(3, 10, 8), 5, 5) == List{});
  // Columns 2 to 4 of each of a thousand million: two axes.
  const std::vector<OrthogonalPart> slice{{1, regionOf({1000000000, 30}, {80, 1}, {30, 1}, 20)}};
  CHECK(columns(10, 8, slice, 0, 30000000000) == (List{{0, 1000000000, 2, 5}}));
  CHECK(columns(10, 8, slice, 59, 61) == (List{{1, 2, 4, 5}, {2, 3, 2, 3}}));
}

// All that a process does.
Status wholeLife(const Case& one, bool toHost, uint64_t workBytes, bool* right) {
  acquireDevices();
  Device* device = nullptr;
  std::vector<unsigned char> out(one.expected.size(), kUntouched);
  Status status = Device::open(0, &device);
  if (status.ok() && toHost) {
    status = orthogonalHost(*device, one.work, 0, one.length, out.data(), nullptr, workBytes);
  } else if (status.ok()) {
    uint64_t address = 0;
    status = allocate(*device, out.size(), &address);
    if (status.ok()) status = orthogonalDevice(*device, one.work, 0, one.length, address, nullptr, workBytes);
    if (status.ok()) status = copyToHost(*device, address, out.data(), out.size(), nullptr);
    (void)release(*device, address);
  }
  *right = !status.ok() || out == one.expected;
  releaseDevices();
  return status;
}

TEST(anyCallOfTheDriverMayFailWhileMatricesAreMade) {
  const Case dense64(DType::kFloat64, 12, 9, denseMatrices(2, 12, 9), 2 * 12 * 9);
  const Case gaps(DType::kFloat16, 12, 9, {{1, regionOf({2, 12, 9}, {108, 1, 12}, {300, 9, 1})}}, 500);
  const struct {
    const char* failCode;
    Code code;
  } cases[] = {{"2", Code::kOutOfMemory}, {"700", Code::kDeviceError}};
  for (const Case* one : {&dense64, &gaps}) {
    for (const auto& each : cases) {
      for (const char* forever : {"0", "1"}) {
        int call = 1, failures = 0;
        for (bool injected = true; injected; call++) {
          Fake fake({{"FAKE_CUDA_FAIL_AT", std::to_string(call)},
                     {"FAKE_CUDA_FAIL_CODE", each.failCode},
                     {"FAKE_CUDA_FAIL_FOREVER", forever}});
          bool right = false;
          const Status status = wholeLife(*one, one == &gaps, 1, &right);
          injected = fake_cuda_injected() > 0;
          failures += status.ok() ? 0 : 1;
          CHECK(status.ok() || status.code == each.code || status.code == Code::kUnavailable);
          CHECK(right);
          CHECK(fake.leaked() == 0 && fake.damage() == 0 && memoryStats().allocations == 0);
        }
        CHECK(call > 50 && failures > 40);
      }
    }
  }
}

TEST(matricesThatDoNotFitAreRefusedBeforeWork) {
  Gpu gpu;
  const struct {
    uint64_t rows, cols, column;
    DType dtype;
    const char* text;                                          // null: they fit
  } cases[] = {{100000, 100000, 0, DType::kFloat32, nullptr},  // one block of reflections
               {100000, 100000, 99999, DType::kFloat32, "100000 × 100000"},
               {uint64_t{1} << 52, 1, 0, DType::kFloat64, "2^53 bytes and more"},
               {uint64_t{1} << 26, uint64_t{1} << 26, (1 << 26) - 1, DType::kFloat64, "2^53 bytes and more"}};
  for (const auto& c : cases) {
    const OrthogonalPart part{1, regionOf({}, {}, {}, c.column * c.rows + 12345)};
    const Orthogonal work{1, c.dtype, 1, c.rows, c.cols, test::anyTable(), &part, 1};
    double out = 0;
    const int64_t launches = fake_cuda_launches();
    const Status status = orthogonalHost(*gpu.device, work, 0, 1, &out, nullptr);
    if (c.text == nullptr) {
      CHECK(status.ok());
    } else {
      CHECK(status.code == Code::kOutOfMemory && status.message.find(c.text) != std::string::npos);
      CHECK(fake_cuda_launches() == launches);
    }
  }
}

TEST(makingMatricesIsCancelled) {
  Gpu gpu;
  constexpr uint64_t kCount = 10000;
  const std::vector<OrthogonalPart> parts = denseMatrices(kCount, 5, 4);
  const Orthogonal work{1, DType::kFloat32, 1, 5, 4, nullptr, parts.data(), 1};
  std::vector<float> out(kCount * 5 * 4);
  std::atomic<bool> cancelled{true};
  const int64_t before = fake_cuda_launches();
  CHECK(orthogonalHost(*gpu.device, work, 0, out.size(), out.data(), &cancelled).code == Code::kCancelled);
  CHECK(fake_cuda_launches() == before);
  cancelled = false;
  std::thread canceller([&] {
    while (fake_cuda_launches() < before + 20) std::this_thread::yield();
    cancelled = true;
  });
  // One matrix at a time.
  CHECK(orthogonalHost(*gpu.device, work, 0, out.size(), out.data(), &cancelled, 1).code == Code::kCancelled);
  canceller.join();
  CHECK(fake_cuda_launches() < before + 9 * static_cast<int64_t>(kCount));
}

}  // namespace
}  // namespace isometry::cuda
