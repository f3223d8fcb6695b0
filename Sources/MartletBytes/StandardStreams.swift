/// Lines for people and scripts, written at once: standard output is a contract, also into a pipe, where `print` would buffer.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum StandardStreams {
  /// Writes a line to standard output.
  package static func output(_ line: String) { _ = write(line + "\n", to: STDOUT_FILENO) }

  /// Writes a line to standard error.
  package static func error(_ line: String) { _ = write(line + "\n", to: STDERR_FILENO) }

  /// Writes over the last line of a terminal that is standard error.
  package static func errorOver(_ line: String) { _ = write("\r\u{1B}[K" + line, to: STDERR_FILENO) }

  /// Writes all of `text`; whether that went well. Of the standard streams a closed pipe is nobody's error.
  static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { return false }
      rest = rest.dropFirst(written)
    }
    return true
  }

  /// The system's `write`, under a name that the method above does not hide.
  private static func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, start, count)
    #elseif canImport(Musl)
      unsafe Musl.write(descriptor, start, count)
    #else
      unsafe Darwin.write(descriptor, start, count)
    #endif
  }
}
