#include "binding/file_fill.h"

#ifdef __linux__
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "binding/arguments.h"
#include "binding/file_write.h"
#include "binding/request.h"
#include "cpu/fill.h"
#include "cpu/float_mode.h"
#endif

namespace isometry::binding {

#ifdef __linux__
namespace {

// As the chunks of cpu/fill_work.cc: what stays in a core's L2 cache. A multiple of every element's size.
constexpr size_t kBlockBytes = size_t{1} << 18;

// Elements [start, start + length) of an output, at byte `offset` of what is written.
struct FilePart {
  std::vector<double> words;  // the request's quantile tables are in here
  Request request;
  uint64_t start = 0, length = 0;
  size_t offset = 0;

  size_t elementBytes() const { return byteSize(request.dtype); }
  size_t end() const { return offset + length * elementBytes(); }
};

class FileFill : public FileWork {
 public:
  FileFill(const Napi::Function& callback, const FileRange& range, const cpu::Target* simd,
           std::vector<FilePart> parts)
      : FileWork(callback, "isometry.fileFill", range), simd_(simd), parts_(std::move(parts)) {}

  void Execute() override {
    const cpu::FloatMode mode;
    const std::unique_ptr<char, decltype(&std::free)> block(
        static_cast<char*>(std::aligned_alloc(64, kBlockBytes)), std::free);
    if (block == nullptr) {
      range_.error = ENOMEM;
      return;
    }
    const size_t bytes = parts_.empty() ? 0 : parts_.back().end();
    for (size_t begin = 0; begin < bytes; begin += kBlockBytes) {
      const size_t end = std::min(bytes, begin + kBlockBytes);
      fill(block.get(), begin, end);
      if (!range_.append(block.get(), end - begin)) break;
    }
    range_.beginWriteback();
  }

 private:
  // Bytes [begin, end) of what is written; called with one range behind the other.
  void fill(char* block, size_t begin, size_t end) {
    for (; current_ < parts_.size(); current_++) {
      const FilePart& part = parts_[current_];
      if (part.offset >= end) return;
      const size_t from = std::max(begin, part.offset), to = std::min(end, part.end());
      const size_t size = part.elementBytes();
      simd_->fill(part.request.fill(), block + (from - begin), part.start + (from - part.offset) / size,
                  part.start + (to - part.offset) / size);
      if (part.end() > end) return;
    }
  }

  const cpu::Target* simd_;
  std::vector<FilePart> parts_;
  size_t current_ = 0;
};

// From `words`, a list of requests, and `windows`, two numbers for each of them: start and length.
std::vector<FilePart> readParts(Napi::Env env, const Napi::Value& words, const Napi::Value& windows) {
  if (!words.IsArray()) refuse(env, "the requests must be a list");
  const Napi::Array list = words.As<Napi::Array>();
  const View numbers = viewOf(env, windows, "the windows must be a Float64Array");
  if (numbers.type != napi_float64_array || numbers.length != 2 * static_cast<size_t>(list.Length()))
    refuse(env, "the windows must be a Float64Array of two numbers for each request");
  const double* window = static_cast<const double*>(numbers.data);
  std::vector<FilePart> parts(list.Length());
  size_t offset = 0;
  for (uint32_t k = 0; k < list.Length(); k++, window += 2) {
    FilePart& part = parts[k];
    const View request = viewOf(env, list.Get(k), "a request must be a Float64Array");
    if (request.type != napi_float64_array) refuse(env, "a request must be a Float64Array");
    const double* data = static_cast<const double*>(request.data);
    part.words.assign(data, data + request.length);
    const char* problem = decodeRequest(part.words.data(), part.words.size(), part.request);
    if (problem != nullptr) refuse(env, problem);
    checkWindow(env, window[0], window[1]);
    part.start = static_cast<uint64_t>(window[0]);
    part.length = static_cast<uint64_t>(window[1]);
    part.offset = offset;
    if (offset % part.elementBytes() != 0) refuse(env, "elements must lie at a multiple of their size");
    offset = part.end();
    if (offset > uint64_t{1} << 52) refuse(env, "the windows are of too many bytes");
  }
  return parts;
}

// fileFill(descriptor, position, words, windows, simd, callback)
void StartFileFill(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  FileRange range;
  range.file = readDescriptor(env, info[0]);
  range.position = readPosition(env, info[1]);
  std::vector<FilePart> parts = readParts(env, info[2], info[3]);
  const cpu::Target* simd = readSimd(env, info[4]);
  if (!info[5].IsFunction()) refuse(env, "the callback must be a function");
  auto* work = new FileFill(info[5].As<Napi::Function>(), range, simd, std::move(parts));
  work->Queue();  // deletes itself
}

}  // namespace
#endif

void exportFileFill(Napi::Env env, Napi::Object exports) {
#ifdef __linux__
  exports.Set("fileFill", Napi::Function::New<StartFileFill>(env, "fileFill"));
#else
  // Filling an array and writing that will do.
  (void)env;
  (void)exports;
#endif
}

}  // namespace isometry::binding
