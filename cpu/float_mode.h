// Our arithmetic is defined under IEEE defaults: round to nearest even, subnormals kept. Another addon, or a
// thread that inherited its creator's control register, may have changed that.
#ifndef ISOMETRY_CPU_FLOAT_MODE_H_
#define ISOMETRY_CPU_FLOAT_MODE_H_

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace isometry::cpu {

// Sets the defaults for the calling thread, and puts back what was there when it goes out of scope.
class FloatMode {
 public:
  FloatMode() : saved_(read()) { write(kDefault); }
  ~FloatMode() { write(saved_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
#if defined(__x86_64__) || defined(_M_X64)
  using Register = uint32_t;
  static constexpr Register kDefault = 0x1F80;  // MXCSR: all exceptions masked, nearest, no FTZ, no DAZ
  static Register read() { return _mm_getcsr(); }
  static void write(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = uint64_t;
  static constexpr Register kDefault = 0;  // FPCR: no traps, nearest, no FZ, no FZ16
  static Register read() {
    Register value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(Register value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Register = int;
  static constexpr Register kDefault = 0;
  static Register read() { return 0; }
  static void write(Register) {}
#endif
  Register saved_;
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FLOAT_MODE_H_
