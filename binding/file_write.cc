#include "binding/file_write.h"

#ifdef __linux__
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>

#include "binding/arguments.h"
#endif

namespace isometry::binding {

#ifdef __linux__
namespace {

// For a larger write the system takes its memory in larger blocks, up to 2 MiB on ext4 and XFS, and in a
// virtual machine those are the ones that were given back to the host: measured, writes of 8 MiB took three
// to four times the system's time of these.
constexpr size_t kWriteBytes = size_t{1} << 20;

// On a thread of Node's pool.
class FileWrite : public Napi::AsyncWorker {
 public:
  FileWrite(const Napi::Function& callback, int file, const Napi::Object& owner, const View& data,
            int64_t position)
      : Napi::AsyncWorker(callback, "isometry.fileWrite"),
        owner_(Napi::Persistent(owner)),
        file_(file),
        data_(static_cast<const char*>(data.data)),
        bytes_(data.length),
        position_(position) {}

  void Execute() override {
    while (done_ < bytes_) {
      const size_t piece = std::min(kWriteBytes, bytes_ - done_);
      const ssize_t taken = pwrite(file_, data_ + done_, piece, position_ + static_cast<int64_t>(done_));
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) error_ = errno;
      if (taken <= 0) break;
      done_ += static_cast<size_t>(taken);
    }
    // By itself the system would begin only when a tenth of the memory is dirty, and the computing would be
    // over when the disk's work starts. It waits here while the disk has too much to do. A hint only: what
    // goes wrong on the disk is the answer to the fsync at the end, from which this, which waits for no
    // result, takes nothing away.
    if (done_ > 0)
      (void)sync_file_range(file_, position_, static_cast<int64_t>(done_), SYNC_FILE_RANGE_WRITE);
  }

  void OnOK() override {
    Callback().Call({Napi::Number::New(Env(), static_cast<double>(done_)), Napi::Number::New(Env(), error_)});
  }

 private:
  Napi::ObjectReference owner_;  // keeps the memory
  int file_;
  const char* data_;
  size_t bytes_;
  int64_t position_;
  size_t done_ = 0;
  int error_ = 0;
};

bool isIndex(const Napi::Value& value, double end) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  return number >= 0 && number < end && number == std::floor(number);
}

void StartFileWrite(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!isIndex(info[0], 2147483648.0)) refuse(env, "the file descriptor must be a whole number");
  const View data = viewOf(env, info[1], "the data must be a Uint8Array");
  if (data.type != napi_uint8_array) refuse(env, "the data must be a Uint8Array");
  if (!isIndex(info[2], 9007199254740992.0)) refuse(env, "the position must be a whole number below 2^53");
  if (!info[3].IsFunction()) refuse(env, "the callback must be a function");
  auto* work = new FileWrite(info[3].As<Napi::Function>(), info[0].As<Napi::Number>().Int32Value(),
                             info[1].As<Napi::Object>(), data, info[2].As<Napi::Number>().Int64Value());
  work->Queue();  // deletes itself
}

}  // namespace
#endif

void exportFileWrite(Napi::Env env, Napi::Object exports) {
#ifdef __linux__
  exports.Set("fileWrite", Napi::Function::New<StartFileWrite>(env, "fileWrite"));
#else
  // Node's own function will do.
  (void)env;
  (void)exports;
#endif
}

}  // namespace isometry::binding
