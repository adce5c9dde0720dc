#include "check.h"

int main() {
  using namespace isometry::test;
  int count = 0;
  for (Test* test = first; test != nullptr; test = test->next) {
    const int before = failures;
    test->body();
    std::printf("%s %s\n", failures == before ? "ok" : "FAILED", test->name);
    count++;
  }
  std::printf("%d tests, %d failed checks\n", count, failures);
  return failures == 0 && count > 0 ? 0 : 1;
}
