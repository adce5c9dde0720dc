// One thread for each GPU that has had asynchronous work: it does that work in the order in which it was
// submitted, so that no JavaScript thread waits for a device.
#ifndef ISOMETRY_CUDA_QUEUE_H_
#define ISOMETRY_CUDA_QUEUE_H_

#include <atomic>

#include "cuda/status.h"

namespace isometry::cuda {

class Device;

// One piece of work. Everything it points to must stay alive until it has finished.
struct Work {
  // On the device's thread, which has opened the device; it may look at `cancelled` as it goes on. Not called
  // when the work was cancelled before its turn, or when the device cannot be opened.
  Status (*run)(Device& device, Work* work) = nullptr;

  // Called exactly once for submitted work, on the device's thread, with `status` set. It may delete the
  // work; the queue touches neither work nor context afterwards.
  void (*finished)(Work* work) = nullptr;
  void* context = nullptr;

  // May be set by any thread at any time. Work that was done all the same may finish with kOk.
  std::atomic<bool> cancelled{false};

  Status status;

  // The queue's own.
  Work* next = nullptr;
};

// Hands work to the device of that ordinal and returns at once. The devices must be acquired (device.h) until
// it has finished. False, and nothing is done, when the ordinal is no GPU's or the system refuses a thread.
bool submit(int ordinal, Work* work);

// Does all that is listed and joins all threads. Called by the last releaseDevices.
void stopQueues();

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_QUEUE_H_
