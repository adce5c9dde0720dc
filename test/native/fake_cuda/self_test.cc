// The fake itself: what it is worth as a witness. That it notices what a correct caller never does, keeps the
// order of streams and events, and fails when told to.
#include <cstdlib>
#include <cstring>
#include <string>

#include "../check.h"
#include "fake_cuda.h"

extern "C" {
int cuInit(unsigned);
int cuDeviceGetCount(int*);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxPushCurrent_v2(void*);
int cuCtxPopCurrent_v2(void**);
int cuMemAlloc_v2(uint64_t*, size_t);
int cuMemFree_v2(uint64_t);
int cuMemHostAlloc(void**, size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemcpyDtoHAsync_v2(void*, uint64_t, size_t, void*);
int cuMemsetD32Async(uint64_t, unsigned, size_t, void*);
int cuStreamCreate(void**, unsigned);
int cuStreamDestroy_v2(void*);
int cuStreamSynchronize(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuEventCreate(void**, unsigned);
int cuEventDestroy_v2(void*);
int cuEventRecord(void*, void*);
int cuModuleLoadData(void**, const void*);
}

namespace {

void with(const char* name, const char* value) {
  setenv(name, value, 1);
  fake_cuda_reload();
}

void without(const char* name) {
  unsetenv(name);
  fake_cuda_reload();
}

// A context pushed, and how much was alive and wrong before.
struct Scene {
  int64_t live = fake_cuda_live(), damage = fake_cuda_damage();
  void* context = nullptr;
  Scene() {
    CHECK(cuInit(0) == 0);
    CHECK(cuDevicePrimaryCtxRetain(&context, 0) == 0);
    CHECK(cuCtxPushCurrent_v2(context) == 0);
  }
  ~Scene() {
    CHECK(cuCtxPopCurrent_v2(nullptr) == 0);
    CHECK(cuDevicePrimaryCtxRelease_v2(0) == 0);
  }
  int64_t newDamage() const { return fake_cuda_damage() - damage; }
  int64_t newLive() const { return fake_cuda_live() - live; }
};

TEST(nothingWorksBeforeInitOrWithoutAContext) {
  without("FAKE_CUDA_FAIL_AT");
  int count = -1;
  uint64_t address;
  CHECK(cuDeviceGetCount(&count) == 3);
  CHECK(cuInit(0) == 0);
  CHECK(cuDeviceGetCount(&count) == 0 && count == 1);
  CHECK(cuMemAlloc_v2(&address, 16) == 201);
}

TEST(whatIsFreedIsNotAlive) {
  Scene scene;
  uint64_t address;
  void *pinned, *stream, *event;
  CHECK(cuMemAlloc_v2(&address, 1000) == 0 && address % 256 == 0);
  CHECK(cuMemHostAlloc(&pinned, 1000, 0) == 0);
  CHECK(cuStreamCreate(&stream, 1) == 0);
  CHECK(cuEventCreate(&event, 2) == 0);
  CHECK(scene.newLive() == 5);
  CHECK(cuMemFree_v2(address) == 0 && cuMemFreeHost(pinned) == 0);
  CHECK(cuStreamDestroy_v2(stream) == 0 && cuEventDestroy_v2(event) == 0);
  CHECK(scene.newLive() == 1 && scene.newDamage() == 0);
}

TEST(wrongHandlesAreErrors) {
  Scene scene;
  uint64_t address;
  void* stream;
  CHECK(cuMemAlloc_v2(&address, 64) == 0);
  CHECK(cuMemFree_v2(address + 1) == 1);
  CHECK(cuMemFree_v2(address) == 0);
  CHECK(cuMemFree_v2(address) == 1);
  CHECK(cuMemsetD32Async(address, 0, 1, nullptr) == 1);
  CHECK(cuStreamCreate(&stream, 0) == 0);
  CHECK(cuStreamDestroy_v2(stream) == 0);
  CHECK(cuStreamSynchronize(stream) == 400);
  CHECK(cuStreamDestroy_v2(stream) == 400);
  CHECK(cuModuleLoadData(&stream, "\x01no image") == 200);
  CHECK(scene.newDamage() == 3);
}

#if !defined(__SANITIZE_ADDRESS__)  // which would end the process there
TEST(writesOutsideABlockAreNoticed) {
  Scene scene;
  uint64_t address;
  CHECK(cuMemAlloc_v2(&address, 6) == 0);
  reinterpret_cast<volatile char*>(address)[6] = 1;
  CHECK(cuMemFree_v2(address) == 0);
  CHECK(scene.newDamage() == 1);
  CHECK(cuMemAlloc_v2(&address, 6) == 0);
  reinterpret_cast<volatile char*>(address)[-1] = 1;
  CHECK(cuMemFree_v2(address) == 0);
  CHECK(scene.newDamage() == 2);
}
#endif

TEST(aContextThatGoesTellsWhatWasLeftBehind) {
  const int64_t live = fake_cuda_live(), damage = fake_cuda_damage();
  {
    Scene scene;
    uint64_t address;
    void* event;
    CHECK(cuMemAlloc_v2(&address, 16) == 0 && cuEventCreate(&event, 0) == 0);
  }
  CHECK(fake_cuda_damage() - damage == 2);
  CHECK(fake_cuda_live() - live == 2);
}

TEST(streamsRunLaterInOrderAndWaitForEvents) {
  setenv("FAKE_CUDA_DELAY", "20000", 1);
  without("FAKE_CUDA_FAIL_AT");
  Scene scene;
  uint64_t address;
  void *first, *second, *event, *pinned;
  constexpr unsigned kCount = 1024;
  CHECK(cuMemAlloc_v2(&address, kCount * 4) == 0);
  CHECK(cuMemHostAlloc(&pinned, kCount * 4, 0) == 0);
  CHECK(cuStreamCreate(&first, 1) == 0 && cuStreamCreate(&second, 1) == 0 && cuEventCreate(&event, 2) == 0);
  const unsigned* seen = static_cast<unsigned*>(pinned);
  CHECK(cuMemsetD32Async(address, 7, kCount, first) == 0);
  CHECK(cuMemsetD32Async(address, 8, kCount, first) == 0);
  CHECK(cuEventRecord(event, first) == 0);
  CHECK(cuStreamWaitEvent(second, event, 0) == 0);
  CHECK(cuMemcpyDtoHAsync_v2(pinned, address, kCount * 4, second) == 0);
#if !defined(__SANITIZE_THREAD__)  // which would report this look before the time
  CHECK(seen[0] == 0xcacacaca);
#endif
  CHECK(cuStreamSynchronize(second) == 0);
  CHECK(seen[0] == 8 && seen[kCount - 1] == 8);
  CHECK(cuStreamDestroy_v2(first) == 0 && cuStreamDestroy_v2(second) == 0 && cuEventDestroy_v2(event) == 0);
  CHECK(cuMemFree_v2(address) == 0 && cuMemFreeHost(pinned) == 0);
  unsetenv("FAKE_CUDA_DELAY");
  CHECK(scene.newDamage() == 0);
}

TEST(callsFailWhenTold) {
  without("FAKE_CUDA_DELAY");
  Scene* scene = new Scene;
  const int64_t calls = fake_cuda_calls();
  setenv("FAKE_CUDA_FAIL_CODE", "719", 1);
  with("FAKE_CUDA_FAIL_AT", "2");
  CHECK(cuInit(0) == 0);
  uint64_t address, other;
  CHECK(cuMemAlloc_v2(&address, 16) == 0);
  CHECK(cuMemAlloc_v2(&other, 16) == 719);
  CHECK(cuMemAlloc_v2(&other, 16) == 0);
  CHECK(fake_cuda_calls() == 3 && fake_cuda_injected() == 1 && calls == 2);
  // What frees has freed, also when it fails.
  setenv("FAKE_CUDA_FAIL_FOREVER", "1", 1);
  with("FAKE_CUDA_FAIL_AT", "cuMemFree_v2:1");
  CHECK(cuInit(0) == 0);
  CHECK(cuMemFree_v2(address) == 719 && cuMemFree_v2(other) == 719);
  CHECK(scene->newLive() == 1 && scene->newDamage() == 0);
  unsetenv("FAKE_CUDA_FAIL_CODE");
  unsetenv("FAKE_CUDA_FAIL_FOREVER");
  without("FAKE_CUDA_FAIL_AT");
  CHECK(cuInit(0) == 0);
  delete scene;
}

TEST(memoryEnds) {
  with("FAKE_CUDA_MEMORY", "4096");
  Scene scene;
  uint64_t address, other;
  CHECK(cuMemAlloc_v2(&address, 4000) == 0);
  CHECK(cuMemAlloc_v2(&other, 100) == 2);
  CHECK(cuMemFree_v2(address) == 0);
  CHECK(cuMemAlloc_v2(&address, 4097) == 2);
  unsetenv("FAKE_CUDA_MEMORY");
}

TEST(devicesHide) {
  setenv("FAKE_CUDA_DEVICES", "3", 1);
  with("CUDA_VISIBLE_DEVICES", "2,0");
  int count = 0;
  CHECK(cuInit(0) == 0 && cuDeviceGetCount(&count) == 0 && count == 2);
  with("CUDA_VISIBLE_DEVICES", "");
  CHECK(cuInit(0) == 100);
  unsetenv("FAKE_CUDA_DEVICES");
  without("CUDA_VISIBLE_DEVICES");
}

}  // namespace
