#include "binding/cuda.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "binding/arguments.h"
#include "binding/cuda_copy.h"
#include "binding/cuda_fill.h"
#include "binding/cuda_orthogonal.h"
#include "binding/cuda_probe.h"
#include "binding/device_job.h"
#include "binding/jobs.h"
#include "cuda/device.h"
#include "cuda/memory.h"

namespace isometry::binding {
namespace {

constexpr double kIndex = 9007199254740991.0;  // 2^53 - 1

class FillOnDevice : public DeviceJob {
 public:
  FillOnDevice(int ordinal, std::unique_ptr<CudaFill> fill) : DeviceJob(ordinal), fill_(std::move(fill)) {}

 protected:
  cuda::Status run(cuda::Device& device, const std::atomic<bool>& cancelled) override {
    return fill_->run(device, &cancelled);
  }

 private:
  std::unique_ptr<CudaFill> fill_;
};

// Opens the device, which may take half a second: DeviceJob does, before it runs.
class OpenDevice : public DeviceJob {
 public:
  using DeviceJob::DeviceJob;

 protected:
  cuda::Status run(cuda::Device&, const std::atomic<bool>&) override { return {}; }
};

// parts, destination: a Uint8Array or a bigint.
std::unique_ptr<CudaFill> readFill(Napi::Env env, const Napi::Value& list, const Napi::Value& destination) {
  if (!list.IsArray()) refuse(env, "the parts must be an array");
  auto fill = std::make_unique<CudaFill>();
  const Napi::Array parts = list.As<Napi::Array>();
  const uint32_t count = parts.Length();
  for (uint32_t k = 0; k < count; k++) {
    const Napi::HandleScope scope(env);
    const Napi::Value value = parts[k];
    if (!value.IsObject()) refuse(env, "a part must be an object");
    const Napi::Object part = value.As<Napi::Object>();
    const uint64_t start = readWhole(env, part.Get("start"), "a part's start is out of range");
    const uint64_t length = readWhole(env, part.Get("length"), "a part's length is out of range");
    const uint64_t byteOffset =
        readWhole(env, part.Get("byteOffset"), "a part's byte offset is out of range");
    const View words = viewOf(env, part.Get("words"), "the request must be a Float64Array");
    if (words.type != napi_float64_array) refuse(env, "the request must be a Float64Array");
    const char* problem =
        fill->add(static_cast<const double*>(words.data), words.length, start, length, byteOffset);
    if (problem != nullptr) refuse(env, problem);
  }
  CudaFill::Destination place;
  if (destination.IsBigInt()) {
    place.address = readAddress(env, destination);
  } else {
    // After all code that could detach it.
    const View view = readBytes(env, destination);
    place.host = static_cast<unsigned char*>(view.data);
    place.bytes = view.length;
  }
  const char* problem = fill->place(place);
  if (problem != nullptr) refuse(env, problem);
  return fill;
}

// cudaAllocate(device, bytes): { id, pointer }
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const uint64_t bytes = readWhole(env, info[1], "the number of bytes is out of range");
  if (bytes == 0) refuse(env, "no bytes are no allocation");
  Allocation made;
  throwUnlessOk(env, env.GetInstanceData<Environment>()->allocations().allocate(ordinal, bytes, &made));
  Napi::Object result = Napi::Object::New(env);
  result.Set("id", Napi::Number::New(env, made.id));
  result.Set("pointer", Napi::BigInt::New(env, made.address));
  return result;
}

// cudaFree(id)
void Free(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) return;
  info.Env().GetInstanceData<Environment>()->allocations().free(info[0].As<Napi::Number>().DoubleValue());
}

// cudaFillSync(device, parts, destination)
void FillSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const std::unique_ptr<CudaFill> fill = readFill(env, info[1], info[2]);
  if (fill->empty()) return;
  cuda::Device* device = nullptr;
  throwUnlessOk(env, cuda::Device::open(ordinal, &device));
  throwUnlessOk(env, fill->run(*device, nullptr));
}

// cudaFillAsync(device, parts, destination, callback): id
Napi::Value FillAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  std::unique_ptr<CudaFill> fill = readFill(env, info[1], info[2]);
  const Napi::Function callback = readCallback(env, info[3]);
  Environment& environment = *env.GetInstanceData<Environment>();
  auto job = std::make_unique<FillOnDevice>(ordinal, std::move(fill));
  if (!info[2].IsBigInt()) {
    return Napi::Number::New(env, environment.start(std::move(job), info[2], callback));
  }
  const uint64_t address = readAddress(env, info[2]);
  return Napi::Number::New(env, environment.start(std::move(job), nullptr, address, callback));
}

// cudaOpenAsync(device, callback): id
Napi::Value OpenAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto job = std::make_unique<OpenDevice>(readOrdinal(env, info[0]));
  const Napi::Function callback = readCallback(env, info[1]);
  return Napi::Number::New(env, env.GetInstanceData<Environment>()->start(std::move(job), nullptr, callback));
}

// cudaPointer(pointer): { device, index, base, bytes } or null
Napi::Value Pointer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  cuda::PointerInfo found;
  throwUnlessOk(env, cuda::pointerInfo(readAddress(env, info[0]), &found));
  if (!found.device) return env.Null();
  Napi::Object result = Napi::Object::New(env);
  result.Set("device", Napi::Boolean::New(env, found.device));
  result.Set("index", Napi::Number::New(env, found.ordinal));
  result.Set("base", Napi::BigInt::New(env, found.base));
  result.Set("bytes", Napi::Number::New(env, static_cast<double>(found.bytes)));
  return result;
}

// cudaIpcHandle(device, pointer): { handle, offset }
Napi::Value IpcHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const uint64_t address = readAddress(env, info[1]);
  cuda::Device* device = nullptr;
  throwUnlessOk(env, cuda::Device::open(ordinal, &device));
  uint8_t handle[64];
  uint64_t offset = 0;
  throwUnlessOk(env, cuda::ipcHandle(*device, address, handle, &offset));
  Napi::Object result = Napi::Object::New(env);
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, sizeof handle);
  std::copy(handle, handle + sizeof handle, bytes.Data());
  result.Set("handle", bytes);
  result.Set("offset", Napi::Number::New(env, static_cast<double>(offset)));
  return result;
}

// cudaMemory(): { allocations, bytes }
Napi::Value Memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::MemoryStats stats = cuda::memoryStats();
  Napi::Object result = Napi::Object::New(env);
  result.Set("allocations", Napi::Number::New(env, static_cast<double>(stats.allocations)));
  result.Set("bytes", Napi::Number::New(env, static_cast<double>(stats.bytes)));
  return result;
}

}  // namespace

void throwUnlessOk(Napi::Env env, const cuda::Status& status) {
  if (status.ok()) return;
  Napi::Error error = Napi::Error::New(env, status.message);
  error.Set("code", Napi::String::New(env, codeName(status.code)));
  throw error;
}

uint64_t readWhole(Napi::Env env, const Napi::Value& value, const char* problem) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= kIndex && number == std::floor(number))) refuse(env, problem);
  return static_cast<uint64_t>(number);
}

View readBytes(Napi::Env env, const Napi::Value& value) {
  const View view = viewOf(env, value, "the target must be a Uint8Array");
  if (view.type != napi_uint8_array) refuse(env, "the target must be a Uint8Array");
  return view;
}

Napi::Function readCallback(Napi::Env env, const Napi::Value& value) {
  if (!value.IsFunction()) refuse(env, "the callback must be a function");
  return value.As<Napi::Function>();
}

int readOrdinal(Napi::Env env, const Napi::Value& value) {
  const double ordinal = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(ordinal >= 0 && ordinal <= 1e6 && ordinal == std::floor(ordinal))) {
    refuse(env, "a device must be the index of one");
  }
  return static_cast<int>(ordinal);
}

uint64_t readAddress(Napi::Env env, const Napi::Value& value) {
  if (!value.IsBigInt()) refuse(env, "an address must be a bigint");
  bool lossless = false;
  const uint64_t address = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) refuse(env, "an address must have at most 64 bits");
  return address;
}

void exportCuda(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaProbe", Napi::Function::New<CudaProbe>(env, "cudaProbe"));
  exports.Set("cudaAllocate", Napi::Function::New<Allocate>(env, "cudaAllocate"));
  exports.Set("cudaFree", Napi::Function::New<Free>(env, "cudaFree"));
  exports.Set("cudaFillSync", Napi::Function::New<FillSync>(env, "cudaFillSync"));
  exports.Set("cudaFillAsync", Napi::Function::New<FillAsync>(env, "cudaFillAsync"));
  exports.Set("cudaOpenAsync", Napi::Function::New<OpenAsync>(env, "cudaOpenAsync"));
  exports.Set("cudaPointer", Napi::Function::New<Pointer>(env, "cudaPointer"));
  exports.Set("cudaIpcHandle", Napi::Function::New<IpcHandle>(env, "cudaIpcHandle"));
  exports.Set("cudaMemory", Napi::Function::New<Memory>(env, "cudaMemory"));
  exportCopies(env, exports);
  exportCudaOrthogonal(env, exports);
}

}  // namespace isometry::binding
