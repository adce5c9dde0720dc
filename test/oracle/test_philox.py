"""The random words: cuRAND's host generator and ours are equal, word for word."""

import unittest

import numpy as np

import curand
import isometry

SEEDS = [0, 1, 42, 0x9E3779B9, 2**32 - 1, 2**32, 0xDEADBEEFCAFEF00D, 2**63, 2**64 - 1]
STREAMS = [0, 1, 2, 3, 255, 4096, 65534, 65535]

# First blocks; the second half of the counter begins at 2^32.
FIRST_BLOCKS = [0, 1, 1000, 2**31 - 2, 2**32 - 2, 2**32 + 5, 2**40 + 12345]
BLOCKS = 4


class Words(unittest.TestCase):
    def test_all_streams_of_the_host_generator_in_a_row(self):
        """Two whole rounds over the 65,536 subsequences and part of a third, in one call and from an odd offset."""
        for seed in (1, 0xDEADBEEFCAFEF00D):
            count = 2 * curand.ROUND + 1001
            theirs = curand.generate(seed, 3, count)
            for stream in (0, 1, 77, 65535):
                for n in (0, 1):
                    at = n * curand.ROUND + 4 * stream - 3
                    lower = max(at, 0)
                    expected = isometry.words(seed, stream, n, 1)[lower - at :]
                    np.testing.assert_array_equal(theirs[lower : at + 4], expected)

    def test_seeds_streams_and_offsets(self):
        for seed in SEEDS:
            for first in FIRST_BLOCKS:
                theirs = curand.rounds(seed, first, BLOCKS)
                for stream in STREAMS:
                    with self.subTest(seed=hex(seed), stream=stream, first=first):
                        ours = isometry.words(seed, stream, first, BLOCKS)
                        np.testing.assert_array_equal(ours, theirs[:, stream].ravel())

    def test_every_backend_draws_these_words(self):
        """Every backend's float64 uniform shows 53 of the 64 bits of a word pair, its float32 uniform 24 of 32."""
        unit = {"kind": "uniform", "low": 0, "range": 1}
        count = 1001  # not a multiple of any SIMD width
        for seed, stream, first in [(1, 0, 0), (2**64 - 1, 65535, 2**32 - 200), (0xDEADBEEFCAFEF00D, 513, 12345)]:
            theirs = curand.stream_words(seed, stream, first, (count + 3) // 4).astype(np.uint64)
            for device in isometry.devices():
                with self.subTest(device=device, seed=hex(seed), stream=stream, first=first):
                    floats = isometry.draw(device, seed, stream, unit, "float32", 4 * first, count)
                    np.testing.assert_array_equal(floats * np.float32(2**24), (theirs[:count] >> 8).astype(np.float32))

                    pairs = theirs.reshape(-1, 2)
                    doubles = isometry.draw(device, seed, stream, unit, "float64", 2 * first, len(pairs))
                    number = (pairs[:, 1] << np.uint64(21)) | (pairs[:, 0] >> np.uint64(11))
                    np.testing.assert_array_equal((doubles * 2.0**53).astype(np.uint64), number)

    def test_a_wrong_word_is_seen(self):
        """The comparison has power: one seed, one stream or one block off, and (almost) no word is equal."""
        theirs = curand.stream_words(42, 7, 3, BLOCKS)
        for seed, stream, first in [(43, 7, 3), (42 + 2**32, 7, 3), (42, 8, 3), (42, 7, 4), (42, 7 + 2**32, 3)]:
            ours = isometry.words(seed, stream, first, BLOCKS)
            self.assertLess(np.count_nonzero(ours == theirs), 2)


if __name__ == "__main__":
    unittest.main()
