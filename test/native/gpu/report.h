// What the suite says: one JSON object per line for programs, checks counted, and lines for people.
#ifndef ISOMETRY_TEST_NATIVE_GPU_REPORT_H_
#define ISOMETRY_TEST_NATIVE_GPU_REPORT_H_

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace isometry::gpu {

// One flat JSON object.
class Json {
 public:
  Json& text(const char* key, const std::string& value);
  Json& number(const char* key, double value);  // null where not finite
  Json& whole(const char* key, uint64_t value);
  Json& flag(const char* key, bool value);
  std::string line() const { return body_.empty() ? "{}" : "{" + body_ + "}"; }

 private:
  void key(const char* name);
  std::string body_;
};

class Report {
 public:
  // `path` may be empty: then only people read it.
  explicit Report(const std::string& path);
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void beginStage(const std::string& name);
  // A check that may fail. At most a few failures of a stage are printed; all are counted.
  void check(bool ok, const std::string& what);
  // What was not looked at, and why: never silently.
  void skip(const std::string& what, const std::string& why);
  void json(Json line);
  void say(const std::string& line);
  // The last word: every stage with its counts. The number of failed checks.
  uint64_t summary();

 private:
  struct Stage {
    std::string name;
    uint64_t checks = 0, failures = 0, skips = 0;
    double began = 0, seconds = 0;
  };
  void endStage();
  std::FILE* file_ = nullptr;
  std::vector<Stage> stages_;
};

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// Seconds of a clock that only goes forward.
double seconds();

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_REPORT_H_
