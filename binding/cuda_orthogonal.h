// The addon's functions for orthogonal matrices on GPUs.
#ifndef ISOMETRY_BINDING_CUDA_ORTHOGONAL_H_
#define ISOMETRY_BINDING_CUDA_ORTHOGONAL_H_

#include <napi.h>

namespace isometry::binding {

void exportCudaOrthogonal(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_CUDA_ORTHOGONAL_H_
