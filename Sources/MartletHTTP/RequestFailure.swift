/// What can be wrong with the framing of a request, and the one table that says how each is answered. All of them close the
/// connection: after ambiguous framing nobody knows where the next request begins.

package enum RequestFailure: Error, CaseIterable {
  case method, methodUnknown, tunnel
  case target, targetForm, targetTooLong
  case version, versionUnsupported
  case lineEnd, leadingLineBreaks
  case fieldName, fieldNameSpace, fieldFolded, fieldValue
  case fieldsTooMany, headTooLarge
  case hostMissing, hostTwice, hostInvalid
  case contentLength, contentLengthTwice, bothLengths
  case transferCoding, transferCodingOrder, transferCodingUnknown, transferCodingVersion
  case expectation
  case bodyTooLarge
  case chunkSize, chunkExtension, chunkEnd, chunkLineTooLong
  case trailersTooLarge
  case headTimeout, bodyTimeout

  package func error(_ limits: borrowing HTTPLimits) -> HTTPError {
    func reply(_ status: HTTPStatus, _ detail: String, limit: Int? = nil) -> HTTPError {
      HTTPError(status, detail, limit: limit, closesConnection: true)
    }
    return switch self {
    case .method: reply(.badRequest, "The request line does not begin with a method.")
    case .methodUnknown: reply(.notImplemented, "The method is not known.")
    case .tunnel: reply(.notImplemented, "CONNECT is not supported.")
    case .target: reply(.badRequest, "The request target holds a byte that is not allowed there.")
    case .targetForm: reply(.badRequest, "The request target is neither a path nor an http URI.")
    case .targetTooLong: reply(.uriTooLong, "The request target is too long.", limit: limits.targetBytesMax)
    case .version: reply(.badRequest, "The request line does not end with a protocol version.")
    case .versionUnsupported: reply(.httpVersionNotSupported, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    case .lineEnd: reply(.badRequest, "A line does not end with CR LF.")
    case .leadingLineBreaks: reply(.badRequest, "Too many empty lines before the request.", limit: limits.leadingLineBreaksMax)
    case .fieldName: reply(.badRequest, "A field name is empty or holds a byte that is not allowed there.")
    case .fieldNameSpace: reply(.badRequest, "There is a space between a field name and its colon.")
    case .fieldFolded: reply(.badRequest, "A field line begins with a space.")
    case .fieldValue: reply(.badRequest, "A field value holds a control byte.")
    case .fieldsTooMany: reply(.requestHeaderFieldsTooLarge, "The request has too many fields.", limit: limits.fieldCountMax)
    case .headTooLarge: reply(.requestHeaderFieldsTooLarge, "The request's head is too large.", limit: limits.headBytesMax)
    case .hostMissing: reply(.badRequest, "The request has no Host field.")
    case .hostTwice: reply(.badRequest, "The request has more than one Host field.")
    case .hostInvalid: reply(.badRequest, "The Host is not valid.")
    case .contentLength: reply(.badRequest, "Content-Length is not a number.")
    case .contentLengthTwice: reply(.badRequest, "The request has more than one Content-Length field.")
    case .bothLengths: reply(.badRequest, "The request has both Content-Length and Transfer-Encoding.")
    case .transferCoding: reply(.badRequest, "Transfer-Encoding is malformed.")
    case .transferCodingOrder: reply(.badRequest, "The chunked coding must come last, and once.")
    case .transferCodingUnknown: reply(.notImplemented, "The only transfer coding known here is chunked.")
    case .transferCodingVersion: reply(.badRequest, "HTTP/1.0 has no Transfer-Encoding.")
    case .expectation: reply(.expectationFailed, "The only expectation known here is 100-continue.")
    case .bodyTooLarge: reply(.contentTooLarge, "The body is too large.", limit: limits.bodyBytesMax)
    case .chunkSize: reply(.badRequest, "A chunk's size is malformed.")
    case .chunkExtension: reply(.badRequest, "A chunk extension is malformed, or there are too many of them.")
    case .chunkEnd: reply(.badRequest, "A chunk does not end with CR LF.")
    case .chunkLineTooLong: reply(.badRequest, "A chunk's size line is too long.", limit: limits.chunkLineBytesMax)
    case .trailersTooLarge: reply(.requestHeaderFieldsTooLarge, "The trailer section is too large.", limit: limits.headBytesMax)
    case .headTimeout: reply(.requestTimeout, "The request's head took too long to arrive.")
    case .bodyTimeout: reply(.requestTimeout, "The request's body arrives too slowly.")
    }
  }
}
