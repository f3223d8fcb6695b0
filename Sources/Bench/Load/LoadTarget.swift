/// Whom the load is for: `http://127.0.0.1:8080`, `resp://[::1]:6379`, `memcached://unix:/path`, `http://127.0.0.1:8080/json`.

struct LoadTarget: Sendable, Equatable {
  enum Scheme: String, Sendable, CaseIterable {
    case http, resp, memcached

    var portStandard: Int {
      switch self {
      case .http: 80
      case .resp: 6379
      case .memcached: 11211
      }
    }
  }

  let scheme: Scheme
  /// `host:port` or `unix:/path`.
  let address: String
  /// HTTP: what stands behind the address, with its slash; nil if nothing does.
  let path: String?

  init(_ text: String) throws(BenchError) {
    let hint = "--target wants http://HOST:PORT, resp://HOST:PORT or memcached://HOST:PORT (or unix:/PATH for HOST:PORT), not '\(text)'"
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: String(text[..<colon])), text[colon...].hasPrefix("://")
    else { throw .usage(hint) }
    self.scheme = scheme
    var rest = text[colon...].dropFirst(3)
    if rest.hasPrefix("unix:/") {
      guard rest.utf8.count > 6 else { throw .usage(hint) }
      address = String(rest)
      path = nil
      return
    }
    if let slash = rest.firstIndex(of: "/") {
      let path = String(rest[slash...])
      guard path == "/" || scheme == .http else { throw .usage(hint) }
      self.path = path == "/" ? nil : path
      rest = rest[..<slash]
    } else {
      path = nil
    }
    guard !rest.isEmpty, rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") }) else { throw .usage(hint) }
    let hasPort = rest.lastIndex(of: ":").map { rest[rest.index(after: $0)...].allSatisfy(\.isNumber) && rest.last != ":" } ?? false
    guard hasPort || !rest.hasSuffix(":") else { throw .usage(hint) }
    address = hasPort ? String(rest) : "\(rest):\(scheme.portStandard)"
  }

  /// What an HTTP request calls it.
  var host: String { address.hasPrefix("unix:") ? "localhost" : address }
}

extension LoadTarget: CustomStringConvertible {
  var description: String { "\(scheme.rawValue)://\(address)\(path ?? "")" }
}
