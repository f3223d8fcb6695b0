"""Adds up the JUnit files of several runners and closes a test run with `N passed, N failed, N skipped`.

    summary.py NAME=STATUS=FILE ...

A runner that left no file, or left with an error although no test of its own failed (a build error, a crash), counts as
one failure: silence is never success. Exit 1 if anything failed.
"""

import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def count(path):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in ElementTree.parse(path).iter("testcase"):
        counts[outcome(case)] += 1
    return counts


def line(counts):
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def main(arguments):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for argument in arguments:
        name, status, path = argument.split("=", 2)
        note = ""
        try:
            counts = count(path)
        except (OSError, ElementTree.ParseError):
            counts, note = {"passed": 0, "failed": 1, "skipped": 0}, " (left no result: it did not build, or it crashed)"
        if status != "0" and counts["failed"] == 0:
            counts["failed"], note = 1, f" (ended with status {status})"
        print(f"{name}: {line(counts)}{note}")
        for word in total:
            total[word] += counts[word]
    print(line(total))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
