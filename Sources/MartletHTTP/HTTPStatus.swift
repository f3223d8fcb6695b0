/// Status codes (RFC 9110 section 15) with their reason phrases.

public struct HTTPStatus: RawRepresentable, Hashable, Sendable {
  /// 100 to 599.
  public var rawValue: Int

  /// Any code from 100 to 599; another one stops the process.
  @inlinable
  public init(rawValue: Int) {
    precondition(rawValue >= 100 && rawValue <= 599, "an HTTP status is a number from 100 to 599")
    self.rawValue = rawValue
  }

  /// Whether a reply with this status never has a body (RFC 9110 section 6.4.1).
  package var isBodyless: Bool { rawValue < 200 || rawValue == 204 || rawValue == 304 }

  public static var `continue`: HTTPStatus { HTTPStatus(rawValue: 100) }
  public static var ok: HTTPStatus { HTTPStatus(rawValue: 200) }
  public static var created: HTTPStatus { HTTPStatus(rawValue: 201) }
  public static var accepted: HTTPStatus { HTTPStatus(rawValue: 202) }
  public static var noContent: HTTPStatus { HTTPStatus(rawValue: 204) }
  public static var partialContent: HTTPStatus { HTTPStatus(rawValue: 206) }
  public static var movedPermanently: HTTPStatus { HTTPStatus(rawValue: 301) }
  public static var found: HTTPStatus { HTTPStatus(rawValue: 302) }
  public static var seeOther: HTTPStatus { HTTPStatus(rawValue: 303) }
  public static var notModified: HTTPStatus { HTTPStatus(rawValue: 304) }
  public static var temporaryRedirect: HTTPStatus { HTTPStatus(rawValue: 307) }
  public static var permanentRedirect: HTTPStatus { HTTPStatus(rawValue: 308) }
  public static var badRequest: HTTPStatus { HTTPStatus(rawValue: 400) }
  public static var unauthorized: HTTPStatus { HTTPStatus(rawValue: 401) }
  public static var forbidden: HTTPStatus { HTTPStatus(rawValue: 403) }
  public static var notFound: HTTPStatus { HTTPStatus(rawValue: 404) }
  public static var methodNotAllowed: HTTPStatus { HTTPStatus(rawValue: 405) }
  public static var notAcceptable: HTTPStatus { HTTPStatus(rawValue: 406) }
  public static var requestTimeout: HTTPStatus { HTTPStatus(rawValue: 408) }
  public static var conflict: HTTPStatus { HTTPStatus(rawValue: 409) }
  public static var gone: HTTPStatus { HTTPStatus(rawValue: 410) }
  public static var lengthRequired: HTTPStatus { HTTPStatus(rawValue: 411) }
  public static var preconditionFailed: HTTPStatus { HTTPStatus(rawValue: 412) }
  public static var contentTooLarge: HTTPStatus { HTTPStatus(rawValue: 413) }
  public static var uriTooLong: HTTPStatus { HTTPStatus(rawValue: 414) }
  public static var unsupportedMediaType: HTTPStatus { HTTPStatus(rawValue: 415) }
  public static var rangeNotSatisfiable: HTTPStatus { HTTPStatus(rawValue: 416) }
  public static var expectationFailed: HTTPStatus { HTTPStatus(rawValue: 417) }
  public static var misdirectedRequest: HTTPStatus { HTTPStatus(rawValue: 421) }
  public static var unprocessableContent: HTTPStatus { HTTPStatus(rawValue: 422) }
  public static var preconditionRequired: HTTPStatus { HTTPStatus(rawValue: 428) }
  public static var tooManyRequests: HTTPStatus { HTTPStatus(rawValue: 429) }
  public static var requestHeaderFieldsTooLarge: HTTPStatus { HTTPStatus(rawValue: 431) }
  public static var internalServerError: HTTPStatus { HTTPStatus(rawValue: 500) }
  public static var notImplemented: HTTPStatus { HTTPStatus(rawValue: 501) }
  public static var badGateway: HTTPStatus { HTTPStatus(rawValue: 502) }
  public static var serviceUnavailable: HTTPStatus { HTTPStatus(rawValue: 503) }
  public static var gatewayTimeout: HTTPStatus { HTTPStatus(rawValue: 504) }
  public static var httpVersionNotSupported: HTTPStatus { HTTPStatus(rawValue: 505) }
  public static var insufficientStorage: HTTPStatus { HTTPStatus(rawValue: 507) }

  /// The phrase after the code on the status line; for an unregistered code that of its class.
  public var reasonPhrase: StaticString {
    switch rawValue {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 103: "Early Hints"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 203: "Non-Authoritative Information"
    case 204: "No Content"
    case 205: "Reset Content"
    case 206: "Partial Content"
    case 207: "Multi-Status"
    case 300: "Multiple Choices"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 407: "Proxy Authentication Required"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 423: "Locked"
    case 424: "Failed Dependency"
    case 425: "Too Early"
    case 426: "Upgrade Required"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 451: "Unavailable For Legal Reasons"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    case 508: "Loop Detected"
    case 511: "Network Authentication Required"
    case 100..<200: "Continue"
    case 200..<300: "OK"
    case 300..<400: "Multiple Choices"
    case 400..<500: "Bad Request"
    default: "Internal Server Error"
    }
  }
}
