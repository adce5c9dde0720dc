#include "context.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "control.h"
#include "memory.h"

namespace fake_cuda {
namespace {

template <class T>
using Registry = std::map<void*, std::shared_ptr<T>>;

struct State {
  std::recursive_mutex mutex;
  std::map<int, Context*> primary;
  std::set<Context*> everMade;
  uintptr_t handles = 0x1000;
  Registry<Stream> streams;
  Registry<Event> events;
  Registry<Function> functions;
  Registry<Module> modules;
  std::map<Context*, std::shared_ptr<Stream>> nullStreams;
};

State& state() {
  static State* instance = new State;
  return *instance;
}

using Lock = std::lock_guard<std::recursive_mutex>;

// A thread's stack of contexts. Whoever pushes pops.
struct Stack {
  std::vector<Context*> contexts;
  ~Stack() {
    if (!contexts.empty()) {
      damage("a thread ended with " + std::to_string(contexts.size()) + " contexts still pushed");
    }
  }
};
thread_local Stack stack;

template <class T>
std::shared_ptr<T> find(Registry<T>& registry, void* handle) {
  Lock lock(state().mutex);
  const auto found = registry.find(handle);
  return found == registry.end() ? nullptr : found->second;
}

template <class T>
void* store(Registry<T>& registry, std::shared_ptr<T> object) {
  Lock lock(state().mutex);
  // Never used twice, so that an old handle does not become another object's.
  void* handle = reinterpret_cast<void*>(state().handles += 16);
  registry[handle] = std::move(object);
  return handle;
}

// The object itself, so that its destructor runs without the lock.
template <class T>
std::shared_ptr<T> take(Registry<T>& registry, void* handle, const char* what) {
  Lock lock(state().mutex);
  const auto found = registry.find(handle);
  if (found == registry.end()) {
    damage(std::string("a ") + what + " was destroyed that is none, or is none any more");
    return nullptr;
  }
  std::shared_ptr<T> object = found->second;
  registry.erase(found);
  return object;
}

template <class T>
std::vector<void*> handlesOf(const Registry<T>& registry, const Context* context) {
  std::vector<void*> handles;
  for (const auto& [handle, object] : registry) {
    if constexpr (requires { object->context(); }) {
      if (object->context() == context) handles.push_back(handle);
    } else if (object->context == context) {
      handles.push_back(handle);
    }
  }
  return handles;
}

template <class T>
void abandon(Registry<T>& registry, const Context* context, const char* what) {
  for (void* handle : handlesOf(registry, context)) {
    damage(std::string("left behind when its context went: one ") + what);
    take(registry, handle, what);  // it stays counted as alive: it leaked
  }
}

}  // namespace

Context* retainPrimary(int ordinal) {
  Lock lock(state().mutex);
  Context*& context = state().primary[ordinal];
  if (context == nullptr) {
    context = new Context{ordinal};
    state().everMade.insert(context);
    add(kLive, 1);
  }
  context->retained++;
  return context;
}

Result releasePrimary(int ordinal) {
  Lock lock(state().mutex);
  Context*& slot = state().primary[ordinal];
  if (slot == nullptr) {
    damage("a primary context was released that nobody retains");
    return kInvalidContext;
  }
  if (--slot->retained > 0) return kOk;
  Context* context = slot;
  slot = nullptr;
  drainStreams(context);
  abandon(state().streams, context, "stream");
  abandon(state().events, context, "event");
  abandon(state().modules, context, "module");
  for (void* handle : handlesOf(state().functions, context)) state().functions.erase(handle);
  freeBlocksOf(context);
  state().nullStreams.erase(context);
  context->alive = false;
  add(kLive, -1);
  return kOk;
}

Result pushContext(Context* context) {
  Lock lock(state().mutex);
  if (!state().everMade.contains(context)) return kInvalidContext;
  if (!context->alive) return kContextIsDestroyed;
  stack.contexts.push_back(context);
  return kOk;
}

Result popContext(Context** out) {
  if (stack.contexts.empty()) {
    damage("a context was popped that nobody pushed");
    return kInvalidContext;
  }
  if (out != nullptr) *out = stack.contexts.back();
  stack.contexts.pop_back();
  return kOk;
}

Context* currentContext(Result* why) {
  Lock lock(state().mutex);
  *why = kInvalidContext;
  if (stack.contexts.empty()) return nullptr;
  Context* context = stack.contexts.back();
  *why = kContextIsDestroyed;
  return context->alive ? context : nullptr;
}

std::shared_ptr<Stream> findStream(void* handle) {
  if (handle != nullptr) return find(state().streams, handle);
  Lock lock(state().mutex);
  Result why;
  Context* context = currentContext(&why);
  if (context == nullptr) return nullptr;
  auto& stream = state().nullStreams[context];
  if (stream == nullptr) stream = std::make_shared<Stream>(context);
  return stream;
}

std::shared_ptr<Event> findEvent(void* handle) { return find(state().events, handle); }
std::shared_ptr<Function> findFunction(void* handle) { return find(state().functions, handle); }
std::shared_ptr<Module> findModule(void* handle) { return find(state().modules, handle); }

void* keep(std::shared_ptr<Stream> stream) {
  add(kLive, 1);
  return store(state().streams, std::move(stream));
}

void* keep(std::shared_ptr<Event> event) {
  add(kLive, 1);
  return store(state().events, std::move(event));
}

void* keep(std::shared_ptr<Module> module) {
  add(kLive, 1);
  return store(state().modules, std::move(module));
}

void* keep(std::shared_ptr<Function> function) { return store(state().functions, std::move(function)); }

bool dropStream(void* handle) {
  const auto stream = take(state().streams, handle, "stream");
  if (stream == nullptr) return false;
  stream->drain();
  add(kLive, -1);
  return true;
}

bool dropEvent(void* handle) {
  if (take(state().events, handle, "event") == nullptr) return false;
  add(kLive, -1);
  return true;
}

bool dropModule(void* handle) {
  const auto module = take(state().modules, handle, "module");
  if (module == nullptr) return false;
  drainStreams(module->context);
  Lock lock(state().mutex);
  std::erase_if(state().functions, [&](const auto& each) { return each.second->module == module.get(); });
  add(kLive, -1);
  return true;
}

void drainStreams(const Context* context) {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    Lock lock(state().mutex);
    for (const auto& [handle, stream] : state().streams) {
      if (stream->context() == context) streams.push_back(stream);
    }
    for (const auto& [owner, stream] : state().nullStreams) {
      if (owner == context) streams.push_back(stream);
    }
  }
  for (const auto& stream : streams) stream->drain();
}

Alive alive() {
  State& s = state();
  Lock lock(s.mutex);
  size_t contexts = 0;
  for (const auto& [ordinal, context] : s.primary) contexts += context != nullptr;
  return {s.streams.size(), s.events.size(), s.modules.size(), contexts};
}

}  // namespace fake_cuda
