// A libcuda.so.1 of long ago, which lacks most of what our code looks up.
extern "C" {

__attribute__((visibility("default"))) int cuInit(unsigned) { return 0; }

__attribute__((visibility("default"))) int cuDriverGetVersion(int* version) {
  *version = 11000;
  return 0;
}
}
