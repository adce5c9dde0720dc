// What is there to compute on, as JavaScript sees it.
#ifndef ISOMETRY_BINDING_CUDA_PROBE_H_
#define ISOMETRY_BINDING_CUDA_PROBE_H_

#include <napi.h>

namespace isometry::binding {

// cudaProbe(): { result, reason, driverVersion, library, devices }
Napi::Value CudaProbe(const Napi::CallbackInfo& info);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_CUDA_PROBE_H_
