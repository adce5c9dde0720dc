#include "cuda/solver.h"

#include <algorithm>
#include <climits>
#include <memory>
#include <vector>

#include "cuda/enqueue.h"
#include "cuda/format.h"
#include "cuda/launch.h"
#include "cuda/memory.h"
#include "cuda/qr.h"
#include "cuda/transfer.h"

namespace isometry::cuda {
namespace {

// As cuMemAlloc aligns.
constexpr uint64_t kAlignment = 256;

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// The factorization of matrices of one size, one after the other. Needs an exclusive Use while it lives.
class Factorization {
 public:
  Factorization(Device& device, const SolverLibrary& solver, const QrMatrices& work)
      : device_(device), solver_(solver), work_(work) {
    const uint64_t others = work.before * work.after;
    rows_ = std::max(work.outputs, others);
    cols_ = std::min(work.outputs, others);
  }
  // Nothing of it is under way any more (see Drain). An error of freeing has been reported before, by
  // whatever broke the context.
  ~Factorization() {
    if (params_ != nullptr) solver_.DestroyParams(params_);
    if (handle_ != nullptr) solver_.Destroy(handle_);
    if (memory_ != 0) device_.driver().MemFree(memory_);
  }
  Factorization(const Factorization&) = delete;
  Factorization& operator=(const Factorization&) = delete;

  // Asks cuSOLVER what it needs, and allocates it.
  Status prepare() {
    Status status = check(solver_.Create(&handle_), "cusolverDnCreate");
    if (!status.ok()) return status;
    status = check(solver_.CreateParams(&params_), "cusolverDnCreateParams");
    if (!status.ok()) return status;
    status = check(solver_.SetStream(handle_, stream()), "cusolverDnSetStream");
    if (!status.ok()) return status;
    status = check(solver_.XgeqrfBufferSize(handle_, params_, rows64(), cols64(), type(), nullptr, rows64(),
                                            type(), nullptr, type(), &deviceBytes_, &hostBytes_),
                   "cusolverDnXgeqrf_bufferSize");
    if (!status.ok()) return status;
    const int rows = static_cast<int>(rows_), cols = static_cast<int>(cols_);
    status = isDouble() ? check(solver_.DorgqrBufferSize(handle_, rows, cols, cols, nullptr, rows, nullptr,
                                                         &orgqrElements_),
                                "cusolverDnDorgqr_bufferSize")
                        : check(solver_.SorgqrBufferSize(handle_, rows, cols, cols, nullptr, rows, nullptr,
                                                         &orgqrElements_),
                                "cusolverDnSorgqr_bufferSize");
    return status.ok() ? allocate() : status;
  }

  // Matrix `index` of the tensor, to `out`. Waits.
  Status make(uint64_t index, uint64_t out, const std::atomic<bool>* cancelled) {
    const uint64_t size = work_.elements();
    const Part normals{work_.normals, index * size, (index + 1) * size, matrix_};
    Status status = enqueueFill(device_, device_.slot(0), stream(), &normals, 1);
    if (!status.ok()) return status;
    status = check(solver_.Xgeqrf(handle_, params_, rows64(), cols64(), type(), pointer(matrix_), rows64(),
                                  type(), pointer(taus_), type(), pointer(buffer_), deviceBytes_,
                                  hostBuffer_.get(), hostBytes_, static_cast<int*>(pointer(info_))),
                   "cusolverDnXgeqrf");
    if (!status.ok()) return status;
    QrSignsLaunch signs{matrix_, factors_, rows_, cols_, work_.gain};
    status = launch(qrSignsKernel(work_.dtype), &signs, cols_);
    if (!status.ok()) return status;
    if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
    status = isDouble() ? orgqr<double>(solver_.Dorgqr, "cusolverDnDorgqr")
                        : orgqr<float>(solver_.Sorgqr, "cusolverDnSorgqr");
    if (!status.ok()) return status;
    QrFinishLaunch finish{matrix_, factors_, out, work_.before, work_.outputs, work_.after};
    status = launch(qrFinishKernel(work_.dtype), &finish, size);
    return status.ok() ? checkInfo() : status;
  }

 private:
  bool isDouble() const { return work_.dtype == DType::kFloat64; }
  uint64_t realBytes() const { return isDouble() ? 8 : 4; }
  int type() const { return isDouble() ? kReal64 : kReal32; }
  int64_t rows64() const { return static_cast<int64_t>(rows_); }
  int64_t cols64() const { return static_cast<int64_t>(cols_); }
  Stream stream() const { return device_.stream(0); }
  static void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

  // One allocation for everything, so that there is one thing to fail and to free.
  Status allocate() {
    const uint64_t matrix = aligned(rows_ * cols_ * realBytes());
    const uint64_t vector = aligned(cols_ * realBytes());
    const uint64_t orgqrBytes = static_cast<uint64_t>(std::max(orgqrElements_, 0)) * realBytes();
    const uint64_t buffer = aligned(std::max<uint64_t>(deviceBytes_, orgqrBytes));
    const uint64_t fixed = matrix + 2 * vector + kAlignment;
    if (buffer < deviceBytes_ || fixed + buffer < fixed) {
      return {Code::kTooLarge, "cuSOLVER asks for a buffer beyond the address space for " + sizes()};
    }
    const uint64_t needed = fixed + buffer;
    size_t available = 0, total = 0;
    Status status = device_.check(device_.driver().MemGetInfo(&available, &total), "cuMemGetInfo");
    if (!status.ok()) return status;
    if (needed > available) {
      return {Code::kOutOfMemory, "out of GPU memory for " + sizes() + " on GPU " +
                                      std::to_string(device_.ordinal()) + " (" + device_.info().name +
                                      "): needed " + formatBytes(needed) + ", available " +
                                      formatBytes(available) + " of " + formatBytes(total)};
    }
    hostBuffer_ = std::make_unique<unsigned char[]>(hostBytes_);
    status = device_.checkAllocation(device_.driver().MemAlloc(&memory_, needed), "cuMemAlloc", needed,
                                     "GPU memory");
    if (!status.ok()) {
      memory_ = 0;
      return status;
    }
    matrix_ = memory_;
    taus_ = matrix_ + matrix;
    factors_ = taus_ + vector;
    info_ = factors_ + vector;
    buffer_ = info_ + kAlignment;
    return device_.slot(0).hostData.reserve(device_, kInfoBytes);
  }

  template <class Real>
  Status orgqr(SolverStatus (*run)(SolverHandle, int, int, int, Real*, int, const Real*, Real*, int, int*),
               const char* name) {
    const int rows = static_cast<int>(rows_), cols = static_cast<int>(cols_);
    return check(run(handle_, rows, cols, cols, static_cast<Real*>(pointer(matrix_)), rows,
                     static_cast<const Real*>(pointer(taus_)), static_cast<Real*>(pointer(buffer_)),
                     orgqrElements_, static_cast<int*>(pointer(info_)) + 1),
                 name);
  }

  Status launch(const char* name, void* parameter, uint64_t count) {
    Kernel kernel;
    Status status = device_.kernel(name, &kernel);
    if (!status.ok()) return status;
    const uint64_t blocks = std::min<uint64_t>((count + kThreads - 1) / kThreads, kernel.residentBlocks);
    void* parameters[] = {parameter};
    return device_.check(device_.driver().LaunchKernel(kernel.function, static_cast<unsigned>(blocks), 1, 1,
                                                       kThreads, 1, 1, 0, stream(), parameters, nullptr),
                         "cuLaunchKernel");
  }

  // What both steps say of their arguments.
  Status checkInfo() {
    unsigned char* host = device_.slot(0).hostData.data;
    Status status = device_.check(device_.driver().MemcpyDtoHAsync(host, info_, kInfoBytes, stream()),
                                  "cuMemcpyDtoHAsync");
    if (!status.ok()) return status;
    status = device_.check(device_.driver().StreamSynchronize(stream()), "cuStreamSynchronize");
    if (!status.ok()) return status;
    const int* infos = reinterpret_cast<const int*>(host);
    for (int step = 0; step < 2; step++) {
      if (infos[step] == 0) continue;
      return {Code::kDeviceError, std::string("cuSOLVER's ") + (step == 0 ? "geqrf" : "orgqr") + " refused " +
                                      sizes() + ": info is " + std::to_string(infos[step])};
    }
    return {};
  }

  Status check(SolverStatus status, const char* call) {
    if (status == kSolverSuccess) return {};
    const std::string text = std::string(call) + " of " + solver_.path + " on GPU " +
                             std::to_string(device_.ordinal()) + " (" + device_.info().name +
                             ") failed for " + sizes() + ": " + describeSolver(status);
    if (status == kSolverAllocFailed) return {Code::kOutOfMemory, text};
    if (status == kSolverNotInitialized || status == kSolverArchMismatch) return {Code::kUnavailable, text};
    return {Code::kDeviceError, text};
  }

  std::string sizes() const {
    return "the QR factorization of a matrix of " + std::to_string(rows_) + " × " + std::to_string(cols_);
  }

  static constexpr uint64_t kInfoBytes = 2 * sizeof(int);

  Device& device_;
  const SolverLibrary& solver_;
  const QrMatrices& work_;
  uint64_t rows_ = 0, cols_ = 0;
  SolverHandle handle_ = nullptr;
  SolverParams params_ = nullptr;
  size_t deviceBytes_ = 0, hostBytes_ = 0;
  int orgqrElements_ = 0;
  std::unique_ptr<unsigned char[]> hostBuffer_;
  DevicePointer memory_ = 0, matrix_ = 0, taus_ = 0, factors_ = 0, info_ = 0, buffer_ = 0;
};

Status makeAll(Device& device, const SolverLibrary& solver, const QrMatrices& work, uint64_t address,
               const std::atomic<bool>* cancelled) {
  if (std::max(work.outputs, work.before * work.after) > INT_MAX) {
    return {Code::kTooLarge, "expected at most " + std::to_string(INT_MAX) +
                                 " rows and columns for a QR factorization on a GPU but received " +
                                 std::to_string(work.outputs) + " and " +
                                 std::to_string(work.before * work.after)};
  }
  const Use use(device, Use::kExclusive);
  if (!use.status().ok()) return use.status();
  if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
  Factorization factorization(device, solver, work);
  Drain drain(device);  // before the factorization's memory is freed
  Status status = factorization.prepare();
  const uint64_t bytes = work.elements() * byteSize(work.dtype);
  for (uint64_t k = 0; k < work.count && status.ok(); k++) {
    if (isCancelled(cancelled)) return {Code::kCancelled, "cancelled"};
    status = factorization.make(work.first + k, address + k * bytes, cancelled);
  }
  // The driver's own word for what went wrong is the better one: cuSOLVER has one status for all of them.
  const Status waited = drain.now();
  return waited.ok() ? status : waited;
}

}  // namespace

Status qrDevice(Device& device, const SolverLibrary& solver, const QrMatrices& work, uint64_t address,
                const std::atomic<bool>* cancelled) {
  return guarded([&] { return makeAll(device, solver, work, address, cancelled); });
}

Status qrHost(Device& device, const SolverLibrary& solver, const QrMatrices& work, void* out,
              const std::atomic<bool>* cancelled) {
  return guarded([&]() -> Status {
    const uint64_t bytes = work.count * work.elements() * byteSize(work.dtype);
    uint64_t address = 0;
    Status status = allocate(device, bytes, &address);
    if (!status.ok()) return status;
    status = qrDevice(device, solver, work, address, cancelled);
    if (status.ok()) status = copyToHost(device, address, out, bytes, cancelled);
    const Status released = release(device, address);
    return status.ok() ? released : status;
  });
}

}  // namespace isometry::cuda
