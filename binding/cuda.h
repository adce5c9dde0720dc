// The addon's functions for GPUs; src/backends/native-cuda.ts has their TypeScript types.
#ifndef ISOMETRY_BINDING_CUDA_H_
#define ISOMETRY_BINDING_CUDA_H_

#include <napi.h>

#include "binding/arguments.h"
#include "cuda/status.h"

namespace isometry::binding {

void exportCuda(Napi::Env env, Napi::Object exports);

// Throws an error with the status's code and message unless it is ok.
void throwUnlessOk(Napi::Env env, const cuda::Status& status);

// A device's index; throws as refuse() for what is none.
int readOrdinal(Napi::Env env, const Napi::Value& value);

// A device address.
uint64_t readAddress(Napi::Env env, const Napi::Value& value);

// A whole number below 2^53; throws as refuse() for any other value, as do the following.
uint64_t readWhole(Napi::Env env, const Napi::Value& value, const char* problem);

// The memory of a Uint8Array.
View readBytes(Napi::Env env, const Napi::Value& value);

Napi::Function readCallback(Napi::Env env, const Napi::Value& value);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_CUDA_H_
