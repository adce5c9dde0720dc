// A fill by a GPU as JavaScript hands it over: windows of several outputs, into memory of the host or of a
// device.
#ifndef ISOMETRY_BINDING_CUDA_FILL_H_
#define ISOMETRY_BINDING_CUDA_FILL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "binding/request.h"
#include "cuda/fill.h"
#include "cuda/status.h"

namespace isometry::binding {

class CudaFill {
 public:
  // Where the parts go: `bytes` of host memory at `host`, or if that is null device memory at `address`.
  struct Destination {
    unsigned char* host = nullptr;
    uint64_t bytes = 0;
    uint64_t address = 0;
  };

  // Elements [start, start + length) of the request in `words`, which are copied, `byteOffset` bytes into the
  // destination. Null on success, else what is wrong: only what memory safety needs is checked, as by
  // decodeRequest.
  const char* add(const double* words, size_t count, uint64_t start, uint64_t length, uint64_t byteOffset);

  // After the last add. Null on success, else what is wrong. Device memory is looked at by run.
  const char* place(const Destination& destination);

  // Nothing to compute.
  bool empty() const { return pieces_.empty(); }

  cuda::Status run(cuda::Device& device, const std::atomic<bool>* cancelled) const;

 private:
  struct Piece {
    std::vector<double> words;
    Request request;
    uint64_t start, end, byteOffset;
    uint64_t bytes() const { return (end - start) * byteSize(request.dtype); }
  };

  void shareTables(Piece& piece);

  std::vector<std::unique_ptr<Piece>> pieces_;
  Destination destination_;
  uint64_t begin_ = UINT64_MAX, end_ = 0;  // bytes of the destination from the first piece to the last
  std::vector<cuda::Part> deviceParts_;
  std::vector<cuda::HostPart> hostParts_;
};

// That [address, address + bytes) is memory of that device, in one allocation.
cuda::Status checkDeviceRange(const cuda::Device& device, uint64_t address, uint64_t bytes);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_CUDA_FILL_H_
