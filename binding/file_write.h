// fileWrite(fd, data, position, callback): writes to a file and has its disk begin at once.
#ifndef ISOMETRY_BINDING_FILE_WRITE_H_
#define ISOMETRY_BINDING_FILE_WRITE_H_

#include <napi.h>

namespace isometry::binding {

void exportFileWrite(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_FILE_WRITE_H_
