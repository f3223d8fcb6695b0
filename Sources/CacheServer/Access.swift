/// Who may ask: the token where there is one, and where there is none, no browser.
///
/// Asked before all routes but `/healthz` and `/readyz`, which stand outside of it, and before a body is waited for.

internal import MartletBytes
internal import MartletHTTP
internal import MartletServer

enum Access {
  /// Wants `Authorization: Bearer <token>` (RFC 6750 section 2.1), compared in constant time.
  static func token(_ token: String) -> Admission {
    let expected = Array(token.utf8)
    let refusal = HTTPError(
      .unauthorized, "this server wants a token: send Authorization: Bearer <token>", fields: [HTTPField("WWW-Authenticate", "Bearer")])
    return { request in
      guard let credentials = request.field("authorization"), let shown = bearerToken(credentials),
        expected.rawSpan.equalsInConstantTime(shown)
      else { throw refusal }
    }
  }

  /// The token of `Bearer <token>`; nil for another scheme. The scheme's name has no case (RFC 9110 section 11.1).
  @_lifetime(copy credentials)
  static func bearerToken(_ credentials: RawSpan) -> RawSpan? {
    guard credentials.byteCount > 7, credentials[0..<7].equalsIgnoringCase("bearer ") else { return nil }
    return credentials[7..<credentials.byteCount].trimmed
  }

  /// Keeps browsers out of a server without a token: a page from elsewhere reaches a local port by a name of its own (DNS
  /// rebinding), so `Host` must be loopback or the address listened on; and it can POST without asking unless a JSON content
  /// type is wanted, which makes the browser ask first.
  static func noBrowsers(listeningOn address: ListenAddress) -> Admission {
    let own: String? = if case .tcp(let host, _) = address { host.lowercased() } else { nil }
    let acceptsAnyHost = if case .unix = address { true } else { false }
    let foreignHost = HTTPError(
      .forbidden, "without a token this server answers to loopback names and its own address only; see --token and --insecure")
    let notJSON = HTTPError(.unsupportedMediaType, "send this body with Content-Type: application/json")
    return { request in
      if !acceptsAnyHost, request.host.byteCount > 0, !isLocal(host: request.host, own: own) { throw foreignHost }
      if request.method == .post, request.hasBody, request.isRouted {
        guard let type = request.field("content-type"), MediaType.isJSON(type) else { throw notJSON }
      }
    }
  }

  /// Whether a Host field names loopback or `own`, whatever the port. The two usual spellings cost two comparisons.
  static func isLocal(host field: RawSpan, own: String?) -> Bool {
    if field.byteCount == 9 || field.byteCount > 9 && field[9] == UInt8(ascii: ":") {
      let host = field[0..<9]
      if host.equals("127.0.0.1") || host.equalsIgnoringCase("localhost") { return true }
    }
    let host = name(of: field.text.lowercased())
    return ListenAddress.isLoopback(host: host) || host == own
  }

  /// The host of `host:port` or `[host]:port`, without brackets.
  private static func name(of authority: String) -> String {
    if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
      return String(authority[authority.index(after: authority.startIndex)..<close])
    }
    return String(authority.prefix { $0 != ":" })
  }
}
