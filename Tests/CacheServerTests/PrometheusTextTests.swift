import MartletBytes
import Testing

@testable import CacheServer

@Suite("PrometheusText")
struct PrometheusTextTests {
  @Test("Families, labels and values are written as the format says")
  func families() {
    var page = PrometheusText()
    page.family("a_total", .counter, "Help.")
    page.sample("a_total", [("x", "q\"b\\n\n"), ("y", "")], UInt64.max)
    page.single("b", .gauge, "More.", 0.25)
    page.single("c", .gauge, "Whole.", 3.0)
    #expect(
      page.finish().text == """
        # HELP a_total Help.
        # TYPE a_total counter
        a_total{x="q\\"b\\\\n\\n",y=""} 18446744073709551615
        # HELP b More.
        # TYPE b gauge
        b 0.25
        # HELP c Whole.
        # TYPE c gauge
        c 3

        """)
  }

  @Test("A histogram is cumulative, ends in +Inf, and counts what it sums")
  func histogram() throws {
    var histogram = LatencyHistogram()
    histogram.record(nanoseconds: 1000)
    histogram.record(nanoseconds: 1500)
    histogram.record(nanoseconds: .max / 4)
    var page = PrometheusText()
    page.histogram("h", [("route", "/x")], histogram)
    let lines = page.finish().text.split(separator: "\n").map(String.init)
    #expect(lines.first == #"h_bucket{route="/x",le="1.024e-06"} 1"#)
    #expect(lines[1].hasSuffix(" 2"))
    #expect(lines[LatencyHistogram.bucketCount - 1] == #"h_bucket{route="/x",le="+Inf"} 3"#)
    #expect(lines.last == #"h_count{route="/x"} 3"#)
  }
}
