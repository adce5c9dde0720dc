// The one place where numbers from JavaScript become sizes and indices: whatever the words are, no read goes
// outside them (AddressSanitizer watches), and what is accepted is in range.
#include "binding/request.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

namespace isometry {
namespace {

using binding::decodeRequest;
using binding::Request;

std::vector<double> valid() {
  return {1, 42, 0, 1, 1,                         // version, seed, dtype, jobs
          2, 7,  9, 0, 0, 0,  0, 1, 0, 0, -1, 1,  // a normal of stream 9·2^32 + 7
          2, 5,  0, 3, 4, 10, 1, 4, 1};           // rank 2, offsets, shape, strides
}

bool accepts(const std::vector<double>& words) {
  std::vector<double> exact(words);
  exact.shrink_to_fit();
  Request request;
  return decodeRequest(exact.data(), exact.size(), request) == nullptr;
}

TEST(readsWhatWasWritten) {
  const std::vector<double> words = valid();
  Request request;
  CHECK(decodeRequest(words.data(), words.size(), request) == nullptr);
  CHECK(request.seed == 42 && request.dtype == DType::kFloat32 && request.jobs.size() == 1);
  const Job& job = request.jobs[0];
  CHECK(job.kind == Kind::kNormal && job.stream == ((uint64_t{9} << 32) | 7) && job.params.std == 1);
  CHECK(job.params.min == -1 && job.params.max == 1);
  CHECK(job.region.rank == 2 && job.region.sourceOffset == 5 && job.region.targetOffset == 0);
  CHECK(job.region.shape[0] == 3 && job.region.shape[1] == 4);
  CHECK(job.region.sourceStride[0] == 10 && job.region.targetStride[0] == 4);
}

TEST(refusesEveryTruncationAndExtension) {
  std::vector<double> words = valid();
  words.push_back(0);
  CHECK(!accepts(words));
  words = valid();
  while (!words.empty()) {
    words.pop_back();
    CHECK(!accepts(words));
  }
}

TEST(refusesNumbersThatAreNoIndices) {
  const double bad[] = {-1,   0.5, std::nan(""), std::numeric_limits<double>::infinity(), 9007199254740992.0,
                        1e300};
  // Everything but the primitive's own numbers, which may be anything.
  for (size_t at : {0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 17, 18, 19, 20, 21, 22, 23, 24, 25}) {
    for (double value : bad) {
      std::vector<double> words = valid();
      words[at] = value;
      CHECK(!accepts(words));
    }
  }
  std::vector<double> words = valid();
  words[20] = 0;  // an empty region
  CHECK(!accepts(words));
  words = valid();
  words[20] = 0x1p40;
  words[22] = 0x1p20;  // its last element is beyond 2^53
  CHECK(!accepts(words));
}

TEST(refusesRegionsThatOverlapThemselves) {
  const auto withTarget = [](double outerStride, double innerStride) {
    std::vector<double> words = valid();
    words[24] = outerStride;
    words[25] = innerStride;
    return words;
  };
  CHECK(accepts(withTarget(4, 1)));
  CHECK(accepts(withTarget(7, 2)));
  CHECK(!accepts(withTarget(3, 1)));
  CHECK(!accepts(withTarget(1, 4)));
  CHECK(!accepts(withTarget(0, 1)));
  CHECK(!accepts(withTarget(4, 0)));
  // The stride of a single element does not matter.
  std::vector<double> words = withTarget(4, 0);
  words[21] = 1;
  CHECK(accepts(words));
}

TEST(refusesWordRangesBeyondTwoToThe32) {
  std::vector<double> words = valid();
  words[5] = 3;
  words[13] = 4294967295.0;
  words[14] = 1;
  CHECK(accepts(words));
  words[14] = 2;
  CHECK(!accepts(words));
  words[14] = 0;
  CHECK(!accepts(words));
}

TEST(readsMasksAndRefusesThoseThatDivideByZero) {
  std::vector<double> words = valid();
  words[5] = 5;
  CHECK(!accepts(words));
  words.insert(words.end(), {7, 2, 3});
  Request request;
  CHECK(decodeRequest(words.data(), words.size(), request) == nullptr);
  const Params& params = request.jobs[0].params;
  CHECK(request.jobs[0].kind == Kind::kMask && params.rows == 7 && params.stride == 2 && params.zeros == 3);
  const size_t rows = words.size() - 3;
  for (size_t at : {rows, rows + 1}) {
    for (double value : {0.0, -1.0, 0.5, 9007199254740992.0}) {
      std::vector<double> bad = words;
      bad[at] = value;
      CHECK(!accepts(bad));
    }
  }
}

TEST(survivesNoise) {
  std::mt19937_64 random(1);
  const double values[] = {
      0, 1, 2, 3, 4, 5, 32, 33, -1, 0.5, 4294967295.0, 4294967296.0, 9007199254740991.0, 1e300};
  for (int k = 0; k < 200'000; k++) {
    std::vector<double> words = valid();
    for (int change = 0; change < 3; change++) {
      words[random() % words.size()] = values[random() % (sizeof values / sizeof *values)];
    }
    words.resize(random() % (words.size() + 8), 1.0);
    accepts(words);
  }
}

}  // namespace
}  // namespace isometry
