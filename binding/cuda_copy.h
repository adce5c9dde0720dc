// Copies between memory of the host and of a device.
#ifndef ISOMETRY_BINDING_CUDA_COPY_H_
#define ISOMETRY_BINDING_CUDA_COPY_H_

#include <napi.h>

namespace isometry::binding {

void exportCopies(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_CUDA_COPY_H_
