// Writes to open files, on threads of Node's pool. On Linux only: elsewhere Node's own functions do.
#ifndef ISOMETRY_BINDING_FILE_WRITE_H_
#define ISOMETRY_BINDING_FILE_WRITE_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace isometry::binding {

void exportFileWrite(Napi::Env env, Napi::Object exports);

#ifdef __linux__

// Arguments that all kinds of writes have.
int readDescriptor(Napi::Env env, const Napi::Value& value);
int64_t readPosition(Napi::Env env, const Napi::Value& value);

// A place in an open file, and how the writing to it went.
struct FileRange {
  int file = -1;
  int64_t position = 0;
  size_t written = 0;  // bytes from `position` on
  int error = 0;       // errno, or 0

  // Writes behind what is written. False: not all of it was.
  bool append(const char* data, size_t bytes);
  // Has the system begin to bring what is written to the disk.
  void beginWriteback() const;
};

// A write on a thread of Node's pool; calls back with the number of bytes written and the error.
class FileWork : public Napi::AsyncWorker {
 public:
  FileWork(const Napi::Function& callback, const char* name, const FileRange& range)
      : Napi::AsyncWorker(callback, name), range_(range) {}

  void OnOK() override {
    Callback().Call({Napi::Number::New(Env(), static_cast<double>(range_.written)),
                     Napi::Number::New(Env(), range_.error)});
  }

 protected:
  FileRange range_;
};

#endif

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_FILE_WRITE_H_
