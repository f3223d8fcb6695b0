/// Where a listener listens, as a person writes it: `host:port`, `port`, `[::1]:port`, `unix:/path`, `off`.
///
/// Parsing is syntax only; names are resolved when the listener is bound.

internal import MartletBytes

public enum ListenAddress: Hashable, Sendable {
  case tcp(host: String, port: UInt16)
  case unix(path: String)
  case off

  /// nil if `text` is none of the forms. A bare port means loopback.
  public init?(_ text: String) {
    if text == "off" {
      self = .off
    } else if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count <= Self.unixPathBytesMax, !path.utf8.contains(0) else { return nil }
      self = .unix(path: path)
    } else if let port = Self.port(text[...]) {
      self = .tcp(host: "127.0.0.1", port: port)
    } else if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard host.contains(":"), rest.hasPrefix(":"), let port = Self.port(rest.dropFirst()) else { return nil }
      self = .tcp(host: String(host), port: port)
    } else {
      guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else { return nil }
      let host = text[..<colon]
      guard !host.isEmpty, !host.contains(":"), host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
        return nil
      }
      self = .tcp(host: String(host), port: port)
    }
  }

  /// What the system's `sockaddr_un` holds on the narrowest platform (macOS: 104 with the closing NUL).
  static let unixPathBytesMax = 103

  private static func port(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit) else { return nil }
    return UInt16(text)
  }

  /// Whether only this machine can reach it: Unix sockets and loopback addresses. A name other than `localhost` counts as public.
  public var isLocal: Bool {
    switch self {
    case .off, .unix: true
    case .tcp(let host, _): Self.isLoopback(host: host)
    }
  }

  /// Whether `host` (a literal without brackets, or a name) is loopback: `localhost`, 127.0.0.0/8, `::1`.
  public static func isLoopback(host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension ListenAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .off: "off"
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }
}
