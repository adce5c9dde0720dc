// Exported: streams and events.
#include "context.h"
#include "control.h"

using namespace fake_cuda;

FAKE_CUDA_EXPORT int cuStreamCreate(void** out, unsigned flags) {
  return call("cuStreamCreate", Kind::kOrdinary, [&]() -> Result {
    Result why;
    Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (out == nullptr || flags > 1) return kInvalidValue;  // CU_STREAM_NON_BLOCKING
    *out = keep(std::make_shared<Stream>(context));
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuStreamDestroy_v2(void* handle) {
  return call("cuStreamDestroy_v2", Kind::kActsFirst,
              [&] { return dropStream(handle) ? kOk : kInvalidHandle; });
}

FAKE_CUDA_EXPORT int cuStreamSynchronize(void* handle) {
  return call("cuStreamSynchronize", Kind::kActsFirst, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    const auto stream = findStream(handle);
    if (stream == nullptr) return kInvalidHandle;
    stream->drain();
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuStreamWaitEvent(void* handle, void* eventHandle, unsigned flags) {
  return call("cuStreamWaitEvent", Kind::kOrdinary, [&]() -> Result {
    if (flags != 0) return kInvalidValue;
    const auto stream = findStream(handle);
    const auto event = findEvent(eventHandle);
    if (stream == nullptr || event == nullptr) return kInvalidHandle;
    stream->enqueue([event, record = event->recorded()] { event->wait(record); });
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuEventCreate(void** out, unsigned flags) {
  return call("cuEventCreate", Kind::kOrdinary, [&]() -> Result {
    Result why;
    Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (out == nullptr || flags > 7) return kInvalidValue;
    *out = keep(std::make_shared<Event>(context, flags));
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuEventDestroy_v2(void* handle) {
  return call("cuEventDestroy_v2", Kind::kActsFirst,
              [&] { return dropEvent(handle) ? kOk : kInvalidHandle; });
}

FAKE_CUDA_EXPORT int cuEventRecord(void* eventHandle, void* handle) {
  return call("cuEventRecord", Kind::kOrdinary, [&]() -> Result {
    const auto stream = findStream(handle);
    const auto event = findEvent(eventHandle);
    if (stream == nullptr || event == nullptr) return kInvalidHandle;
    if (stream->context() != event->context()) return kInvalidHandle;
    stream->enqueue([event, record = event->newRecord()] { event->complete(record); });
    return kOk;
  });
}

// Never recorded is complete, as with the real one.
FAKE_CUDA_EXPORT int cuEventSynchronize(void* handle) {
  return call("cuEventSynchronize", Kind::kActsFirst, [&]() -> Result {
    const auto event = findEvent(handle);
    if (event == nullptr) return kInvalidHandle;
    event->wait(event->recorded());
    return kOk;
  });
}

static Result elapsed(float* milliseconds, void* from, void* to) {
  const auto first = findEvent(from), last = findEvent(to);
  if (milliseconds == nullptr) return kInvalidValue;
  if (first == nullptr || last == nullptr || !first->timed() || !last->timed()) return kInvalidHandle;
  std::chrono::steady_clock::time_point begun, ended;
  if (first->recorded() == 0 || last->recorded() == 0) return kInvalidHandle;
  if (!first->time(&begun) || !last->time(&ended)) return kNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(ended - begun).count();
  return kOk;
}

FAKE_CUDA_EXPORT int cuEventElapsedTime(float* milliseconds, void* from, void* to) {
  return call("cuEventElapsedTime", Kind::kOrdinary, [&] { return elapsed(milliseconds, from, to); });
}

FAKE_CUDA_EXPORT int cuEventElapsedTime_v2(float* milliseconds, void* from, void* to) {
  return call("cuEventElapsedTime_v2", Kind::kOrdinary, [&] { return elapsed(milliseconds, from, to); });
}
