/// Records: reports of comparisons that are kept, `Benchmarks/Records/<machine>/<date>`, and never edited.

import MartletBytes

enum Record {
  /// Where a report belongs, below the folder of Benchmarks.
  static func folder(_ report: ComparisonReport, in benchmarks: String) -> String {
    "\(benchmarks)/Records/\(report.machine)/\(folderName(report.date))"
  }

  /// `2026-11-22-2030` of `2026-11-22 20:30 UTC`.
  static func folderName(_ date: String) -> String {
    String(date.replacing(":", with: "").replacing(" UTC", with: "").map { $0 == " " ? "-" : $0 })
  }

  /// The newest of all machines; nil if there is none.
  static func newest(in benchmarks: String) throws(BenchError) -> ComparisonReport? {
    var newest: ComparisonReport?
    for machine in Folder.names("\(benchmarks)/Records") ?? [] {
      for date in Folder.names("\(benchmarks)/Records/\(machine)") ?? [] {
        let path = "\(benchmarks)/Records/\(machine)/\(date)/report.json"
        guard let text = SmallFile.read(path, bytesMax: bytesMax) else { continue }
        let report = try ComparisonReport(json: text.bytes, path: path)
        if newest == nil || report.date > newest!.date { newest = report }
      }
    }
    return newest
  }

  private static let bytesMax = 64 << 20
}
