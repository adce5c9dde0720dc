// A libcusolver.so.12 for tests: the functions that cuda/solver_library.h names, by Householder's algorithm
// on the host. Compiled once more without the 64-bit interface, as a library that is too old.
#include "fake_solver.h"

#include <dlfcn.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" int cublasGetProperty(int property, int* value);

namespace {

enum Status { kOk = 0, kNotInitialized = 1, kInvalidValue = 3, kExecutionFailed = 6 };

struct Object {
  bool params;
  void* stream = nullptr;
};

std::mutex mutex;
std::set<Object*> objects;
std::atomic<int64_t> calls{0}, injected{0}, damaged{0};

long setting(const char* name, long preset) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? preset : std::atol(text);
}

// What the call is to fail with, or kOk.
int begin(const char* function) {
  const int64_t number = ++calls;
  const char* failAt = std::getenv("FAKE_SOLVER_FAIL_AT");
  if (failAt == nullptr || (std::atoll(failAt) != number && std::strcmp(failAt, function) != 0)) return kOk;
  injected++;
  return static_cast<int>(setting("FAKE_SOLVER_FAIL_CODE", 7));
}

void damage(const char* what) {
  std::fprintf(stderr, "fake cuSOLVER: %s\n", what);
  damaged++;
}

Object* find(void* handle, bool params) {
  std::lock_guard<std::mutex> lock(mutex);
  const auto found = objects.find(static_cast<Object*>(handle));
  if (found != objects.end() && (*found)->params == params) return *found;
  damage("no such handle");
  return nullptr;
}

int create(const char* function, void** out, bool params) {
  const int failure = begin(function);
  if (failure != kOk) return failure;
  std::lock_guard<std::mutex> lock(mutex);
  *out = *objects.insert(new Object{params}).first;
  return kOk;
}

int destroy(void* handle, bool params) {
  Object* object = find(handle, params);
  if (object == nullptr) return kNotInitialized;
  std::lock_guard<std::mutex> lock(mutex);
  objects.erase(object);
  delete object;
  return kOk;
}

// What was queued before is done when this returns; so what is computed then is in the stream's order.
int wait(void* handle) {
  const Object* object = find(handle, false);
  if (object == nullptr) return kNotInitialized;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (driver == nullptr) return kNotInitialized;
  const auto synchronize = reinterpret_cast<int (*)(void*)>(dlsym(driver, "cuStreamSynchronize"));
  const int result = synchronize(object->stream);
  dlclose(driver);
  return result == 0 ? kOk : kExecutionFailed;
}

// The reflections below the diagonal, R on and above it, as LAPACK's geqr2.
template <class Real>
void factorize(Real* a, int64_t rows, int64_t cols, int64_t stride, Real* taus) {
  for (int64_t k = 0; k < cols; k++) {
    Real* v = a + k * stride;
    double below = 0;
    for (int64_t i = k + 1; i < rows; i++) below += static_cast<double>(v[i]) * v[i];
    if (below == 0) {
      taus[k] = 0;
      continue;
    }
    const double alpha = v[k];
    const double beta = -std::copysign(std::sqrt(alpha * alpha + below), alpha);
    taus[k] = static_cast<Real>((beta - alpha) / beta);
    for (int64_t i = k + 1; i < rows; i++) v[i] = static_cast<Real>(v[i] / (alpha - beta));
    v[k] = static_cast<Real>(beta);
    for (int64_t j = k + 1; j < cols; j++) {
      Real* c = a + j * stride;
      double sum = c[k];
      for (int64_t i = k + 1; i < rows; i++) sum += static_cast<double>(v[i]) * c[i];
      sum *= taus[k];
      c[k] = static_cast<Real>(c[k] - sum);
      for (int64_t i = k + 1; i < rows; i++) c[i] = static_cast<Real>(c[i] - sum * v[i]);
    }
  }
}

// Q of the reflections, as LAPACK's org2r.
template <class Real>
void form(Real* a, int64_t rows, int64_t cols, int64_t stride, const Real* taus) {
  for (int64_t k = cols - 1; k >= 0; k--) {
    std::vector<double> v(a + k * stride, a + k * stride + rows);
    v[k] = 1;
    for (int64_t j = k; j < cols; j++) {
      Real* c = a + j * stride;
      if (j == k) std::fill(c, c + rows, Real{0}), c[k] = 1;
      if (j > k) c[k] = 0;
      double sum = 0;
      for (int64_t i = k; i < rows; i++) sum += v[i] * c[i];
      sum *= taus[k];
      for (int64_t i = k; i < rows; i++) c[i] = static_cast<Real>(c[i] - sum * v[i]);
    }
  }
}

// Elements that orgqr asks for; not what geqrf does.
int elementsOf(int cols) { return 32 * cols + 7; }

template <class Real>
int orgqr(const char* function, void* handle, int rows, int cols, int reflections, Real* a, int stride,
          const Real* taus, Real* buffer, int elements, int* info) {
  int status = begin(function);
  if (status == kOk) status = wait(handle);
  if (status != kOk) return status;
  if (cols != reflections || rows < cols || stride < rows || elements < elementsOf(cols))
    return kInvalidValue;
  std::memset(buffer, 0x5c, static_cast<size_t>(elements) * sizeof(Real));
  form(a, rows, cols, stride, taus);
  *info = 0;
  return kOk;
}

}  // namespace

EXPORT int64_t fake_solver_live() {
  std::lock_guard<std::mutex> lock(mutex);
  return static_cast<int64_t>(objects.size());
}
EXPORT int64_t fake_solver_injected() { return injected; }
EXPORT int64_t fake_solver_damage() { return damaged; }
EXPORT void fake_solver_reload() { calls = injected = 0; }

EXPORT int cusolverGetProperty(int property, int* value) {
  int blas = 0;
  if (cublasGetProperty(0, &blas) != 0) return kInvalidValue;  // as the real one, this needs cuBLAS
  *value = property == 0 ? static_cast<int>(setting("FAKE_SOLVER_VERSION", 12)) : property == 1 ? 3 : 4;
  return kOk;
}

EXPORT int cusolverDnCreate(void** out) { return create("cusolverDnCreate", out, false); }
EXPORT int cusolverDnDestroy(void* handle) { return destroy(handle, false); }
EXPORT int cusolverDnCreateParams(void** out) { return create("cusolverDnCreateParams", out, true); }
EXPORT int cusolverDnDestroyParams(void* params) { return destroy(params, true); }

EXPORT int cusolverDnSetStream(void* handle, void* stream) {
  const int failure = begin("cusolverDnSetStream");
  if (failure != kOk) return failure;
  Object* object = find(handle, false);
  if (object == nullptr) return kNotInitialized;
  object->stream = stream;
  return kOk;
}

#if !defined(FAKE_SOLVER_OLD)
EXPORT int cusolverDnXgeqrf_bufferSize(void* handle, void* params, int64_t rows, int64_t cols, int type,
                                       const void*, int64_t stride, int tausType, const void*,
                                       int computeType, size_t* deviceBytes, size_t* hostBytes) {
  const int failure = begin("cusolverDnXgeqrf_bufferSize");
  if (failure != kOk) return failure;
  if (find(handle, false) == nullptr || find(params, true) == nullptr) return kNotInitialized;
  if (rows < cols || cols < 1 || stride < rows || type != tausType || type != computeType || type < 0 ||
      type > 1)
    return kInvalidValue;
  const long wanted = setting("FAKE_SOLVER_WORKSPACE", 0);
  *deviceBytes = wanted != 0 ? static_cast<size_t>(wanted) : 1001 + 8 * static_cast<size_t>(cols);
  *hostBytes = 333;
  return kOk;
}

EXPORT int cusolverDnXgeqrf(void* handle, void* params, int64_t rows, int64_t cols, int type, void* matrix,
                            int64_t stride, int, void* taus, int, void* deviceBuffer, size_t deviceBytes,
                            void* hostBuffer, size_t hostBytes, int* info) {
  int status = begin("cusolverDnXgeqrf");
  if (status == kOk && find(params, true) == nullptr) status = kNotInitialized;
  if (status == kOk) status = wait(handle);
  if (status != kOk) return status;
  if (hostBytes < 333 || deviceBytes < 1001 + 8 * static_cast<size_t>(cols)) return kInvalidValue;
  std::memset(deviceBuffer, 0x5c, deviceBytes);
  std::memset(hostBuffer, 0x5c, hostBytes);
  if (type == 0) {
    factorize(static_cast<float*>(matrix), rows, cols, stride, static_cast<float*>(taus));
  } else {
    factorize(static_cast<double*>(matrix), rows, cols, stride, static_cast<double*>(taus));
  }
  *info = static_cast<int>(setting("FAKE_SOLVER_INFO", 0));
  return kOk;
}
#endif

EXPORT int cusolverDnSorgqr_bufferSize(void* handle, int, int cols, int, const float*, int, const float*,
                                       int* elements) {
  const int failure = begin("cusolverDnSorgqr_bufferSize");
  if (failure != kOk) return failure;
  *elements = elementsOf(cols);
  return find(handle, false) == nullptr ? kNotInitialized : kOk;
}

EXPORT int cusolverDnDorgqr_bufferSize(void* handle, int, int cols, int, const double*, int, const double*,
                                       int* elements) {
  const int failure = begin("cusolverDnDorgqr_bufferSize");
  if (failure != kOk) return failure;
  *elements = elementsOf(cols);
  return find(handle, false) == nullptr ? kNotInitialized : kOk;
}

EXPORT int cusolverDnSorgqr(void* handle, int rows, int cols, int reflections, float* matrix, int stride,
                            const float* taus, float* buffer, int elements, int* info) {
  return orgqr("cusolverDnSorgqr", handle, rows, cols, reflections, matrix, stride, taus, buffer, elements,
               info);
}

EXPORT int cusolverDnDorgqr(void* handle, int rows, int cols, int reflections, double* matrix, int stride,
                            const double* taus, double* buffer, int elements, int* info) {
  return orgqr("cusolverDnDorgqr", handle, rows, cols, reflections, matrix, stride, taus, buffer, elements,
               info);
}
