// A libcublas.so.13 for tests: what cuSOLVER brings along and what its version is asked with.
extern "C" __attribute__((visibility("default"))) int cublasGetProperty(int property, int* value) {
  constexpr int kVersion[] = {13, 1, 2};
  if (property < 0 || property > 2) return 7;  // CUBLAS_STATUS_INVALID_VALUE
  *value = kVersion[property];
  return 0;
}
