#!/usr/bin/env python3
"""Rivals made ready: packages that are missing are installed, programs built into Benchmarks/.build, by what each rival.json says.

    prepare.py [--brief] [--against NAME,...]    all rivals unless some are named; --brief: nothing is installed, no build takes minutes

Other options are passed over: `scripts/bench` hands on what it is given, and the comparison itself tells what is wrong with it.
A line for each rival tells how long it took, or what could not be had; the reason is left in Benchmarks/.build/NAME.missing, where `martlet bench
compare` finds it for its report. It ends well all the same: whoever is there can be compared.
"""

import argparse
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parent / ".build"
SETUP = HERE.parents[1] / "scripts/setup"
PATH = f"{os.environ['PATH']}:/usr/sbin"


class Rival:
    def __init__(self, name):
        self.name = name
        self.folder = HERE / name
        self.data = json.loads((self.folder / "rival.json").read_text())
        self.build = self.data.get("build", {})

    def filled(self, text):
        return text.replace("{built}", str(BUILT / self.name)).replace("{folder}", str(self.folder))

    @property
    def program(self):
        return self.filled(self.data["program"])

    @property
    def missing(self):
        """Programs and files (as patterns) that must be there first and are not, each with the Debian package that brings it."""
        needs = self.build.get("needs") or {self.data["program"]: self.data["package"]}
        return {need: package for need, package in needs.items() if not (glob.glob(need) if "/" in need else shutil.which(need, path=PATH))}

    def prepare(self, brief):
        """Why it cannot be had; None if it can."""
        if not brief and self.missing:
            # `setup` asks for programs: a name that is none means that the package is wanted.
            wanted = [f"{need if '/' not in need else 'martlet-wants-' + package}={package}" for need, package in self.missing.items()]
            subprocess.run([SETUP, *wanted], env={**os.environ, "PATH": PATH}, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if self.missing:
            return f"not installed: {', '.join(sorted(set(self.missing.values())))}"
        if not self.build:
            return None
        if brief and self.build.get("takes-minutes"):
            return None if os.access(self.program, os.X_OK) else "not built (scripts/bench builds it)"
        BUILT.mkdir(exist_ok=True)
        done = subprocess.run([self.filled(word) for word in self.build["command"]], cwd=self.folder, stdin=subprocess.DEVNULL,
                              env={**os.environ, **self.build.get("environment", {})}, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout[-1500:] + done.stderr[-1500:], file=sys.stderr)
            lines = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()
            return f"it does not build: {next((line for line in lines if 'error' in line), lines[-1]).strip()}"
        return None


def names():
    return sorted(path.parent.name for path in HERE.glob("*/rival.json"))


def prepare(name, brief=False):
    """The path of the rival's program; None, and a line that says why, where it cannot be had."""
    rival = Rival(name)
    note = BUILT / f"{name}.missing"
    begun = time.monotonic()
    trouble = rival.prepare(brief)
    if trouble:
        BUILT.mkdir(exist_ok=True)
        note.write_text(trouble + "\n")
        print(f"rivals: could not have {name}: {trouble}", file=sys.stderr)
        return None
    note.unlink(missing_ok=True)
    print(f"rivals: {name} is ready ({time.monotonic() - begun:.0f} s)", file=sys.stderr)
    return pathlib.Path(rival.program)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--against", type=lambda text: text.split(","), default=names())
    parser.add_argument("-h", "--help", action="store_true")
    options, _ = parser.parse_known_args()
    for name in names():
        if name in options.against and not options.help:
            prepare(name, options.brief)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # what was running has got the signal, too, or has been ended
        sys.exit("rivals: interrupted")
