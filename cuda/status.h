// What every function of cuda/ returns: nothing throws here.
#ifndef ISOMETRY_CUDA_STATUS_H_
#define ISOMETRY_CUDA_STATUS_H_

#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace isometry::cuda {

enum class Code {
  kOk,
  kUnavailable,    // this GPU, or this feature of it, cannot be used here; the message says why
  kOutOfMemory,    // of the device, or pinned memory of the host
  kInvalidTarget,  // an address that is not what it must be
  kTooLarge,       // more bytes than 64 bits can count
  kCancelled,
  kDeviceError,  // the driver reported a fault
};

struct [[nodiscard]] Status {
  Code code = Code::kOk;
  std::string message;  // a sentence for people; empty when ok

  bool ok() const { return code == Code::kOk; }
};

// Runs `body`, which returns a Status. The standard library throws when the host has no memory or no thread
// left.
template <class Body>
Status guarded(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return {Code::kOutOfMemory, "out of memory"};  // short enough to need no memory of its own
  } catch (const std::system_error& error) {
    return {Code::kUnavailable, error.what()};
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_STATUS_H_
