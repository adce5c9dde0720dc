// Tests of cuda/ on the fake driver: its settings for one test, and what it has to say at the end.
#ifndef ISOMETRY_TEST_NATIVE_CUDA_FAKE_H_
#define ISOMETRY_TEST_NATIVE_CUDA_FAKE_H_

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "fake_cuda/fake_cuda.h"

namespace isometry::test {

// Sets variables of the environment, which the fake then reads again, and undoes it at the end. While it
// lives, or before, no device may be open.
class Fake {
 public:
  using Settings = std::initializer_list<std::pair<std::string, std::string>>;
  Fake(Settings settings = {}) : settings_(settings) {
    for (const auto& [name, value] : settings_) setenv(name.c_str(), value.c_str(), 1);
    fake_cuda_reload();
    live_ = fake_cuda_live();
    damage_ = fake_cuda_damage();
  }
  ~Fake() {
    for (const auto& [name, value] : settings_) unsetenv(name.c_str());
    fake_cuda_reload();
  }
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

  // Objects more than when this began, and things done wrong since.
  long leaked() const { return static_cast<long>(fake_cuda_live() - live_); }
  long damage() const { return static_cast<long>(fake_cuda_damage() - damage_); }

 private:
  const std::vector<std::pair<std::string, std::string>> settings_;
  int64_t live_ = 0, damage_ = 0;
};

}  // namespace isometry::test

#endif  // ISOMETRY_TEST_NATIVE_CUDA_FAKE_H_
