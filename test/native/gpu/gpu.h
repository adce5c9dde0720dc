// A device as the suite uses it beside the library: the same primary context, so memory of one is memory of
// the other, but modules, timing and plain memory of its own. What goes wrong here is thrown: a suite that
// cannot run has failed.
#ifndef ISOMETRY_TEST_NATIVE_GPU_GPU_H_
#define ISOMETRY_TEST_NATIVE_GPU_GPU_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cuda/driver.h"

namespace isometry::gpu {

class Gpu;

// Device memory; freed at its end.
class Buffer {
 public:
  Buffer(Gpu& gpu, uint64_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  uint64_t address() const { return address_; }
  uint64_t bytes() const { return bytes_; }
  void set(uint32_t value);  // every 32-bit word
  void write(const void* from, uint64_t bytes, uint64_t offset = 0);
  void read(void* to, uint64_t bytes, uint64_t offset = 0) const;

 private:
  Gpu& gpu_;
  uint64_t address_ = 0, bytes_ = 0;
};

// Page-locked host memory.
class Pinned {
 public:
  Pinned(Gpu& gpu, uint64_t bytes);
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  void* data() const { return data_; }

 private:
  Gpu& gpu_;
  void* data_ = nullptr;
};

// A kernel of a module, and how many of its blocks run on the device at a time.
struct Kernel {
  cuda::Function function = nullptr;
  uint32_t residentBlocks = 0;
};

class Gpu {
 public:
  explicit Gpu(int ordinal);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const cuda::Driver& driver() const { return driver_; }
  const std::string& name() const { return name_; }
  cuda::Stream stream() const { return stream_; }
  uint32_t multiprocessors() const { return multiprocessors_; }
  int driverVersion() const { return driverVersion_; }
  uint64_t freeBytes() const;

  // A fat binary or cubin; null when the driver has no code in it for this device, with the reason in `why`.
  cuda::Module load(const void* image, std::string* why);
  // A kernel for blocks of `threads`; throws when the module has none of that name.
  Kernel kernel(cuda::Module module, const char* name, uint32_t threads);
  bool has(cuda::Module module, const char* name) const;

  void launch(const Kernel& kernel, uint32_t blocks, uint32_t threads, const void* parameter);
  void memset(uint64_t address, uint32_t value, uint64_t bytes);
  void copyToHostAsync(void* to, uint64_t address, uint64_t bytes);
  void wait();
  // Milliseconds on the device from before what `work` submits until after it.
  double milliseconds(const std::function<void()>& work);
  // Makes the context current on the calling thread; threads of a stage begin with it.
  void makeCurrent() const;

 private:
  void check(int result, const char* what) const;
  friend class Buffer;
  friend class Pinned;
  const cuda::Driver& driver_;
  cuda::DeviceHandle device_ = 0;
  cuda::Context context_ = nullptr;
  cuda::Stream stream_ = nullptr;
  cuda::Event begin_ = nullptr, end_ = nullptr;
  std::vector<cuda::Module> modules_;
  std::string name_;
  uint32_t multiprocessors_ = 0;
  int driverVersion_ = 0;
};

double median(std::vector<double> values);

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_GPU_H_
