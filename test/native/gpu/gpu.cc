#include "test/native/gpu/gpu.h"

#include <algorithm>
#include <stdexcept>

namespace isometry::gpu {

using cuda::Driver;
using cuda::kSuccess;

namespace {

const Driver& openDriver() {
  std::string why;
  const Driver* driver = cuda::driver(&why);
  if (driver == nullptr) throw std::runtime_error("no driver: " + why);
  if (const auto result = driver->Init(0); result != kSuccess) {
    throw std::runtime_error("cuInit: " + cuda::describe(*driver, result));
  }
  return *driver;
}

}  // namespace

Gpu::Gpu(int ordinal) : driver_(openDriver()) {
  check(driver_.DriverGetVersion(&driverVersion_), "cuDriverGetVersion");
  check(driver_.DeviceGet(&device_, ordinal), "cuDeviceGet");
  char text[256] = {};
  check(driver_.DeviceGetName(text, sizeof text - 1, device_), "cuDeviceGetName");
  name_ = text;
  int value = 0;
  check(driver_.DeviceGetAttribute(&value, cuda::kAttributeMultiprocessors, device_), "cuDeviceGetAttribute");
  multiprocessors_ = static_cast<uint32_t>(value);
  check(driver_.DevicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
  makeCurrent();
  check(driver_.StreamCreate(&stream_, 1 /* CU_STREAM_NON_BLOCKING */), "cuStreamCreate");
  check(driver_.EventCreate(&begin_, 0), "cuEventCreate");
  check(driver_.EventCreate(&end_, 0), "cuEventCreate");
}

Gpu::~Gpu() {
  for (const auto module : modules_) (void)driver_.ModuleUnload(module);
  if (begin_ != nullptr) (void)driver_.EventDestroy(begin_);
  if (end_ != nullptr) (void)driver_.EventDestroy(end_);
  if (stream_ != nullptr) (void)driver_.StreamDestroy(stream_);
  cuda::Context popped = nullptr;
  (void)driver_.CtxPopCurrent(&popped);
  (void)driver_.DevicePrimaryCtxRelease(device_);
}

void Gpu::check(int result, const char* what) const {
  if (result != kSuccess)
    throw std::runtime_error(std::string(what) + ": " + cuda::describe(driver_, result));
}

void Gpu::makeCurrent() const { check(driver_.CtxPushCurrent(context_), "cuCtxPushCurrent"); }

uint64_t Gpu::freeBytes() const {
  size_t available = 0, total = 0;
  check(driver_.MemGetInfo(&available, &total), "cuMemGetInfo");
  return available;
}

cuda::Module Gpu::load(const void* image, std::string* why) {
  cuda::Module module = nullptr;
  const auto result = driver_.ModuleLoadData(&module, image);
  if (result != kSuccess) {
    *why = cuda::describe(driver_, result);
    return nullptr;
  }
  modules_.push_back(module);
  return module;
}

Kernel Gpu::kernel(cuda::Module module, const char* name, uint32_t threads) {
  Kernel kernel;
  check(driver_.ModuleGetFunction(&kernel.function, module, name), name);
  int blocks = 0;
  check(driver_.OccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel.function, static_cast<int>(threads),
                                                          0),
        "cuOccupancyMaxActiveBlocksPerMultiprocessor");
  kernel.residentBlocks = static_cast<uint32_t>(std::max(1, blocks)) * multiprocessors_;
  return kernel;
}

bool Gpu::has(cuda::Module module, const char* name) const {
  cuda::Function function = nullptr;
  return driver_.ModuleGetFunction(&function, module, name) == kSuccess;
}

void Gpu::launch(const Kernel& kernel, uint32_t blocks, uint32_t threads, const void* parameter) {
  void* parameters[] = {const_cast<void*>(parameter)};
  check(driver_.LaunchKernel(kernel.function, blocks, 1, 1, threads, 1, 1, 0, stream_, parameters, nullptr),
        "cuLaunchKernel");
}

void Gpu::memset(uint64_t address, uint32_t value, uint64_t bytes) {
  check(driver_.MemsetD32Async(address, value, bytes / 4, stream_), "cuMemsetD32Async");
}

void Gpu::copyToHostAsync(void* to, uint64_t address, uint64_t bytes) {
  check(driver_.MemcpyDtoHAsync(to, address, bytes, stream_), "cuMemcpyDtoHAsync");
}

void Gpu::wait() { check(driver_.StreamSynchronize(stream_), "cuStreamSynchronize"); }

double Gpu::milliseconds(const std::function<void()>& work) {
  check(driver_.EventRecord(begin_, stream_), "cuEventRecord");
  work();
  check(driver_.EventRecord(end_, stream_), "cuEventRecord");
  check(driver_.EventSynchronize(end_), "cuEventSynchronize");
  float elapsed = 0;
  check(driver_.EventElapsedTime(&elapsed, begin_, end_), "cuEventElapsedTime");
  return elapsed;
}

Buffer::Buffer(Gpu& gpu, uint64_t bytes) : gpu_(gpu), bytes_(bytes) {
  gpu.check(gpu.driver_.MemAlloc(&address_, std::max<uint64_t>(bytes, 16)), "cuMemAlloc");
}

Buffer::~Buffer() { (void)gpu_.driver_.MemFree(address_); }

void Buffer::set(uint32_t value) {
  gpu_.memset(address_, value, bytes_);
  gpu_.wait();
}

void Buffer::write(const void* from, uint64_t bytes, uint64_t offset) {
  if (bytes == 0) return;
  gpu_.check(gpu_.driver_.MemcpyHtoDAsync(address_ + offset, from, bytes, gpu_.stream_), "cuMemcpyHtoDAsync");
  gpu_.wait();
}

void Buffer::read(void* to, uint64_t bytes, uint64_t offset) const {
  if (bytes == 0) return;
  gpu_.copyToHostAsync(to, address_ + offset, bytes);
  gpu_.wait();
}

Pinned::Pinned(Gpu& gpu, uint64_t bytes) : gpu_(gpu) {
  gpu.check(gpu.driver_.MemHostAlloc(&data_, bytes, 1 /* CU_MEMHOSTALLOC_PORTABLE */), "cuMemHostAlloc");
}

Pinned::~Pinned() { (void)gpu_.driver_.MemFreeHost(data_); }

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace isometry::gpu
