/// What Linux's control groups allow this process: `/proc/self/cgroup` says which groups, their files say how much.
///
///     0::/system.slice/x.service          version 2: /sys/fs/cgroup/<path>/cpu.max, memory.max
///     4:cpu,cpuacct:/docker/ab            version 1: /sys/fs/cgroup/cpu,cpuacct/<path>/cpu.cfs_quota_us, …
///
/// The least of a group and all above it counts. Inside a container the path may name what only the host sees; then the root of
/// the mounted tree is the container's own group, and it is looked at anyway.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct ControlGroups {
  /// In front of `/proc` and `/sys`: for tests.
  var root = ""

  /// The cores' worth of time allowed; nil if unlimited.
  var processors: Double? {
    let version2 = folders(controller: nil).compactMap { folder -> Double? in
      guard let words = text(folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace), words.count == 2 else { return nil }
      return Self.ratio(String(words[0]), String(words[1]))
    }
    let version1 = folders(controller: "cpu").compactMap { folder -> Double? in
      guard let quota = text(folder + "/cpu.cfs_quota_us"), let period = text(folder + "/cpu.cfs_period_us") else { return nil }
      return Self.ratio(quota, period)
    }
    return (version2 + version1).min()
  }

  /// The bytes of memory allowed; nil if unlimited.
  var memoryBytes: Int? {
    let version2 = folders(controller: nil).compactMap { text($0 + "/memory.max").flatMap { Int($0) } }
    let version1 = folders(controller: "memory").compactMap { text($0 + "/memory.limit_in_bytes").flatMap { Int($0) } }
    return (version2 + version1).filter { $0 > 0 && $0 < 1 << 60 }.min()  // version 1 says "none" by a number near 2^63
  }

  /// "max" and -1 are no numbers here.
  private static func ratio(_ quota: String, _ period: String) -> Double? {
    guard let quota = Double(quota), let period = Double(period), quota > 0, period > 0 else { return nil }
    return quota / period
  }

  /// The process's group and all above it, as folders; `controller` nil: version 2.
  private func folders(controller: String?) -> [String] {
    var folders: [String] = []
    for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let mount: String
      if let controller {
        guard fields[1].split(separator: ",").contains(Substring(controller)) else { continue }
        mount = text("/sys/fs/cgroup/\(fields[1])/cgroup.procs") == nil ? "/sys/fs/cgroup/\(controller)" : "/sys/fs/cgroup/\(fields[1])"
      } else {
        guard fields[0] == "0" && fields[1].isEmpty else { continue }
        mount = "/sys/fs/cgroup"
      }
      var parts = fields[2].split(separator: "/").filter { $0 != ".." }
      while true {
        folders.append(([Substring(mount)] + parts).joined(separator: "/"))
        if parts.popLast() == nil { break }
      }
    }
    return folders
  }

  /// The file's text without white space around it; nil if it cannot be read. These files are small.
  private func text(_ path: String) -> String? {
    let descriptor = unsafe open(root + path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    while bytes.count < 1 << 16 {
      let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = unsafe max(read(descriptor, buffer.baseAddress!, buffer.count), 0)
      }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    let words = String(decoding: bytes, as: UTF8.self)
    guard let first = words.firstIndex(where: { !$0.isWhitespace }), let last = words.lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(words[first...last])
  }
}
