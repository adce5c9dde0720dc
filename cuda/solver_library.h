// cuSOLVER, opened at run time: only a QR factorization on a GPU needs it. The types and numbers of its
// interface that we use are declared here; they are those of cusolverDn.h 12.0 (and of 11), and
// test/native/solver_header_test.cc compares them with it where it is installed.
#ifndef ISOMETRY_CUDA_SOLVER_LIBRARY_H_
#define ISOMETRY_CUDA_SOLVER_LIBRARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/driver.h"

namespace isometry::cuda {

using SolverHandle = struct SolverHandleObject*;  // cusolverDnHandle_t
using SolverParams = struct SolverParamsObject*;  // cusolverDnParams_t
using SolverStatus = int;                         // cusolverStatus_t

// cusolverStatus_t
inline constexpr SolverStatus kSolverSuccess = 0;
inline constexpr SolverStatus kSolverNotInitialized = 1;
inline constexpr SolverStatus kSolverAllocFailed = 2;
inline constexpr SolverStatus kSolverArchMismatch = 4;

// cudaDataType
inline constexpr int kReal32 = 0;
inline constexpr int kReal64 = 1;

// X(name of the member, symbol, parameters). orgqr has no 64-bit form.
#define ISOMETRY_CUDA_SOLVER_FUNCTIONS(X)                                                                    \
  X(GetProperty, "cusolverGetProperty", (int property, int* value))                                          \
  X(Create, "cusolverDnCreate", (SolverHandle * handle))                                                     \
  X(Destroy, "cusolverDnDestroy", (SolverHandle handle))                                                     \
  X(SetStream, "cusolverDnSetStream", (SolverHandle handle, Stream stream))                                  \
  X(CreateParams, "cusolverDnCreateParams", (SolverParams * params))                                         \
  X(DestroyParams, "cusolverDnDestroyParams", (SolverParams params))                                         \
  X(XgeqrfBufferSize, "cusolverDnXgeqrf_bufferSize",                                                         \
    (SolverHandle handle, SolverParams params, int64_t rows, int64_t cols, int matrixType,                   \
     const void* matrix, int64_t stride, int tausType, const void* taus, int computeType,                    \
     size_t* deviceBytes, size_t* hostBytes))                                                                \
  X(Xgeqrf, "cusolverDnXgeqrf",                                                                              \
    (SolverHandle handle, SolverParams params, int64_t rows, int64_t cols, int matrixType, void* matrix,     \
     int64_t stride, int tausType, void* taus, int computeType, void* deviceBuffer, size_t deviceBytes,      \
     void* hostBuffer, size_t hostBytes, int* info))                                                         \
  X(SorgqrBufferSize, "cusolverDnSorgqr_bufferSize",                                                         \
    (SolverHandle handle, int rows, int cols, int reflections, const float* matrix, int stride,              \
     const float* taus, int* elements))                                                                      \
  X(Sorgqr, "cusolverDnSorgqr",                                                                              \
    (SolverHandle handle, int rows, int cols, int reflections, float* matrix, int stride, const float* taus, \
     float* buffer, int elements, int* info))                                                                \
  X(DorgqrBufferSize, "cusolverDnDorgqr_bufferSize",                                                         \
    (SolverHandle handle, int rows, int cols, int reflections, const double* matrix, int stride,             \
     const double* taus, int* elements))                                                                     \
  X(Dorgqr, "cusolverDnDorgqr",                                                                              \
    (SolverHandle handle, int rows, int cols, int reflections, double* matrix, int stride,                   \
     const double* taus, double* buffer, int elements, int* info))

// Its functions, under their names without the prefix.
struct SolverLibrary {
#define ISOMETRY_CUDA_SOLVER_MEMBER(name, symbol, parameters) SolverStatus(*name) parameters = nullptr;
  ISOMETRY_CUDA_SOLVER_FUNCTIONS(ISOMETRY_CUDA_SOLVER_MEMBER)
#undef ISOMETRY_CUDA_SOLVER_MEMBER
  std::string path;     // as the system found it
  std::string version;  // "12.0.4"
};

// The library, opened at the first call that finds it and never closed. `folders` are looked through in their
// order; "" stands for what this process has loaded already and then for where the system looks. Null, and
// why, when there is none that can be used; the next call then looks again.
const SolverLibrary* solverLibrary(const std::vector<std::string>& folders, std::string* whyNot);

// What is there of the libraries, for people.
struct LibraryReport {
  std::string name, path, version;
  std::string reason;  // why it cannot be used; empty when it can
};
std::vector<LibraryReport> libraryReports(const std::vector<std::string>& folders);

// "CUSOLVER_STATUS_ALLOC_FAILED (2)"
std::string describeSolver(SolverStatus status);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_SOLVER_LIBRARY_H_
