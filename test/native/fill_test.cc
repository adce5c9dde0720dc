// Every SIMD target on exactly sized heap blocks: AddressSanitizer sees one element too many.
#include "cpu/fill.h"

#include <cstring>
#include <vector>

#include "check.h"
#include "core/quantile.h"
#include "jobs.h"

namespace isometry {
namespace {

using test::denseJob;

const std::vector<double>& table() {
  static const std::vector<double>* const linear = [] {  // not a law, but every row is finite and differs
    auto* made = new std::vector<double>(kQuantileTableSize, 0.0);
    for (int row = 0; row < kQuantileRows; row++)
      (*made)[static_cast<size_t>(row) * (kQuantileDegree + 1)] = row;
    return made;
  }();
  return *linear;
}

std::vector<char> fillWindow(const cpu::Target& target, Kind kind, DType dtype, uint64_t total,
                             uint64_t start, uint64_t end) {
  Job job = denseJob(kind, total);
  job.params.table = table().data();
  const Fill fill{42, dtype, &job, 1};
  std::vector<char> out((end - start) * byteSize(dtype), '\xca');
  out.shrink_to_fit();
  target.fill(fill, out.data(), start, end);
  return out;
}

bool isDefined(Kind kind, DType dtype) {
  return dtype != DType::kFloat64 || (kind != Kind::kNormal && kind != Kind::kTruncatedNormal);
}

TEST(targetsAgreeOnEveryWindow) {
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  const cpu::Target& portable = targets[count - 1];
  for (int kind = 0; kind <= 4; kind++) {
    for (int dtype = 0; dtype <= 3; dtype++) {
      const Kind k = static_cast<Kind>(kind);
      const DType d = static_cast<DType>(dtype);
      if (!isDefined(k, d)) continue;
      const std::vector<char> whole = fillWindow(portable, k, d, 1023, 0, 1023);
      for (int t = 0; t < count; t++) {
        if (!targets[t].supported()) continue;
        for (uint64_t start : {0, 1, 3, 63, 64, 65, 500}) {
          for (uint64_t length : {0, 1, 3, 4, 5, 63, 64, 65, 255, 523}) {
            const std::vector<char> part = fillWindow(targets[t], k, d, 1023, start, start + length);
            CHECK(length == 0 ||
                  std::memcmp(part.data(), whole.data() + start * byteSize(d), part.size()) == 0);
          }
        }
      }
    }
  }
}

TEST(stridedRegionsStayInTheirWindow) {
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  for (int t = 0; t < count; t++) {
    if (!targets[t].supported()) continue;
    // Columns 1, 3 and 5 of a 7 x 6 output.
    Job job = denseJob(Kind::kConstant, 1);
    job.region.rank = 2;
    job.region.targetOffset = 1;
    job.region.shape[0] = 7;
    job.region.shape[1] = 3;
    job.region.targetStride[0] = job.region.sourceStride[0] = 6;
    job.region.targetStride[1] = job.region.sourceStride[1] = 2;
    const Fill fill{42, DType::kFloat32, &job, 1};
    for (uint64_t start = 0; start < 42; start++) {
      for (uint64_t end = start; end <= 42; end++) {
        std::vector<float> out(end - start, -1.0f);
        out.shrink_to_fit();
        targets[t].fill(fill, out.data(), start, end);
        for (uint64_t i = start; i < end; i++) CHECK(out[i - start] == (i % 2 == 1 ? 0.25f : -1.0f));
      }
    }
  }
}

TEST(aRegionBeforeTheWindowIsNotWrittenWhateverItsStride) {
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  for (int t = 0; t < count; t++) {
    if (!targets[t].supported()) continue;
    for (Kind kind : {Kind::kConstant, Kind::kUniform}) {
      Job job = denseJob(kind, 1);
      job.region.targetStride[0] = 0;
      const Fill fill{42, DType::kFloat32, &job, 1};
      std::vector<float> out(4, -1.0f);
      targets[t].fill(fill, out.data() + 2, 2, 4);
      for (float value : out) CHECK(value == -1.0f);
    }
  }
}

}  // namespace
}  // namespace isometry
