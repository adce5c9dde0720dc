// The GPUs that this process has opened: one Device for each, shared by every JavaScript environment in it.
//
// A device is opened at its first use and closed by the last releaseDevices. It works in the device's primary
// context, which the CUDA runtime uses too, so memory of other libraries in this process is memory of ours.
#ifndef ISOMETRY_CUDA_DEVICE_H_
#define ISOMETRY_CUDA_DEVICE_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "cuda/driver.h"
#include "cuda/launch.h"
#include "cuda/probe.h"
#include "cuda/staging.h"
#include "cuda/status.h"

namespace isometry::cuda {

// Every user, such as a JavaScript environment, acquires once before it calls anything here and releases once
// when none of its work is under way. Neither opens the driver. The last release joins all threads of
// queue.h, frees all memory of memory.h, and closes all devices.
void acquireDevices();
void releaseDevices();

// GPUs beyond this many cannot be opened.
inline constexpr int kMaxDevices = 64;

struct Kernel {
  Function function = nullptr;
  uint32_t residentBlocks = 0;  // on the whole device at a time
};

// How many streams and how many slots a device has: the copy out of one slot, the computation into the next
// and the host's work on the third go on at a time.
inline constexpr int kStreams = 2;
inline constexpr int kSlots = 3;

class Device {
 public:
  // The device of that ordinal, opened if it is not yet. Valid until the last releaseDevices.
  static Status open(int ordinal, Device** out);

  // One that is open and has no fault, for questions that need some context; null when there is none.
  static Device* anyWorking();

  const Driver& driver() const { return driver_; }
  const DeviceInfo& info() const { return info_; }
  int ordinal() const { return info_.index; }
  Context context() const { return context_; }

  // Ok, or what the driver's result of `call` means. After some errors a context only ever gives errors: they
  // are remembered, and every Use of this device then fails with them at once.
  Status check(Result result, const char* call);
  Status fault();

  // check() of a call that was to allocate `bytes`: running out says what was needed and what is available.
  // `where` is "GPU memory" or "pinned memory".
  Status checkAllocation(Result result, const char* call, uint64_t bytes, const char* where);

  // What follows needs an exclusive Use. A kernel is always asked for with the same number of threads of a
  // block.
  Status kernel(const char* name, Kernel* out, uint32_t threads = kThreads);
  Stream stream(int i) const { return streams_[i]; }
  Slot& slot(int i) { return slots_[i]; }
  // Waits for everything on our streams. Call it before anything that they may still touch is freed or
  // reused.
  Status synchronize();

  // The list behind memory.h. False: the address is not on it. `freeLater`: it is off the list and no longer
  // counted, but its memory stays until the device closes.
  void addAllocation(uint64_t address, uint64_t bytes);
  bool removeAllocation(uint64_t address, bool freeLater);

 private:
  friend class Use;
  friend void releaseDevices();
  Device(const Driver& driver, DeviceInfo info) : driver_(driver), info_(std::move(info)) {}
  Status create();
  void close();

  const Driver& driver_;
  const DeviceInfo info_;
  DeviceHandle handle_ = 0;
  Context context_ = nullptr;
  Module module_ = nullptr;
  Stream streams_[kStreams] = {};
  Slot slots_[kSlots];
  std::map<std::string, Kernel> kernels_;
  std::mutex allocationsMutex_;
  std::map<uint64_t, uint64_t> allocations_;  // address → bytes
  std::map<uint64_t, uint64_t> freeLater_;

  std::mutex workMutex_;  // held by an exclusive Use
  std::mutex faultMutex_;
  Status fault_;
};

// While one lives, the device's context is the calling thread's. Exclusive: and its streams, slots and
// kernels are this thread's alone, until which it waits. For freeing: shared, and also after a fault. To be
// used only when status() is ok.
class Use {
 public:
  enum Kind { kShared, kExclusive, kFreeing };
  Use(Device& device, Kind kind);
  ~Use();
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  const Status& status() const { return status_; }

 private:
  Device& device_;
  std::unique_lock<std::mutex> lock_;
  bool pushed_ = false;
  Status status_;
};

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_DEVICE_H_
