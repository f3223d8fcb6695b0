"""The scripts that README names: what they print, and that a test run cannot end well in silence."""

import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from server import BINARY, PATIENCE, ROOT, clean_environment

built_here = pytest.mark.skipif(
    pathlib.Path(BINARY).resolve() != (ROOT / ".build/release/martlet").resolve() or not (ROOT / ".build/martlet-release.stamp").exists(),
    reason="tests another binary than scripts/build makes here")


def test_setup_says_nothing_when_nothing_is_missing():
    done = subprocess.run([ROOT / "scripts/setup"], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_says_so_when_swift_is_missing(tmp_path):
    for program in ("bash", "pkg-config", "id", "dirname"):
        (tmp_path / program).symlink_to(shutil.which(program))
    done = subprocess.run([ROOT / "scripts/setup"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "Swift is missing" in done.stderr and "swift.org/install" in done.stderr


@built_here
def test_serve_leaves_standard_output_to_the_server():
    with subprocess.Popen([ROOT / "scripts/serve", "--http", "127.0.0.1:0", "--resp", "off", "--memcached", "off"], env=clean_environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline().startswith("listening http 127.0.0.1:")
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)  # reaches martlet itself: the script has become it
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == ""


# The sum of a test run

GOOD = '<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite></testsuites>'
BAD = '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite></testsuites>'


def summary(tmp_path, *results):
    arguments = []
    for number, (status, text) in enumerate(results):
        path = tmp_path / f"{number}.xml"
        if text is not None:
            path.write_text(text)
        arguments.append(f"part{number}={status}={path}")
    done = subprocess.run([sys.executable, ROOT / "Tests/Integration/summary.py", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize("results, expected", [
    ([(0, GOOD), (0, GOOD)], (0, "2 passed, 0 failed, 2 skipped")),
    ([(0, GOOD), (1, BAD)], (1, "2 passed, 1 failed, 1 skipped")),
    ([(0, GOOD), (1, None)], (1, "1 passed, 1 failed, 1 skipped")),  # did not build
    ([(0, GOOD), (0, None)], (1, "1 passed, 1 failed, 1 skipped")),  # said it went well and left nothing
    ([(0, GOOD), (139, GOOD)], (1, "2 passed, 1 failed, 2 skipped")),  # crashed at the end
    ([(0, GOOD), (1, "<testsuites")], (1, "1 passed, 1 failed, 1 skipped")),
])
def test_a_test_run_ends_with_the_sum_and_silence_is_a_failure(tmp_path, results, expected):
    assert summary(tmp_path, *results) == expected
