#include "binding/request.h"

#include <cmath>

#include "core/quantile.h"

namespace isometry::binding {
namespace {

constexpr double kWord = 4294967295.0;         // 2^32 - 1
constexpr double kIndex = 9007199254740991.0;  // 2^53 - 1, the largest element index JavaScript can name
constexpr double kMaxJobs = 1 << 20;

class Reader {
 public:
  Reader(const double* words, size_t count) : at_(words), end_(words + count) {}

  double number() {
    if (at_ == end_) {
      fail("the request is too short");
      return 0;
    }
    return *at_++;
  }

  // A whole number in [0, max]. Written so that NaN fails.
  uint64_t whole(double max, const char* problem) {
    const double value = number();
    if (value >= 0 && value <= max && value == std::floor(value)) return static_cast<uint64_t>(value);
    fail(problem);
    return 0;
  }

  uint64_t wide(const char* problem) {
    const uint64_t low = whole(kWord, problem);
    return low | whole(kWord, problem) << 32;
  }

  const double* table(size_t count) {
    if (static_cast<size_t>(end_ - at_) < count) {
      fail("the request is too short for a quantile table");
      return nullptr;
    }
    const double* table = at_;
    at_ += count;
    return table;
  }

  void fail(const char* problem) {
    if (problem_ == nullptr) problem_ = problem;
  }
  bool atEnd() const { return at_ == end_; }
  const char* problem() const { return problem_; }

 private:
  const double* at_;
  const double* end_;
  const char* problem_ = nullptr;
};

void readRegion(Reader& in, Region& region) {
  region.rank = static_cast<int>(in.whole(kMaxRank, "a region's rank must be 0 to 32"));
  region.sourceOffset = in.whole(kIndex, "a region's source offset is out of range");
  region.targetOffset = in.whole(kIndex, "a region's target offset is out of range");
  for (int k = 0; k < region.rank; k++)
    region.shape[k] = in.whole(kIndex, "a region's extent is out of range");
  for (int k = 0; k < region.rank; k++)
    region.sourceStride[k] = in.whole(kIndex, "a region's stride is out of range");
  for (int k = 0; k < region.rank; k++)
    region.targetStride[k] = in.whole(kIndex, "a region's stride is out of range");
  // In doubles: exact below 2^53, and rounding never takes a larger sum or product back below it.
  double source = static_cast<double>(region.sourceOffset), target = static_cast<double>(region.targetOffset);
  double span = 0;  // of the axes inside axis k, in the target
  for (int k = region.rank - 1; k >= 0; k--) {
    if (region.shape[k] == 0) in.fail("a region must not be empty");
    const double steps = static_cast<double>(region.shape[k]) - 1;
    const double stride = static_cast<double>(region.targetStride[k]);
    // So no two elements share a place, and a walk costs no more than the window that it fills.
    if (steps > 0 && stride <= span) in.fail("a region's axes overlap in the target");
    source += steps * static_cast<double>(region.sourceStride[k]);
    span += steps * stride;
  }
  target += span;
  if (source > kIndex || target > kIndex) in.fail("a region reaches beyond 2^53 elements");
}

void readJob(Reader& in, DType dtype, Job& job) {
  job.kind = static_cast<Kind>(in.whole(static_cast<int>(Kind::kMask), "unknown job kind"));
  job.stream = in.wide("a stream id must be two 32-bit words");
  Params& params = job.params;
  params.value = in.number();
  params.low = in.number();
  params.range = in.number();
  params.mean = in.number();
  params.std = in.number();
  params.base = in.whole(kWord, "base must be a 32-bit word");
  params.count = in.whole(kWord + 1, "count must be at most 2^32");
  params.min = in.number();
  params.max = in.number();
  if (job.kind == Kind::kTruncatedNormal) {
    if (params.count == 0 || params.base + params.count > (uint64_t{1} << 32))
      in.fail("base + count exceeds 2^32");
  }
  if ((job.kind == Kind::kNormal || job.kind == Kind::kTruncatedNormal) && dtype == DType::kFloat64) {
    in.fail("float64 normals take a quantile table");
  }
  readRegion(in, job.region);
  if (job.kind == Kind::kQuantile) params.table = in.table(kQuantileTableSize);
  if (job.kind == Kind::kMask) {
    params.rows = in.whole(kIndex, "a mask's rows are out of range");
    params.stride = in.whole(kIndex, "a mask's stride is out of range");
    params.zeros = in.whole(kIndex, "a mask's zeros are out of range");
    // A division by 0 would end the process.
    if (params.rows == 0 || params.stride == 0) in.fail("a mask needs rows and a stride");
  }
}

}  // namespace

const char* decodeRequest(const double* words, size_t count, Request& request) {
  Reader in(words, count);
  if (in.number() != kRequestVersion)
    return "the addon and the JavaScript that calls it are of different versions";
  request.seed = in.wide("the seed must be two 32-bit words");
  request.dtype = static_cast<DType>(in.whole(static_cast<int>(DType::kBFloat16), "unknown dtype code"));
  const uint64_t jobs = in.whole(kMaxJobs, "too many jobs");
  request.jobs.clear();
  for (uint64_t k = 0; k < jobs && in.problem() == nullptr; k++) {
    request.jobs.emplace_back();
    readJob(in, request.dtype, request.jobs.back());
  }
  if (in.problem() == nullptr && !in.atEnd()) in.fail("the request is too long");
  return in.problem();
}

const char* decodeOrthogonal(const double* words, size_t count, OrthogonalRequest& request) {
  Reader in(words, count);
  if (in.number() != kRequestVersion)
    return "the addon and the JavaScript that calls it are of different versions";
  Orthogonal& work = request.work;
  work.seed = in.wide("the seed must be two 32-bit words");
  work.dtype = static_cast<DType>(in.whole(static_cast<int>(DType::kBFloat16), "unknown dtype code"));
  work.stream = in.wide("a stream id must be two 32-bit words");
  work.rows = in.whole(kIndex, "rows are out of range");
  work.cols = in.whole(kIndex, "columns are out of range");
  if (work.cols == 0 || work.rows < work.cols)
    in.fail("rows must be at least columns, and columns at least 1");
  if (static_cast<double>(work.rows) * static_cast<double>(work.cols) > kIndex)
    in.fail("a matrix must have less than 2^53 elements");
  const uint64_t parts = in.whole(kMaxJobs, "too many parts");
  request.parts.clear();
  for (uint64_t k = 0; k < parts && in.problem() == nullptr; k++) {
    request.parts.emplace_back();
    OrthogonalPart& part = request.parts.back();
    part.gain = in.number();
    if (part.gain == 0 || part.gain - part.gain != 0) in.fail("a gain must be a finite number other than 0");
    readRegion(in, part.region);
    for (int axis = 0; axis < part.region.rank; axis++) {
      if (part.region.sourceStride[axis] == 0)
        in.fail("a region of matrices must have no source stride of 0");
    }
  }
  work.table = work.dtype == DType::kFloat64 ? in.table(kQuantileTableSize) : nullptr;
  if (in.problem() == nullptr && !in.atEnd()) in.fail("the request is too long");
  return in.problem();
}

}  // namespace isometry::binding
