"""Runs the oracle tests and ends with one plain line: N passed, N failed.

Arguments are names of test modules (default: all). Nothing is ever skipped: what cannot be compared is a failure.
"""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
# The comparison must not depend on a model hub being there.
os.environ["HF_HUB_OFFLINE"] = "1"


class Result(unittest.TextTestResult):
    """Counts what succeeded; the base class only counts what started."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main() -> int:
    sys.path.insert(0, HERE)
    names = sys.argv[1:] or sorted(f[:-3] for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py"))
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, resultclass=Result).run(suite)
    # A test that was skipped was not run. Failures are listed per subtest, so tests are told apart by name.
    bad = [case for case, _ in result.failures + result.errors + result.skipped] + result.unexpectedSuccesses
    failed = len({getattr(case, "test_case", case).id() for case in bad})
    print(f"{result.passed} passed, {failed} failed")
    return 0 if failed == 0 and result.passed > 0 else 1  # an empty run proves nothing


if __name__ == "__main__":
    sys.exit(main())
