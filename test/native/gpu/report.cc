#include "test/native/gpu/report.h"

#include <chrono>
#include <cmath>
#include <cstdarg>

namespace isometry::gpu {
namespace {

constexpr uint64_t kPrintedFailures = 20;  // of one stage

}  // namespace

std::string format(const char* pattern, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  return buffer;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Json::key(const char* name) {
  if (!body_.empty()) body_ += ", ";
  body_ += '"';
  body_ += name;
  body_ += "\": ";
}

Json& Json::text(const char* name, const std::string& value) {
  key(name);
  body_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') body_ += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      body_ += format("\\u%04x", c);
    } else {
      body_ += c;
    }
  }
  body_ += '"';
  return *this;
}

Json& Json::number(const char* name, double value) {
  key(name);
  body_ += std::isfinite(value) ? format("%.6g", value) : "null";
  return *this;
}

Json& Json::whole(const char* name, uint64_t value) {
  key(name);
  body_ += std::to_string(value);
  return *this;
}

Json& Json::flag(const char* name, bool value) {
  key(name);
  body_ += value ? "true" : "false";
  return *this;
}

Report::Report(const std::string& path) {
  if (path.empty()) return;
  file_ = std::fopen(path.c_str(), "w");
  if (file_ == nullptr) std::perror(path.c_str());
}

Report::~Report() {
  if (file_ != nullptr) std::fclose(file_);
}

void Report::beginStage(const std::string& name) {
  endStage();
  stages_.push_back({});
  stages_.back().name = name;
  stages_.back().began = seconds();
  say("\n== " + name);
}

void Report::endStage() {
  if (stages_.empty() || stages_.back().seconds > 0) return;
  Stage& stage = stages_.back();
  stage.seconds = seconds() - stage.began;
  json(Json()
           .text("kind", "stage")
           .text("stage", stage.name)
           .whole("checks", stage.checks)
           .whole("failures", stage.failures)
           .whole("skips", stage.skips)
           .number("seconds", stage.seconds));
}

void Report::check(bool ok, const std::string& what) {
  Stage& stage = stages_.back();
  ++stage.checks;
  if (ok) return;
  if (++stage.failures <= kPrintedFailures) {
    say("FAILED " + what);
    json(Json().text("kind", "failure").text("stage", stage.name).text("what", what));
  }
}

void Report::skip(const std::string& what, const std::string& why) {
  ++stages_.back().skips;
  say("skipped " + what + ": " + why);
  json(Json().text("kind", "skip").text("stage", stages_.back().name).text("what", what).text("why", why));
}

void Report::json(Json line) {
  if (file_ == nullptr) return;
  std::fprintf(file_, "%s\n", line.line().c_str());
  std::fflush(file_);
}

void Report::say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

uint64_t Report::summary() {
  endStage();
  uint64_t failures = 0;
  say("\n== summary");
  for (const Stage& stage : stages_) {
    failures += stage.failures;
    say(format("%-10s %9llu checks, %llu failed, %llu skipped, %.1f s", stage.name.c_str(),
               static_cast<unsigned long long>(stage.checks), static_cast<unsigned long long>(stage.failures),
               static_cast<unsigned long long>(stage.skips), stage.seconds));
  }
  return failures;
}

}  // namespace isometry::gpu
