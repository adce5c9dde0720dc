#include "binding/cuda_probe.h"

#include "cuda/probe.h"

namespace isometry::binding {
namespace {

const char* resultName(cuda::ProbeResult result) {
  switch (result) {
    case cuda::ProbeResult::kReady:
      return "ready";
    case cuda::ProbeResult::kNoGpuCode:
      return "noGpuCode";
    case cuda::ProbeResult::kNoDriver:
      return "noDriver";
    case cuda::ProbeResult::kDriverTooOld:
      return "driverTooOld";
    case cuda::ProbeResult::kInitFailed:
      return "initFailed";
    case cuda::ProbeResult::kNoDevice:
      return "noDevice";
    case cuda::ProbeResult::kHidden:
      return "hidden";
    case cuda::ProbeResult::kCapabilityTooLow:
      return "capabilityTooLow";
  }
  return "initFailed";
}

Napi::Object describe(Napi::Env env, const cuda::DeviceInfo& info) {
  Napi::Object device = Napi::Object::New(env);
  Napi::Array capability = Napi::Array::New(env, 2);
  capability.Set(0u, Napi::Number::New(env, info.major));
  capability.Set(1u, Napi::Number::New(env, info.minor));
  device.Set("index", Napi::Number::New(env, info.index));
  device.Set("name", Napi::String::New(env, info.name));
  device.Set("uuid", Napi::String::New(env, info.uuid));
  device.Set("computeCapability", capability);
  device.Set("multiprocessors", Napi::Number::New(env, info.multiprocessors));
  device.Set("totalMemory", Napi::Number::New(env, static_cast<double>(info.totalMemory)));
  device.Set("usable", Napi::Boolean::New(env, info.usable));
  device.Set("reason", Napi::String::New(env, info.reason));
  return device;
}

}  // namespace

Napi::Value CudaProbe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::Probe probe = cuda::probe();
  Napi::Array devices = Napi::Array::New(env, probe.devices.size());
  for (uint32_t k = 0; k < probe.devices.size(); k++) devices.Set(k, describe(env, probe.devices[k]));
  Napi::Object result = Napi::Object::New(env);
  result.Set("result", Napi::String::New(env, resultName(probe.result)));
  result.Set("reason", Napi::String::New(env, probe.reason));
  result.Set("driverVersion", Napi::Number::New(env, probe.driverVersion));
  result.Set("library", Napi::String::New(env, probe.libraryPath));
  result.Set("devices", devices);
  return result;
}

}  // namespace isometry::binding
