"""Miss ratios of other policies over the traces that `store-bench misses FOLDER` wrote, by libcachesim: what ours are checked against."""

import array
import pathlib
import sys

import libcachesim as lcs

POLICIES = ("LRU", "S3FIFO", "Sieve", "ARC", "WTinyLFU")


def misses(policy, keys, capacity):
    cache = getattr(lcs, policy)(cache_size=capacity)
    request = lcs.Request()
    request.obj_size = 1
    count = 0
    for key in keys:
        request.obj_id = key
        count += not cache.get(request)
    return 100 * count / len(keys)


def main(folder):
    for path in sorted(pathlib.Path(folder).glob("*.u32")):
        name, capacity = path.stem.rsplit("-", 1)
        keys = array.array("I", path.read_bytes())
        figures = ", ".join(f"{policy} {misses(policy, keys, int(capacity)):.2f} %" for policy in POLICIES if hasattr(lcs, policy))
        print(f"{'reference, ' + name.replace('_', ' '):58}{figures}; {capacity} entries", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
