/// What the system says of this process: the `process_*` metrics that every Prometheus client exports.

internal import MartletBytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

struct ProcessFigures: Sendable {
  var cpuSeconds: Double
  /// Unix time of this process's start, in seconds.
  var startTimeSeconds: Double
  /// These are nil where the system does not tell (no /proc).
  var residentBytes: UInt64?
  var virtualBytes: UInt64?
  var descriptorsOpen: UInt64?
  var descriptorsMax: UInt64?

  /// Reads /proc/self: some system calls, for operators' routes only.
  static func current(startTime: UnixTime) -> ProcessFigures {
    let pages = memoryPages()
    let pageBytes = UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
    return ProcessFigures(
      cpuSeconds: Double(MonotonicTime.processCPUNanoseconds) / 1e9,
      startTimeSeconds: Double(startTime.milliseconds) / 1000,
      residentBytes: pages.count > 1 ? pages[1] * pageBytes : nil,
      virtualBytes: pages.first.map { $0 * pageBytes },
      descriptorsOpen: Folder.entryCount("/proc/self/fd").map(UInt64.init),
      descriptorsMax: descriptorsMax())
  }

  /// CPU time in user mode and in the system's; all of it in user mode where the system does not tell them apart.
  var cpuSecondsByMode: (user: Double, system: Double) {
    guard let stat = SmallFile.read("/proc/self/stat") else { return (cpuSeconds, 0) }
    // Fields 14 and 15, in ticks; those before the parenthesis are the process's number and name.
    let fields = stat.text.split(separator: ")").last?.split(separator: " ") ?? []
    let ticksPerSecond = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return (cpuSeconds, 0) }
    return (user / ticksPerSecond, system / ticksPerSecond)
  }

  /// The numbers of /proc/self/statm: size, resident, ….
  private static func memoryPages() -> [UInt64] {
    guard let numbers = SmallFile.read("/proc/self/statm") else { return [] }
    return numbers.text.split(separator: " ").compactMap { UInt64($0) }
  }

  /// The line `Max open files  1024  524288  files` of /proc/self/limits.
  private static func descriptorsMax() -> UInt64? {
    guard let limits = SmallFile.read("/proc/self/limits") else { return nil }
    let line = limits.text.split(separator: "\n").first { $0.hasPrefix("Max open files") }
    return line?.split(separator: " ").dropFirst(3).first.flatMap { UInt64($0) }
  }
}
