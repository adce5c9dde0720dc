#include <string>

#include "check.h"
#include "cuda/driver.h"
#include "cuda_fake.h"

namespace isometry::cuda {
namespace {

TEST(theDriverIsOpenedOnce) {
  std::string whyNot;
  const Driver* first = driver(&whyNot);
  CHECK(first != nullptr && whyNot.empty());
  CHECK(first == driver(&whyNot));
  CHECK(first->path.find("libcuda.so.1") != std::string::npos);
  CHECK(first->IpcGetMemHandle != nullptr);
}

TEST(errorsAreNamed) {
  std::string whyNot;
  const Driver* opened = driver(&whyNot);
  CHECK(describe(*opened, 700).rfind("CUDA_ERROR_ILLEGAL_ADDRESS (700): ", 0) == 0);
  CHECK(describe(*opened, 123456) == "CUDA error (123456): unknown to this driver");
  CHECK(isSticky(700) && isSticky(719));
  CHECK(!isSticky(kSuccess) && !isSticky(kErrorOutOfMemory) && !isSticky(kErrorInvalidValue));
}

TEST(librariesAreOpenedByNameOrNotAtAll) {
  Library library;
  std::string whyNot;
  CHECK(!openLibrary("libisometry-no-such.so.7", false, &library, &whyNot));
  CHECK(library.handle == nullptr && whyNot.find("libisometry-no-such.so.7") != std::string::npos);
  CHECK(!openLibrary("libisometry-no-such.so.7", true, &library, &whyNot));
  CHECK(whyNot.find("libisometry-no-such.so.7") != std::string::npos);

  CHECK(openLibrary("libm.so.6", true, &library, &whyNot));  // this program has it
  CHECK(library.path.find('/') != std::string::npos);
  CHECK(findSymbol(library, "cos") != nullptr);
  CHECK(findSymbol(library, "noSuchFunction") == nullptr);
  closeLibrary(&library);
  CHECK(library.handle == nullptr && library.path.empty());
  closeLibrary(&library);
}

}  // namespace
}  // namespace isometry::cuda
