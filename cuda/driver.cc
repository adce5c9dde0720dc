#include "cuda/driver.h"

#include <memory>
#include <mutex>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#if defined(__GLIBC__)
#include <link.h>
#endif
#endif

namespace isometry::cuda {
namespace {

#if defined(_WIN32)
constexpr const char* kDriverLibrary = "nvcuda.dll";
#else
constexpr const char* kDriverLibrary = "libcuda.so.1";
#endif

// No destructor runs at exit, when other threads may still call the driver.
std::mutex driverMutex;
const Driver* openedDriver = nullptr;

// The names of functions in `table` that the library lacks.
std::string lookUp(const Library& library, Driver& table) {
  std::string missing;
#define ISOMETRY_CUDA_LOOK_UP(name, symbol, parameters)                             \
  table.name = reinterpret_cast<decltype(table.name)>(findSymbol(library, symbol)); \
  if (table.name == nullptr) missing += missing.empty() ? symbol : ", " symbol;
  ISOMETRY_CUDA_FUNCTIONS(ISOMETRY_CUDA_LOOK_UP)
#undef ISOMETRY_CUDA_LOOK_UP
  return missing;
}

}  // namespace

const Driver* driver(std::string* whyNot, bool* incomplete) {
  std::lock_guard<std::mutex> lock(driverMutex);
  if (incomplete != nullptr) *incomplete = false;
  if (openedDriver != nullptr) return openedDriver;
  Library library;
  if (!openLibrary(kDriverLibrary, false, &library, whyNot)) return nullptr;
  auto table = std::make_unique<Driver>();
  const std::string missing = lookUp(library, *table);
  if (!missing.empty()) {
    *whyNot = library.path + " lacks " + missing;
    if (incomplete != nullptr) *incomplete = true;
    closeLibrary(&library);
    return nullptr;
  }
  table->path = library.path;
  openedDriver = table.release();
  return openedDriver;
}

std::string describe(const Driver& driver, Result result) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (driver.GetErrorName(result, &name) != kSuccess || name == nullptr) name = "CUDA error";
  if (driver.GetErrorString(result, &text) != kSuccess || text == nullptr) text = "unknown to this driver";
  return std::string(name) + " (" + std::to_string(result) + "): " + text;
}

// The codes of which cuda.h says that the process must end, and those of a context or driver that is gone.
bool isSticky(Result result) {
  switch (result) {
    case 4:    // DEINITIALIZED
    case 214:  // ECC_UNCORRECTABLE
    case 220:  // NVLINK_UNCORRECTABLE
    case 226:  // CONTAINED
    case 700:  // ILLEGAL_ADDRESS
    case 702:  // LAUNCH_TIMEOUT
    case 709:  // CONTEXT_IS_DESTROYED
    case 710:  // ASSERT
    case 714:  // HARDWARE_STACK_ERROR
    case 715:  // ILLEGAL_INSTRUCTION
    case 716:  // MISALIGNED_ADDRESS
    case 717:  // INVALID_ADDRESS_SPACE
    case 718:  // INVALID_PC
    case 719:  // LAUNCH_FAILED
    case 721:  // TENSOR_MEMORY_LEAK
    case 810:  // MPS_CLIENT_TERMINATED
    case 911:  // EXTERNAL_DEVICE
      return true;
    default:
      return false;
  }
}

#if defined(_WIN32)

bool openLibrary(const std::string& name, bool onlyIfLoaded, Library* library, std::string* whyNot) {
  HMODULE handle = nullptr;
  const bool path = name.find_first_of("/\\") != std::string::npos;
  if (onlyIfLoaded) {
    GetModuleHandleExA(0, name.c_str(), &handle);  // counts as one more opening, as LoadLibrary does
  } else {
    // A bare name is looked for in the system's folders and this program's, never in the current one.
    handle = LoadLibraryExA(name.c_str(), nullptr,
                            path ? LOAD_WITH_ALTERED_SEARCH_PATH : LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  }
  if (handle == nullptr) {
    *whyNot = name + ": Windows error " + std::to_string(GetLastError());
    return false;
  }
  char found[MAX_PATH];
  const DWORD length = GetModuleFileNameA(handle, found, MAX_PATH);
  library->handle = reinterpret_cast<void*>(handle);
  library->path = length > 0 && length < MAX_PATH ? std::string(found, length) : name;
  return true;
}

void* findSymbol(const Library& library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library.handle), name));
}

void closeLibrary(Library* library) {
  if (library->handle != nullptr) FreeLibrary(reinterpret_cast<HMODULE>(library->handle));
  *library = {};
}

#else

bool openLibrary(const std::string& name, bool onlyIfLoaded, Library* library, std::string* whyNot) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | (onlyIfLoaded ? RTLD_NOLOAD : 0));
  if (handle == nullptr) {
    const char* reason = dlerror();  // none when it is only not loaded
    *whyNot = reason != nullptr ? reason : name + " is not loaded";
    return false;
  }
  library->handle = handle;
  library->path = name;
#if defined(__GLIBC__)
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name != nullptr &&
      *map->l_name != '\0') {
    library->path = map->l_name;
  }
#endif
  return true;
}

void* findSymbol(const Library& library, const char* name) { return dlsym(library.handle, name); }

void closeLibrary(Library* library) {
  if (library->handle != nullptr) dlclose(library->handle);
  *library = {};
}

#endif

}  // namespace isometry::cuda
