"""`martlet bench json --json` as a chart: python3 Benchmarks/JSON/chart.py < RESULTS > CHART.svg

Speed beside Foundation's, encode and decode, one row of bars for each value. Colours follow the reader's light or dark setting.
"""

import json
import sys
from xml.sax.saxutils import escape

ROADS = [("Swift road, fast lane", "fast lane", "a"), ("Swift road, Codable", "Codable, Swift road", "b"),
         ("jansson road, Codable", "Codable, jansson road", "c"), ("Foundation", "Foundation", "d")]
OPERATIONS = ["encode", "decode"]
LABELS, PANEL, GAP, BAR, STEP = 150, 250, 80, 16, 22  # pixels

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 } .head { font-weight: 600 } .note { font-size: 11px; fill: #57606a }
  .axis { stroke: #8c959f } .a { fill: #1f6feb } .b { fill: #54aeff } .c { fill: #bf8700 } .d { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 } .axis { stroke: #656c76 }
    .a { fill: #388bfd } .b { fill: #79c0ff } .c { fill: #d29922 } .d { fill: #6e7681 }
  }
"""


def duration(nanoseconds):
    return f"{nanoseconds:.0f} ns" if nanoseconds < 1000 else f"{nanoseconds / 1e3:.3g} µs" if nanoseconds < 1e6 else f"{nanoseconds / 1e6:.3g} ms"


def chart(report):
    results = [result for result in report["results"] if "times_foundation" in result]
    if not results:
        raise SystemExit("no Foundation in these results: martlet-bench-json has to lie beside martlet")
    workloads = list(dict.fromkeys(result["workload"] for result in results))
    found = {(result["workload"], result["operation"], result["road"]): result for result in results}
    widest = max(result["times_foundation"] for result in results if result["workload"] != "small reply")
    parts, y = [], 64
    for column, operation in enumerate(OPERATIONS):
        parts.append(f'<text class="head" x="{LABELS + column * (PANEL + GAP)}" y="46">{operation}</text>')
    for workload in workloads:
        size = next(result["bytes"] for result in results if result["workload"] == workload)
        parts.append(f'<text class="head" x="8" y="{y + 12}">{escape(workload)}, {size:,} bytes</text>')
        y += STEP
        top = y
        for road, label, style in ROADS:
            parts.append(f'<text x="{LABELS - 8}" y="{y + 12}" text-anchor="end">{label}</text>')
            for column, operation in enumerate(OPERATIONS):
                x = LABELS + column * (PANEL + GAP)
                result = found.get((workload, operation, road))
                if result is None:
                    continue
                times = result["times_foundation"]
                # What is beyond the others is cut, and says so.
                width = max(1.5, min(times / widest, 1) * (PANEL - 60))
                cut = " →" if times > widest else ""
                parts.append(f'<rect class="{style}" x="{x}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>')
                parts.append(f'<text x="{x + width + 6:.1f}" y="{y + 12}">{times:.1f} ×{cut}, {duration(result["cpu_nanoseconds"])}</text>')
            y += STEP
        for column in range(len(OPERATIONS)):
            x = LABELS + column * (PANEL + GAP)
            parts.append(f'<line class="axis" x1="{x}" x2="{x}" y1="{top - 3}" y2="{y - 3}"/>')
        y += 10
    conditions = report["conditions"]
    parts.append(f'<text class="note" x="8" y="{y + 8}">{escape(conditions["processor"])}, {escape(conditions["kernel"])}, one thread; CPU time, '
                 "medians of rounds in turn.</text>")
    width, height = LABELS + 2 * PANEL + GAP + 40, y + 24
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="Speed of JSON coders beside Foundation\'s">\n<style>{STYLE}</style>\n'
            '<text class="title" x="8" y="22">JSON in and out: how many times as fast as Foundation</text>\n' + "\n".join(parts) + "\n</svg>\n")


sys.stdout.write(chart(json.load(sys.stdin)))
