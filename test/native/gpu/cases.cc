#include "test/native/gpu/cases.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "core/quantile.h"

namespace isometry::gpu {
namespace {

constexpr const char* kSeparator = " | ";
constexpr const char* kDTypes[] = {"float64", "float32", "float16", "bfloat16"};  // as DType counts
constexpr const char* kKinds[] = {"constant", "uniform", "normal", "truncatedNormal", "quantile"};  // as Kind
constexpr uint64_t kStream =
    0xfedcba9876543210ull;  // as test/parity/cpu-js.test.ts; its upper half counts too

std::string read(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::string text;
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) text.append(buffer, n);
  return text;
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t at = 0;
  for (size_t next; (next = text.find(separator, at)) != std::string::npos; at = next + separator.size()) {
    parts.push_back(text.substr(at, next - at));
  }
  parts.push_back(text.substr(at));
  return parts;
}

template <size_t N>
int indexOf(const char* const (&names)[N], const std::string& name) {
  for (size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<int>(i);
  }
  throw std::runtime_error("laws.txt names an unknown \"" + name + "\"");
}

double number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw std::runtime_error("laws.txt: \"" + text + "\" is no number");
  return value;
}

}  // namespace

Cases::Cases(const std::string& folder) {
  const std::string bytes = read(folder + "/tables.bin");
  tables_.resize(bytes.size() / sizeof(double));
  std::memcpy(tables_.data(), bytes.data(), tables_.size() * sizeof(double));
  const size_t tableCount = tables_.size() / kQuantileTableSize;
  for (const std::string& line : split(read(folder + "/laws.txt"), "\n")) {
    if (line.empty() || line[0] == '#') continue;
    const auto fields = split(line, kSeparator);
    if (fields.size() != 13) throw std::runtime_error("laws.txt: expected 13 fields in \"" + line + "\"");
    Case test;
    test.name = fields[0];
    test.dtype = static_cast<DType>(indexOf(kDTypes, fields[1]));
    test.kind = static_cast<Kind>(indexOf(kKinds, fields[2]));
    Params& p = test.params;
    double* const doubles[] = {&p.value, &p.low, &p.range, &p.mean, &p.std};
    for (size_t i = 0; i < 5; ++i) *doubles[i] = number(fields[3 + i]);
    p.base = static_cast<uint64_t>(number(fields[8]));
    p.count = static_cast<uint64_t>(number(fields[9]));
    p.min = number(fields[10]);
    p.max = number(fields[11]);
    const double table = number(fields[12]);
    if (table >= 0) {
      if (table >= static_cast<double>(tableCount)) throw std::runtime_error("tables.bin is too short");
      p.table = tables_.data() + static_cast<size_t>(table) * kQuantileTableSize;
    }
    cases_.push_back(test);
  }
  if (cases_.empty()) throw std::runtime_error(folder + "/laws.txt holds no cases");
}

const Case& Cases::find(const std::string& name) const {
  for (const Case& test : cases_) {
    if (test.name == name) return test;
  }
  throw std::runtime_error("no case is called \"" + name + "\"");
}

Job denseJob(const Case& test, uint64_t length, uint64_t source) {
  Job job{};
  job.kind = test.kind;
  job.stream = kStream;
  job.params = test.params;
  job.region.rank = 1;
  job.region.sourceOffset = source;
  job.region.shape[0] = length;
  job.region.sourceStride[0] = job.region.targetStride[0] = 1;
  return job;
}

}  // namespace isometry::gpu
