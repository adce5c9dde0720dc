// Contexts of the fake and what lives in them. Every handle is looked up before it is used, so a wrong one is
// an error and not a crash. Objects are shared, so that one call may destroy what another is still using.
#ifndef ISOMETRY_TEST_FAKE_CUDA_CONTEXT_H_
#define ISOMETRY_TEST_FAKE_CUDA_CONTEXT_H_

#include <memory>

#include "kernels.h"
#include "results.h"
#include "stream.h"

namespace fake_cuda {

// The primary context of one device, from its first retain to its last release. Never freed: old handles stay
// unique.
struct Context {
  int ordinal;  // among the visible ones
  int retained = 0;
  bool alive = true;
};

struct Module {
  Context* context;
};

struct Function {
  Context* context;
  const Module* module;
  const Kernel* kernel;
};

Context* retainPrimary(int ordinal);
Result releasePrimary(int ordinal);

Result pushContext(Context* context);
Result popContext(Context** out);

// The calling thread's context; null, and the reason in `why`, when it has none that is alive.
Context* currentContext(Result* why);

std::shared_ptr<Stream> findStream(void* handle);  // null handle: the current context's null stream
std::shared_ptr<Event> findEvent(void* handle);
std::shared_ptr<Function> findFunction(void* handle);
std::shared_ptr<Module> findModule(void* handle);

void* keep(std::shared_ptr<Stream> stream);
void* keep(std::shared_ptr<Event> event);
void* keep(std::shared_ptr<Function> function);
void* keep(std::shared_ptr<Module> module);

// False when there is no such object.
bool dropStream(void* handle);
bool dropEvent(void* handle);
bool dropModule(void* handle);  // and its functions

// Waits for every stream of a context, as the calls do that free memory.
void drainStreams(const Context* context);

struct Alive {
  size_t streams, events, modules, contexts;
};
Alive alive();

}  // namespace fake_cuda

#endif  // ISOMETRY_TEST_FAKE_CUDA_CONTEXT_H_
