/// Where a socket listens or connects: numbers, so that a peer's address costs no allocation. Names are resolved once, at start.

import CLibuv

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

public enum SocketAddress: Hashable, Sendable {
  /// Host and port in host byte order: 127.0.0.1 is 0x7F00_0001.
  case ipv4(UInt32, port: UInt16)
  /// Host as two big halves (::1 is 0, 1), port, and scope (0: none).
  case ipv6(UInt64, UInt64, port: UInt16, scope: UInt32 = 0)
  /// The path of a Unix socket; empty for the unnamed end of one.
  case unix(String)

  /// 127.0.0.1 with this port (0: a free one).
  public static func loopback(port: UInt16) -> SocketAddress { .ipv4(0x7F00_0001, port: port) }

  /// The longest path that a Unix socket can have, in bytes.
  public static var unixPathBytesMax: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

  /// Nil for Unix sockets.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, _, let port, _): port
    case .unix: nil
    }
  }

  /// Whether only this machine can reach it; Unix sockets count.
  public var isLocal: Bool {
    switch self {
    case .ipv4(let host, _): host >> 24 == 127
    case .ipv6(let high, let low, _, _): high == 0 && (low == 1 || low >> 24 == 0xFFFF_7F)
    case .unix: true
    }
  }

  func withPort(_ port: UInt16) -> SocketAddress {
    switch self {
    case .ipv4(let host, _): .ipv4(host, port: port)
    case .ipv6(let high, let low, _, let scope): .ipv6(high, low, port: port, scope: scope)
    case .unix: self
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
  public var description: String {
    switch self {
    case .ipv4(let host, let port): "\(host >> 24).\(host >> 16 & 255).\(host >> 8 & 255).\(host & 255):\(port)"
    case .ipv6(let high, let low, let port, let scope): "[\(Self.text(high, low))\(scope == 0 ? "" : "%\(scope)")]:\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// The host alone, without brackets; the path for a Unix socket.
  public var host: String {
    switch self {
    case .ipv4(let host, _): "\(host >> 24).\(host >> 16 & 255).\(host >> 8 & 255).\(host & 255)"
    case .ipv6(let high, let low, _, let scope): "\(Self.text(high, low))\(scope == 0 ? "" : "%\(scope)")"
    case .unix(let path): path
    }
  }

  /// RFC 5952, as the C library writes it.
  private static func text(_ high: UInt64, _ low: UInt64) -> String {
    var address = in6_addr(high: high, low: low)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
      unsafe inet_ntop(AF_INET6, &address, buffer.baseAddress, socklen_t(buffer.count)) == nil ? "::" : String(cString: buffer.baseAddress!)
    }
  }
}

extension SocketAddress {
  /// A literal: `127.0.0.1:8080`, `[::1]:8080`, `8080` (loopback), `unix:/path`. Nil for anything else, names of hosts included.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count <= Self.unixPathBytesMax, !path.utf8.contains(0) else { return nil }
      self = .unix(path)
      return
    }
    guard let (host, port) = Self.split(text) else { return nil }
    guard let host else {
      self = .loopback(port: port)
      return
    }
    var v4 = in_addr()
    var v6 = in6_addr()
    if text.first == "[" {
      guard unsafe inet_pton(AF_INET6, host, &v6) == 1 else { return nil }
      self = .ipv6(v6.high, v6.low, port: port)
    } else {
      guard unsafe inet_pton(AF_INET, host, &v4) == 1 else { return nil }
      self = .ipv4(UInt32(bigEndian: v4.s_addr), port: port)
    }
  }

  /// An address from a literal or from `host:port`, the host looked up in the system's way; of several the first of IPv4, else the
  /// first. Blocks: for the start.
  public static func resolve(_ text: String) throws(UVError) -> SocketAddress {
    if let literal = SocketAddress(text) { return literal }
    let attempted = "understand the address '\(text)' (host:port, port, [::1]:port, unix:/path)"
    guard !text.hasPrefix("unix:"), text.first != "[", let (host, port) = split(text), let host else {
      throw UVError(code: UVError.invalid, attempted: attempted)
    }
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = streamType
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0, let first = unsafe list else {
      throw UVError(code: UV_EAI_NONAME.rawValue, attempted: "find the host '\(host)'")
    }
    defer { unsafe freeaddrinfo(first) }
    var found: SocketAddress?
    var next: UnsafeMutablePointer<addrinfo>? = unsafe first
    while let info = unsafe next {
      let family = unsafe info.pointee.ai_family
      if family == AF_INET || (family == AF_INET6 && found == nil), let address = unsafe SocketAddress(info.pointee.ai_addr) {
        found = address.withPort(port)
        if family == AF_INET { break }
      }
      unsafe next = info.pointee.ai_next
    }
    guard let found else { throw UVError(code: UV_EAI_NONAME.rawValue, attempted: "find the host '\(host)'") }
    return found
  }

  /// Host (nil: not given) and port; brackets are taken off.
  private static func split(_ text: String) -> (host: String?, port: UInt16)? {
    let bytes = Array(text.utf8)
    func port(_ digits: ArraySlice<UInt8>) -> UInt16? {
      guard !digits.isEmpty, digits.count <= 5, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
      return UInt16(String(decoding: digits, as: UTF8.self))
    }
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return port(bytes[...]).map { (nil, $0) } }
    guard let number = port(bytes[(colon + 1)...]) else { return nil }
    var host = bytes[..<colon]
    if host.first == UInt8(ascii: "[") {
      guard host.last == UInt8(ascii: "]") else { return nil }
      host = host.dropFirst().dropLast()
    } else if host.contains(UInt8(ascii: ":")) {
      return nil  // IPv6 wants brackets
    }
    return host.isEmpty ? nil : (String(decoding: host, as: UTF8.self), number)
  }
}

extension SocketAddress {
  /// From what the system has filled in; nil for other families. `address` is as long as its family says.
  init?(_ address: UnsafePointer<sockaddr>, unixPath: String = "") {
    switch Int32(unsafe address.pointee.sa_family) {
    case AF_INET:
      let v4 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
      self = .ipv4(UInt32(bigEndian: v4.sin_addr.s_addr), port: UInt16(bigEndian: v4.sin_port))
    case AF_INET6:
      let v6 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
      self = .ipv6(v6.sin6_addr.high, v6.sin6_addr.low, port: UInt16(bigEndian: v6.sin6_port), scope: v6.sin6_scope_id)
    case AF_UNIX: self = .unix(unixPath)
    default: return nil
    }
  }

  var family: Int32 {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }

  /// Lends the address in the system's form.
  func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var storage = sockaddr_storage()
    return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      let length: Int
      switch self {
      case .ipv4(let host, let port):
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        v4.sin_addr.s_addr = host.bigEndian
        unsafe bytes.storeBytes(of: v4, as: sockaddr_in.self)
        length = MemoryLayout<sockaddr_in>.size
      case .ipv6(let high, let low, let port, let scope):
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        v6.sin6_addr = in6_addr(high: high, low: low)
        v6.sin6_scope_id = scope
        unsafe bytes.storeBytes(of: v6, as: sockaddr_in6.self)
        length = MemoryLayout<sockaddr_in6>.size
      case .unix(let path):
        unsafe bytes.storeBytes(
          of: sa_family_t(AF_UNIX), toByteOffset: MemoryLayout<sockaddr_un>.offset(of: \.sun_family)!, as: sa_family_t.self)
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        for (offset, byte) in path.utf8.prefix(Self.unixPathBytesMax).enumerated() { unsafe bytes[start + offset] = byte }
        length = MemoryLayout<sockaddr_un>.size
      }
      let address = unsafe UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: sockaddr.self)
      #if canImport(Darwin)
        unsafe bytes[0] = UInt8(length)  // sa_len
      #endif
      return unsafe body(address, socklen_t(length))
    }
  }
}

extension in6_addr {
  init(high: UInt64, low: UInt64) {
    self.init()
    unsafe withUnsafeMutableBytes(of: &self) { bytes in
      unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
      unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }

  var high: UInt64 { unsafe withUnsafeBytes(of: self) { unsafe UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) } }
  var low: UInt64 { unsafe withUnsafeBytes(of: self) { unsafe UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) } }
}

/// `SOCK_STREAM` is an enumeration in glibc's headers and a number elsewhere.
#if canImport(Glibc)
  let streamType = Int32(SOCK_STREAM.rawValue)
#else
  let streamType = Int32(SOCK_STREAM)
#endif
