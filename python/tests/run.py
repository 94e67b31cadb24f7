"""Runs the tests of this folder; python/check calls it. The last line is "N passed, N failed, N skipped"."""

import os
import sys
import tempfile
import unittest


def select(suite, words):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from select(test, words)
        elif not words or any(word in test.id() for word in words):
            yield test


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory(prefix="stent-test-") as home:
        os.environ["XDG_DATA_HOME"] = home  # records and plans of the tests are not the user's
        os.environ.setdefault("STENT_THREADS", "2")
        for name in ("STENT_ISA", "STENT_WISDOM", "STENT_AVOID", "STENT_ESTIMATE"):
            os.environ.pop(name, None)
        tests = unittest.TestSuite(select(unittest.defaultTestLoader.discover(folder), sys.argv[1:]))
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1, buffer=True).run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    for test, why in result.skipped:
        print(f"SKIP {test}: {why}")
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
