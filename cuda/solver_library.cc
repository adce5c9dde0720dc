#include "cuda/solver_library.h"

#include <filesystem>
#include <memory>
#include <mutex>

namespace isometry::cuda {
namespace {

#if defined(_WIN32)
constexpr const char* kSolverNames[] = {"cusolver64_12.dll", "cusolver64_11.dll"};
constexpr const char* kBlasNames[] = {"cublas64_13.dll", "cublas64_12.dll"};
#else
// Of CUDA 13 and of CUDA 12.
constexpr const char* kSolverNames[] = {"libcusolver.so.12", "libcusolver.so.11"};
constexpr const char* kBlasNames[] = {"libcublas.so.13", "libcublas.so.12"};
#endif

// The first with the 64-bit interface.
constexpr int kOldestMajor = 11;

// No destructor runs at exit.
std::mutex solverMutex;
const SolverLibrary* openedSolver = nullptr;

// libraryPropertyType is MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL. Empty when the library does not say.
std::string versionOf(int (*getProperty)(int property, int* value), int* major) {
  int numbers[3] = {};
  for (int property = 0; property < 3; property++) {
    if (getProperty == nullptr || getProperty(property, &numbers[property]) != 0) return "";
  }
  *major = numbers[0];
  return std::to_string(numbers[0]) + "." + std::to_string(numbers[1]) + "." + std::to_string(numbers[2]);
}

// Why the library cannot be used; empty when it can.
std::string fillTable(const Library& library, SolverLibrary* table) {
  std::string missing;
#define ISOMETRY_CUDA_LOOK_UP(name, symbol, parameters)                               \
  table->name = reinterpret_cast<decltype(table->name)>(findSymbol(library, symbol)); \
  if (table->name == nullptr) missing += missing.empty() ? symbol : ", " symbol;
  ISOMETRY_CUDA_SOLVER_FUNCTIONS(ISOMETRY_CUDA_LOOK_UP)
#undef ISOMETRY_CUDA_LOOK_UP
  if (!missing.empty()) return "it lacks " + missing;
  int major = 0;
  table->version = versionOf(table->GetProperty, &major);
  if (major >= kOldestMajor) return "";
  return "it is version " + (table->version.empty() ? "unknown" : table->version) + ", and " +
         std::to_string(kOldestMajor) + " or newer is needed";
}

// Collects what is wrong with each candidate that is there at all.
class Search {
 public:
  // A path, or a bare name.
  bool take(const std::string& name, bool onlyIfLoaded, bool expected) {
    Library library;
    std::string reason;
    if (!openLibrary(name, onlyIfLoaded, &library, &reason)) {
      if (expected) add(reason);
      return false;
    }
    auto table = std::make_unique<SolverLibrary>();
    table->path = library.path;
    reason = fillTable(library, table.get());
    if (reason.empty()) {
      openedSolver = table.release();
      return true;
    }
    add(library.path + ": " + reason);
    closeLibrary(&library);
    return false;
  }

  bool look(const std::string& folder) {
    if (folder.empty()) {
      for (const char* name : kSolverNames) {
        if (take(name, true, false)) return true;
      }
      for (const char* name : kSolverNames) {
        if (take(name, false, false)) return true;
      }
      return false;
    }
    for (const char* name : kSolverNames) {
      const std::filesystem::path path = std::filesystem::path(folder) / name;
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored) && take(path.string(), false, true)) return true;
    }
    return false;
  }

  const std::string& problems() const { return problems_; }

 private:
  void add(const std::string& problem) { problems_ += "; " + problem; }
  std::string problems_;
};

std::string notFound(const std::vector<std::string>& folders, const std::string& problems) {
  std::string text = std::string("cuSOLVER (") + kSolverNames[0] + " or " + kSolverNames[1] +
                     ") was not found where it can be used. Looked ";
  for (size_t i = 0; i < folders.size(); i++) {
    if (i > 0) text += ", ";
    text += folders[i].empty() ? "where the system looks" : "in " + folders[i];
  }
  return text + problems +
         ". Install it, as with pip install nvidia-cusolver, or set ISOMETRY_CUDA_LIB_DIR to its folder";
}

}  // namespace

const SolverLibrary* solverLibrary(const std::vector<std::string>& folders, std::string* whyNot) {
  std::lock_guard<std::mutex> lock(solverMutex);
  if (openedSolver != nullptr) return openedSolver;
  Search search;
  for (const std::string& folder : folders) {
    if (search.look(folder)) return openedSolver;
  }
  *whyNot = notFound(folders, search.problems());
  return nullptr;
}

std::vector<LibraryReport> libraryReports(const std::vector<std::string>& folders) {
  LibraryReport solver{"cuSOLVER", "", "", ""};
  LibraryReport blas{"cuBLAS", "", "", "cuSOLVER brings it, and there is none"};
  const SolverLibrary* library = solverLibrary(folders, &solver.reason);
  if (library == nullptr) return {solver, blas};
  solver.path = library->path;
  solver.version = library->version;
  blas.reason = "cuSOLVER has not loaded it";
  for (const char* name : kBlasNames) {
    Library found;
    std::string ignored;
    if (!openLibrary(name, true, &found, &ignored)) continue;
    int major = 0;
    const auto getProperty = reinterpret_cast<int (*)(int, int*)>(findSymbol(found, "cublasGetProperty"));
    blas = {"cuBLAS", found.path, versionOf(getProperty, &major), ""};
    closeLibrary(&found);
    break;
  }
  return {solver, blas};
}

std::string describeSolver(SolverStatus status) {
  constexpr const char* kNames[] = {"SUCCESS",          "NOT_INITIALIZED", "ALLOC_FAILED",
                                    "INVALID_VALUE",    "ARCH_MISMATCH",   "MAPPING_ERROR",
                                    "EXECUTION_FAILED", "INTERNAL_ERROR",  "MATRIX_TYPE_NOT_SUPPORTED",
                                    "NOT_SUPPORTED"};
  constexpr int kCount = sizeof kNames / sizeof kNames[0];
  std::string text = status < 0 || status >= kCount ? std::string("an unknown status")
                                                    : std::string("CUSOLVER_STATUS_") + kNames[status];
  return text.append(" (").append(std::to_string(status)).append(")");
}

}  // namespace isometry::cuda
