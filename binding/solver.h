// The addon's functions for cuSOLVER; src/backends/native-cuda.ts has their TypeScript types.
#ifndef ISOMETRY_BINDING_SOLVER_H_
#define ISOMETRY_BINDING_SOLVER_H_

#include <napi.h>

namespace isometry::binding {

void exportSolver(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_SOLVER_H_
