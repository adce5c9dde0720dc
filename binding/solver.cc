#include "binding/solver.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/cuda.h"
#include "binding/cuda_fill.h"
#include "binding/device_job.h"
#include "binding/jobs.h"
#include "binding/request.h"
#include "cuda/device.h"
#include "cuda/solver.h"

namespace isometry::binding {
namespace {

constexpr double kIndex = 9007199254740991.0;  // 2^53 - 1

// Matrices and where they go: `bytes` of host memory at `host`, or if that is null device memory at
// `address`.
struct Qr {
  std::vector<double> words;
  Request request;
  cuda::QrMatrices work;
  std::vector<std::string> folders;
  unsigned char* host = nullptr;
  uint64_t address = 0;

  uint64_t bytes() const { return work.count * work.elements() * byteSize(work.dtype); }

  cuda::Status run(cuda::Device& device, const std::atomic<bool>* cancelled) const {
    std::string whyNot;
    const cuda::SolverLibrary* solver = cuda::solverLibrary(folders, &whyNot);
    if (solver == nullptr) return {cuda::Code::kUnavailable, whyNot};
    if (host != nullptr) return cuda::qrHost(device, *solver, work, host, cancelled);
    const cuda::Status status = checkDeviceRange(device, address, bytes());
    return status.ok() ? cuda::qrDevice(device, *solver, work, address, cancelled) : status;
  }
};

class QrJob : public DeviceJob {
 public:
  QrJob(int ordinal, std::unique_ptr<Qr> qr) : DeviceJob(ordinal), qr_(std::move(qr)) {}

 protected:
  cuda::Status run(cuda::Device& device, const std::atomic<bool>& cancelled) override {
    return qr_->run(device, &cancelled);
  }

 private:
  std::unique_ptr<Qr> qr_;
};

std::vector<std::string> readFolders(Napi::Env env, const Napi::Value& value) {
  if (!value.IsArray()) refuse(env, "the folders must be an array");
  const Napi::Array list = value.As<Napi::Array>();
  std::vector<std::string> folders;
  for (uint32_t k = 0; k < list.Length(); k++) {
    const Napi::HandleScope scope(env);
    const Napi::Value folder = list[k];
    if (!folder.IsString()) refuse(env, "a folder must be a string");
    folders.push_back(folder.As<Napi::String>().Utf8Value());
  }
  return folders;
}

// How many of something there are, so that their product with `others` stays below 2^53.
uint64_t readFactor(Napi::Env env, const Napi::Object& object, const char* name, uint64_t others) {
  const Napi::Value value = object.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  const bool whole = number >= 1 && number <= kIndex && number == std::floor(number);
  if (!whole || number > kIndex / static_cast<double>(others)) refuse(env, "the matrices are out of range");
  return static_cast<uint64_t>(number);
}

// qr, destination: a Uint8Array or a bigint. Checks what memory safety needs.
std::unique_ptr<Qr> readQr(Napi::Env env, const Napi::Value& value, const Napi::Value& destination) {
  if (!value.IsObject()) refuse(env, "the matrices must be an object");
  const Napi::Object object = value.As<Napi::Object>();
  auto qr = std::make_unique<Qr>();
  cuda::QrMatrices& work = qr->work;
  const uint64_t dtype = readWhole(env, object.Get("dtype"), "the dtype is out of range");
  if (dtype > static_cast<uint64_t>(DType::kBFloat16)) refuse(env, "the dtype is out of range");
  work.dtype = static_cast<DType>(dtype);
  work.before = readFactor(env, object, "before", 1);
  work.outputs = readFactor(env, object, "outputs", work.before);
  work.after = readFactor(env, object, "after", work.before * work.outputs);
  work.count = readFactor(env, object, "count", work.elements());
  work.first = readWhole(env, object.Get("first"), "the first matrix is out of range");
  if (static_cast<double>(work.first) > kIndex / static_cast<double>(work.elements()) - work.count)
    refuse(env, "the first matrix is out of range");
  const Napi::Value gain = object.Get("gain");
  work.gain = gain.IsNumber() ? gain.As<Napi::Number>().DoubleValue() : HUGE_VAL;
  if (!std::isfinite(work.gain)) refuse(env, "the gain must be a finite number");
  qr->folders = readFolders(env, object.Get("folders"));

  const View words = viewOf(env, object.Get("words"), "the request must be a Float64Array");
  if (words.type != napi_float64_array) refuse(env, "the request must be a Float64Array");
  const double* data = static_cast<const double*>(words.data);
  qr->words.assign(data, data + words.length);
  const char* problem = decodeRequest(qr->words.data(), qr->words.size(), qr->request);
  if (problem != nullptr) refuse(env, problem);
  const DType precision = work.dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  if (qr->request.dtype != precision) refuse(env, "the normals are of the wrong dtype");
  work.normals = qr->request.fill();

  uint64_t place = 0;
  if (destination.IsBigInt()) {
    place = qr->address = readAddress(env, destination);
    if (place == 0 || place > UINT64_MAX - qr->bytes()) refuse(env, "the address is out of range");
  } else {
    // After all code that could detach it.
    const View view = readBytes(env, destination);
    if (view.data == nullptr || view.length != qr->bytes())
      refuse(env, "the matrices do not fit into the destination");
    qr->host = static_cast<unsigned char*>(view.data);
    place = reinterpret_cast<uintptr_t>(view.data);
  }
  if (place % byteSize(work.dtype) != 0) refuse(env, "the destination is not aligned to its dtype");
  return qr;
}

// cudaQrSync(device, qr, destination)
void QrSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const std::unique_ptr<Qr> qr = readQr(env, info[1], info[2]);
  cuda::Device* device = nullptr;
  throwUnlessOk(env, cuda::Device::open(ordinal, &device));
  throwUnlessOk(env, cuda::guarded([&] { return qr->run(*device, nullptr); }));
}

// cudaQrAsync(device, qr, destination, callback): id
Napi::Value QrAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  std::unique_ptr<Qr> qr = readQr(env, info[1], info[2]);
  const uint64_t address = qr->address;
  const Napi::Function callback = readCallback(env, info[3]);
  Environment& environment = *env.GetInstanceData<Environment>();
  auto job = std::make_unique<QrJob>(ordinal, std::move(qr));
  if (info[2].IsBigInt()) {
    return Napi::Number::New(env, environment.start(std::move(job), nullptr, address, callback));
  }
  return Napi::Number::New(env, environment.start(std::move(job), info[2], callback));
}

// cudaLibraries(folders): [{ name, path, version, reason }]
Napi::Value Libraries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<cuda::LibraryReport> reports = cuda::libraryReports(readFolders(env, info[0]));
  Napi::Array result = Napi::Array::New(env, reports.size());
  for (size_t k = 0; k < reports.size(); k++) {
    Napi::Object report = Napi::Object::New(env);
    report.Set("name", Napi::String::New(env, reports[k].name));
    report.Set("path", Napi::String::New(env, reports[k].path));
    report.Set("version", Napi::String::New(env, reports[k].version));
    report.Set("reason", Napi::String::New(env, reports[k].reason));
    result.Set(static_cast<uint32_t>(k), report);
  }
  return result;
}

}  // namespace

void exportSolver(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaQrSync", Napi::Function::New<QrSync>(env, "cudaQrSync"));
  exports.Set("cudaQrAsync", Napi::Function::New<QrAsync>(env, "cudaQrAsync"));
  exports.Set("cudaLibraries", Napi::Function::New<Libraries>(env, "cudaLibraries"));
}

}  // namespace isometry::binding
