/// Reads a small file whole: a configuration, a token, a page of /proc; writes one whole: a report. And what little of folders is needed.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum SmallFile {
  /// The largest file taken unless the caller says otherwise, in bytes.
  package static let bytesMax = 1 << 20

  /// The file's bytes; nil if it cannot be read or is larger than `bytesMax`. Blocks; for start-up and operators' routes.
  package static func read(_ path: String, bytesMax: Int = bytesMax) -> ByteBuffer? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content = ByteBuffer()
    while content.count <= bytesMax {
      let before = content.count
      var failed = false
      unsafe content.withFreeBytes(atLeast: 4096) { space in
        let got = unsafe systemRead(descriptor, space.baseAddress, space.count)
        failed = got < 0
        return max(got, 0)
      }
      if failed { return nil }
      if content.count == before { return content }
    }
    return nil
  }

  /// Writes the file anew; whether that went well. Blocks.
  package static func write(_ text: String, to path: String) -> Bool {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return StandardStreams.write(text, to: descriptor)
  }

  /// Whether this process may run the file.
  package static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

  /// The system's `read`, under a name that the method above does not hide.
  private static func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.read(descriptor, start, count)
    #elseif canImport(Musl)
      unsafe Musl.read(descriptor, start, count)
    #else
      unsafe Darwin.read(descriptor, start, count)
    #endif
  }
}

package enum Folder {
  /// How many entries the folder at `path` has, `.` and `..` not counted; nil if it cannot be read. Blocks.
  package static func entryCount(_ path: String) -> Int? {
    guard let folder = unsafe opendir(path) else { return nil }
    defer { unsafe _ = closedir(folder) }
    var count = -2
    while unsafe readdir(folder) != nil { count += 1 }
    return max(count, 0)
  }

  /// The names in the folder at `path`, sorted, those left out that begin with a dot; nil if it cannot be read. Blocks.
  package static func names(_ path: String) -> [String]? {
    guard let folder = unsafe opendir(path) else { return nil }
    defer { unsafe _ = closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      // The name is a C string within the entry, which stays until the next readdir.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes the folder, and those above it; whether it is there now.
  package static func make(_ path: String) -> Bool {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      if unsafe mkdir(String(path[..<end]), 0o755) != 0 && errno != EEXIST { return false }
    }
    return true
  }

  /// A new folder of this process's own under the system's temporary folder; nil if there cannot be one.
  package static func makeTemporary() -> String? {
    let parent = ProcessEnvironment.value("TMPDIR") ?? "/tmp"
    var template = Array("\(parent)/martlet-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { return nil }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes the folder with all it holds.
  package static func remove(_ path: String) {
    for name in names(path) ?? [] {
      if unsafe unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
    }
    unsafe _ = rmdir(path)
  }
}
