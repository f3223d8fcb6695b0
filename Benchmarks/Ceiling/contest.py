"""martlet, nginx and the ceiling under wrk, alternately: requests per second and server CPU per request.

What it says: how much more than the bare minimum of libuv a real server costs per request, on this machine, now. What it
does not: latency, more than one core, other machines. Ratios are taken within a round and their median reported, with
the spread: a shared machine makes absolute numbers worthless and ratios meaningful.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

from subjects import HERE, JSON_BODY, KEY, VALUE, conditions, pinned, start_ceiling, start_martlet, start_nginx

COLUMNS = ["rate", "cpu", "user", "system"]  # requests/s; server CPU µs per request


def wrk(subject, path, depth, options, keys=0):
    """One run; what it did, per request. Any error of wrk's ends the benchmark."""
    before = subject.accounts()
    done = subprocess.run(
        [*pinned(options.client_core), "wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", HERE / "wrk.lua",
         f"http://127.0.0.1:{subject.port}{path}", "--", str(depth), str(keys)],
        capture_output=True, text=True)
    user, system = subject.used(before)
    found = re.search(r"(\d+) requests in", done.stdout)
    if done.returncode or not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"wrk against {subject.name}{path}: {done.stdout}{done.stderr}")
    count = int(found[1])
    if count == 0:
        raise SystemExit(f"{subject.name}{path} answered nothing in {options.seconds} s: is the machine busy?")
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)[1])
    return {"rate": rate, "cpu": (user + system) / count, "user": user / count, "system": system / count}


def main():
    parser = argparse.ArgumentParser(prog="scripts/ceiling", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--depths", type=lambda text: [int(part) for part in text.split(",")], default=[1, 16])
    parser.add_argument("--keys", type=int, default=1_000_000, help="entries for cached GETs; 0 leaves them out")
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-core", default=str(cores[0]))
    parser.add_argument("--client-core", default=str(cores[-1]))
    parser.add_argument("--quick", action="store_true", help="one short round on few keys: shows that it works, measures nothing")
    parser.add_argument("--json", action="store_true", help="print every run as JSON instead of the table")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.keys, options.connections = 1, 1, min(options.keys, 1000), 8

    place = pinned(options.server_core)
    head = conditions()
    with start_ceiling(place) as ceiling, start_nginx(place) as nginx, start_martlet(place) as martlet:
        for subject in (ceiling, nginx, martlet):
            subject.check("/json", JSON_BODY)
        entrants = [("ceiling", ceiling, "/json", 0), ("nginx", nginx, "/json", 0), ("martlet /json", martlet, "/json", 0)]
        if options.keys:
            martlet.load(options.keys)
            martlet.check("/v1/cache/" + KEY % (options.keys - 1), VALUE)
            entrants.append(("martlet cached GET", martlet, "/v1/cache/" + KEY % 0, options.keys))
        runs = {(depth, name): [] for depth in options.depths for name, *_ in entrants}
        for number in range(options.rounds):
            for depth in options.depths:
                for at in range(len(entrants)):  # each round begins with another
                    name, subject, path, keys = entrants[(at + number) % len(entrants)]
                    print(f"round {number + 1} of {options.rounds}, depth {depth}: {name}", file=sys.stderr)
                    runs[depth, name].append(wrk(subject, path, depth, options, keys))
        for subject, path, body in [(ceiling, "/json", JSON_BODY), (nginx, "/json", JSON_BODY), (martlet, "/json", JSON_BODY)]:
            subject.check(path, body)

    if options.json:
        print(json.dumps({"conditions": head, "runs": [
            {"depth": depth, "name": name, "runs": results} for (depth, name), results in runs.items()]}, indent=2))
        return
    print("\n".join(head))
    print(f"one server thread on core {options.server_core}, wrk on core {options.client_core}, {options.connections} connections, "
          f"{options.rounds} rounds of {options.seconds} s; {options.keys} keys of 64 bytes")
    for depth in options.depths:
        print(f"\n| depth {depth} | requests/s | CPU µs | user | system | CPU × ceiling (range) |")
        print("|---|---:|---:|---:|---:|---:|")
        base = runs[depth, "ceiling"]
        for name, *_ in entrants:
            results = runs[depth, name]
            rate, cpu, user, system = (statistics.median(run[column] for run in results) for column in COLUMNS)
            ratios = sorted(run["cpu"] / low["cpu"] for run, low in zip(results, base))
            print(f"| {name} | {rate:,.0f} | {cpu:.2f} | {user:.2f} | {system:.2f} | "
                  f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f}) |")
        if options.keys:
            ratios = sorted(get["cpu"] / plain["cpu"] for get, plain in zip(runs[depth, "martlet cached GET"], runs[depth, "martlet /json"]))
            print(f"\ncached GET against /json: {statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
