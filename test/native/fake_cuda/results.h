// The driver's result codes that this fake gives: names and numbers as in cuda.h of CUDA 13.
#ifndef ISOMETRY_TEST_FAKE_CUDA_RESULTS_H_
#define ISOMETRY_TEST_FAKE_CUDA_RESULTS_H_

namespace fake_cuda {

enum Result : int {
  kOk = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kContextIsDestroyed = 709,
  kLaunchFailed = 719,
  kUnknown = 999,
};

// "CUDA_ERROR_OUT_OF_MEMORY"; null for a number that is no result code.
const char* resultName(int result);

// A sentence, in the driver's style.
const char* resultText(int result);

}  // namespace fake_cuda

#endif  // ISOMETRY_TEST_FAKE_CUDA_RESULTS_H_
