// Work that a GPU's queue does.
#ifndef ISOMETRY_BINDING_DEVICE_JOB_H_
#define ISOMETRY_BINDING_DEVICE_JOB_H_

#include "binding/jobs.h"
#include "cuda/queue.h"

namespace isometry::binding {

// The library's code for a status; "INTERNAL" for one that no function should give.
const char* codeName(cuda::Code code);

class DeviceJob : public AsyncJob {
 public:
  explicit DeviceJob(int ordinal);

 protected:
  // On the device's thread, which has opened the device. Long work looks at `cancelled` now and then.
  virtual cuda::Status run(cuda::Device& device, const std::atomic<bool>& cancelled) = 0;

  void submit() override;
  void cancel() override { work_.cancelled = true; }
  Outcome outcome() const override;

 private:
  const int ordinal_;
  cuda::Work work_;
};

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_DEVICE_JOB_H_
