// Converts and checks the arguments of a fill; throws Napi::Error with the code INTERNAL, since src/ has
// already refused whatever a user can get wrong.
#ifndef ISOMETRY_BINDING_ARGUMENTS_H_
#define ISOMETRY_BINDING_ARGUMENTS_H_

#include <napi.h>

#include "cpu/fill.h"

namespace isometry::binding {

[[noreturn]] void refuse(Napi::Env env, const char* problem);

// The memory of a typed array at this moment.
struct View {
  napi_typedarray_type type;
  size_t length = 0;  // elements; 0 when its buffer is detached
  void* data = nullptr;
};

View viewOf(Napi::Env env, napi_value value, const char* problem);

// The SIMD target of that name; the best one where it is undefined.
const cpu::Target* readSimd(Napi::Env env, const Napi::Value& value);

// Elements [start, start + length): whole numbers, and the end below 2^53.
void checkWindow(Napi::Env env, double start, double length);

// fillSync(words, target, start, simd, threads), and fillAsync with a callback after them.
struct FillArguments {
  View words;
  View target;
  uint64_t start;
  const cpu::Target* simd;
  unsigned threads;
};

FillArguments readFillArguments(const Napi::CallbackInfo& info);

// The target array must be of the dtype's element type, and the window must end below 2^53.
void checkTarget(Napi::Env env, const FillArguments& arguments, DType dtype);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_ARGUMENTS_H_
