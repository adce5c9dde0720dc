#include "binding/arguments.h"

#include <cmath>
#include <string>

#include "cpu/machine.h"
#include "cpu/pool.h"

namespace isometry::binding {

void refuse(Napi::Env env, const char* problem) {
  Napi::Error error = Napi::Error::New(env, std::string("the native backend refused a request: ") + problem);
  error.Set("code", Napi::String::New(env, "INTERNAL"));
  throw error;
}

View viewOf(Napi::Env env, napi_value value, const char* problem) {
  View view;
  bool isTypedArray = false;
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray) refuse(env, problem);
  if (napi_get_typedarray_info(env, value, &view.type, &view.length, &view.data, nullptr, nullptr) !=
      napi_ok) {
    refuse(env, problem);
  }
  if (view.data == nullptr) view.length = 0;
  return view;
}

const cpu::Target* readSimd(Napi::Env env, const Napi::Value& value) {
  static const cpu::Target* const best = cpu::bestTarget();  // a pointer: nothing to destroy at unload
  if (value.IsUndefined()) return best;
  if (!value.IsString()) refuse(env, "the SIMD target must be a string");
  const cpu::Target* target = cpu::findTarget(value.As<Napi::String>().Utf8Value().c_str());
  if (target == nullptr) refuse(env, "no such SIMD target on this machine");
  return target;
}

void checkWindow(Napi::Env env, double start, double length) {
  constexpr double kIndex = 9007199254740991.0;
  // Written so that NaN fails.
  if (!(start >= 0 && start == std::floor(start) && length >= 0 && length == std::floor(length) &&
        start + length <= kIndex)) {
    refuse(env, "the window must lie within [0, 2^53)");
  }
}

namespace {

unsigned readThreads(Napi::Env env, const Napi::Value& value) {
  static const unsigned all = cpu::usableCpus();
  if (value.IsUndefined()) return all;
  const double threads = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  if (!(threads >= 1 && threads <= cpu::kMaxThreads)) refuse(env, "threads must be 1 to 256");
  return static_cast<unsigned>(threads);
}

}  // namespace

FillArguments readFillArguments(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  FillArguments arguments;
  arguments.words = viewOf(env, info[0], "the request must be a Float64Array");
  if (arguments.words.type != napi_float64_array) refuse(env, "the request must be a Float64Array");
  arguments.target = viewOf(env, info[1], "the target must be a typed array");
  const double start = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : -1;
  checkWindow(env, start, static_cast<double>(arguments.target.length));
  arguments.start = static_cast<uint64_t>(start);
  arguments.simd = readSimd(env, info[3]);
  arguments.threads = readThreads(env, info[4]);
  return arguments;
}

void checkTarget(Napi::Env env, const FillArguments& arguments, DType dtype) {
  const napi_typedarray_type type = dtype == DType::kFloat64   ? napi_float64_array
                                    : dtype == DType::kFloat32 ? napi_float32_array
                                                               : napi_uint16_array;
  if (arguments.target.type != type) refuse(env, "the target is not of the dtype's element type");
}

}  // namespace isometry::binding
