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

class FileWrite : public FileWork {
 public:
  FileWrite(const Napi::Function& callback, const FileRange& range, const Napi::Object& owner,
            const View& data)
      : FileWork(callback, "isometry.fileWrite", range),
        owner_(Napi::Persistent(owner)),
        data_(static_cast<const char*>(data.data)),
        bytes_(data.length) {}

  void Execute() override {
    range_.append(data_, bytes_);
    range_.beginWriteback();
  }

 private:
  Napi::ObjectReference owner_;  // keeps the memory
  const char* data_;
  size_t bytes_;
};

bool isIndex(const Napi::Value& value, double end) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  return number >= 0 && number < end && number == std::floor(number);
}

// fileWrite(descriptor, data, position, callback)
void StartFileWrite(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  FileRange range;
  range.file = readDescriptor(env, info[0]);
  const View data = viewOf(env, info[1], "the data must be a Uint8Array");
  if (data.type != napi_uint8_array) refuse(env, "the data must be a Uint8Array");
  range.position = readPosition(env, info[2]);
  if (!info[3].IsFunction()) refuse(env, "the callback must be a function");
  auto* work = new FileWrite(info[3].As<Napi::Function>(), range, info[1].As<Napi::Object>(), data);
  work->Queue();  // deletes itself
}

}  // namespace

int readDescriptor(Napi::Env env, const Napi::Value& value) {
  if (!isIndex(value, 2147483648.0)) refuse(env, "the file descriptor must be a whole number");
  return value.As<Napi::Number>().Int32Value();
}

int64_t readPosition(Napi::Env env, const Napi::Value& value) {
  if (!isIndex(value, 9007199254740992.0)) refuse(env, "the position must be a whole number below 2^53");
  return value.As<Napi::Number>().Int64Value();
}

bool FileRange::append(const char* data, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const size_t piece = std::min(kWriteBytes, bytes - done);
    const ssize_t taken = pwrite(file, data + done, piece, position + static_cast<int64_t>(written));
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0) error = errno;
    if (taken <= 0) return false;
    done += static_cast<size_t>(taken);
    written += static_cast<size_t>(taken);
  }
  return true;
}

// By itself the system would begin only when a tenth of the memory is dirty, and the computing would be over
// when the disk's work starts. It waits here while the disk has too much to do. A hint only: what goes wrong
// on the disk is the answer to the fsync at the end, from which this, which waits for no result, takes
// nothing away.
void FileRange::beginWriteback() const {
  if (written > 0)
    (void)sync_file_range(file, position, static_cast<int64_t>(written), SYNC_FILE_RANGE_WRITE);
}
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
