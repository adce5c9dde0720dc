// The least a test needs: a check that says where it failed, and a list of tests.
#ifndef ISOMETRY_TEST_NATIVE_CHECK_H_
#define ISOMETRY_TEST_NATIVE_CHECK_H_

#include <cstdio>

namespace isometry::test {

inline int failures = 0;

struct Test {
  const char* name;
  void (*body)();
  Test* next;
  Test(const char* name, void (*body)());
};

inline Test* first = nullptr;
inline Test::Test(const char* name_, void (*body_)()) : name(name_), body(body_), next(first) {
  first = this;
}

}  // namespace isometry::test

#define TEST(name)                                              \
  static void name();                                           \
  static ::isometry::test::Test registered_##name(#name, name); \
  static void name()

#define CHECK(condition)                                                 \
  do {                                                                   \
    if (!(condition)) {                                                  \
      std::printf("%s:%d: FAILED %s\n", __FILE__, __LINE__, #condition); \
      ::isometry::test::failures++;                                      \
    }                                                                    \
  } while (0)

#endif  // ISOMETRY_TEST_NATIVE_CHECK_H_
