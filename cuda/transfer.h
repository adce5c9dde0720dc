// Work in chunks through a device's slots: while one chunk is copied to the host, the next is computed and
// the one before is taken out of pinned memory.
#ifndef ISOMETRY_CUDA_TRANSFER_H_
#define ISOMETRY_CUDA_TRANSFER_H_

#include <atomic>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/status.h"

namespace isometry::cuda {

// Bytes of a chunk: large against the few microseconds that starting one costs (at PCIe's 50 GB/s it takes
// 160), small enough to stay in the host's cache between the device's write and our read, and to cancel soon.
inline constexpr uint64_t kChunkBytes = 8 << 20;

inline bool isCancelled(const std::atomic<bool>* cancelled) {
  return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
}

// However its scope is left, also by an exception: what was queued is done then, and the slots are free.
class Drain {
 public:
  explicit Drain(Device& device) : device_(device) {}
  ~Drain() {
    if (needed_) (void)device_.synchronize();
  }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  Status now() {
    needed_ = false;
    return device_.synchronize();
  }
  void notNeeded() { needed_ = false; }

 private:
  Device& device_;
  bool needed_ = true;
};

// Calls begin(chunk, slot, stream) → Status for each chunk in order, which queues work on the stream that
// ends in the slot's pinned memory, and end(chunk, slot) once that work is done, also in order. Ends at the
// first error, or before the next chunk when cancelled. When it returns the device has nothing left to do in
// the slots. Needs an exclusive Use.
template <class Begin, class End>
Status pipeline(Device& device, uint64_t chunks, const std::atomic<bool>* cancelled, const Begin& begin,
                const End& end) {
  Drain drain(device);
  const auto slotOf = [&](uint64_t chunk) -> Slot& { return device.slot(static_cast<int>(chunk % kSlots)); };
  uint64_t begun = 0, ended = 0;
  while (ended < chunks) {
    if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
    Status status;
    if (begun < chunks && begun - ended < kSlots) {
      Stream stream = device.stream(static_cast<int>(begun % kStreams));
      status = begin(begun, slotOf(begun), stream);
      if (!status.ok()) return status;
      status = device.check(device.driver().EventRecord(slotOf(begun).done, stream), "cuEventRecord");
      begun++;
    } else {
      status = device.check(device.driver().EventSynchronize(slotOf(ended).done), "cuEventSynchronize");
      if (status.ok()) end(ended, slotOf(ended));
      ended++;
    }
    if (!status.ok()) return status;
  }
  drain.notNeeded();
  return {};
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_TRANSFER_H_
