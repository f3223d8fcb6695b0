/// A failure that the operating system or libuv reported, with what was being attempted.
///
/// Thrown where the world is touched (listening, dialling, starting a loop) and handled once by whoever asked. Failures of a
/// running connection are no errors here: they close it, with a `CloseReason`.

import CLibuv

public struct UVError: Error, Hashable, Sendable, CustomStringConvertible {
  /// libuv's code: the negated errno, or one of libuv's own for name resolution.
  public let code: Int32
  /// What was being done, to be read after "cannot": `listen on 127.0.0.1:8080`.
  public let attempted: String

  public init(code: Int32, attempted: String) {
    self.code = code
    self.attempted = attempted
  }

  /// libuv's name for the code: `EADDRINUSE`.
  public var name: String { unsafe Self.text { unsafe uv_err_name_r(code, $0, $1) } }

  /// libuv's sentence for the code: `address already in use`.
  public var message: String { unsafe Self.text { unsafe uv_strerror_r(code, $0, $1) } }

  public var description: String { "cannot \(attempted): \(message) (\(name))" }

  /// libuv writes at most the length given, with a NUL at the end; unknown codes are spelt, not allocated.
  private static func text(_ write: (UnsafeMutablePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      guard let start = buffer.baseAddress, let text = unsafe write(start, buffer.count) else { return "unknown" }
      return unsafe String(cString: text)
    }
  }

  /// Throws unless `code` is a success.
  static func check(_ code: Int32, _ attempted: @autoclosure () -> String) throws(UVError) {
    if code < 0 { throw UVError(code: code, attempted: attempted()) }
  }
}

extension UVError {
  static var addressInUse: Int32 { UV_EADDRINUSE.rawValue }
  static var again: Int32 { UV_EAGAIN.rawValue }
  static var endOfFile: Int32 { UV_EOF.rawValue }
  static var tooManyFiles: Int32 { UV_EMFILE.rawValue }
  static var tooManyFilesInSystem: Int32 { UV_ENFILE.rawValue }
  static var connectionAborted: Int32 { UV_ECONNABORTED.rawValue }
  static var connectionRefused: Int32 { UV_ECONNREFUSED.rawValue }
  static var connectionReset: Int32 { UV_ECONNRESET.rawValue }
  static var brokenPipe: Int32 { UV_EPIPE.rawValue }
  static var invalid: Int32 { UV_EINVAL.rawValue }
  static var notSupported: Int32 { UV_ENOSYS.rawValue }
  static var timedOut: Int32 { UV_ETIMEDOUT.rawValue }
  static var canceled: Int32 { UV_ECANCELED.rawValue }
}
