// Fills that go to an open file without an array between: a block is written while it lies in the cache of
// the CPU that has computed it.
#ifndef ISOMETRY_BINDING_FILE_FILL_H_
#define ISOMETRY_BINDING_FILE_FILL_H_

#include <napi.h>

namespace isometry::binding {

void exportFileFill(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_FILE_FILL_H_
