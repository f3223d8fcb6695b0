/// The bounds of memcached requests that have a name, and what is answered to a request that cannot be carried out.

package struct MemcachedLimits: Sendable {
  /// Bytes of a key.
  package static var keyBytesMax: Int { 250 }
  /// Bytes of a line, its end not counted.
  package var lineBytesMax = 2048
  /// The same of a line that names many keys: `get` and its kin. memcached has no bound here.
  package var keysLineBytesMax = 8 << 20
  /// Bytes of a data block.
  package var dataBytesMax: Int
  /// Bytes of the data block that shows a token.
  package var credentialsBytesMax = 16384
  /// Words of a meta command, as in memcached.
  package static var metaWordsMax: Int { 22 }
  /// Bytes of the opaque token of a meta command (`O`), its flag not counted.
  package static var opaqueBytesMax: Int { 31 }

  package init(dataBytesMax: Int) { self.dataBytesMax = dataBytesMax }
}

/// Why a request is not carried out. After those that `closes`, the stream cannot be read on.
package enum MemcachedError: UInt8, Error, Sendable {
  case unknownCommand
  case badLine
  case badData
  case badDelta
  case badExpiry
  case badDelete
  case badClass
  case tooLarge
  case outOfMemory
  case notANumber
  // Meta commands.
  case duplicateFlag
  case invalidFlag
  case invalidOrDuplicateFlag
  case badToken
  case badKeyEncoding
  case modeLength
  case setMode
  case arithmeticMode
  case tooManyFlags
  case opaqueTooLong
  // Who may ask.
  case unauthenticated
  case badCredentialsEnd
  case badCredentials
  case wrongCredentials
  // The connection is closed.
  case lineTooLong
  case binaryProtocol
  case httpRequest

  /// As memcached 1.6.18 words it, where it has words.
  package var text: StaticString {
    switch self {
    case .unknownCommand: "ERROR\r\n"
    case .badLine: "CLIENT_ERROR bad command line format\r\n"
    case .badData: "CLIENT_ERROR bad data chunk\r\n"
    case .badDelta: "CLIENT_ERROR invalid numeric delta argument\r\n"
    case .badExpiry: "CLIENT_ERROR invalid exptime argument\r\n"
    case .badDelete: "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
    case .badClass: "BADCLASS invalid class id\r\n"
    case .tooLarge: "SERVER_ERROR object too large for cache\r\n"
    case .outOfMemory: "SERVER_ERROR out of memory storing object\r\n"
    case .notANumber: "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    case .duplicateFlag: "CLIENT_ERROR duplicate flag\r\n"
    case .invalidFlag: "CLIENT_ERROR invalid flag\r\n"
    case .invalidOrDuplicateFlag: "CLIENT_ERROR invalid or duplicate flag\r\n"
    case .badToken: "CLIENT_ERROR bad token in command line format\r\n"
    case .badKeyEncoding: "CLIENT_ERROR error decoding key\r\n"
    case .modeLength: "CLIENT_ERROR incorrect length for M token\r\n"
    case .setMode: "CLIENT_ERROR invalid mode for ms M token\r\n"
    case .arithmeticMode: "CLIENT_ERROR invalid mode for ma M token\r\n"
    case .tooManyFlags: "CLIENT_ERROR options flags are too long\r\n"
    case .opaqueTooLong: "CLIENT_ERROR opaque token too long\r\n"
    case .unauthenticated: "CLIENT_ERROR unauthenticated\r\n"
    case .badCredentialsEnd: "CLIENT_ERROR bad command line termination\r\n"
    case .badCredentials: "CLIENT_ERROR bad authentication token format\r\n"
    case .wrongCredentials: "CLIENT_ERROR authentication failure\r\n"
    case .lineTooLong: "CLIENT_ERROR line too long\r\n"
    case .binaryProtocol: "CLIENT_ERROR the binary protocol is not spoken here\r\n"
    case .httpRequest: ""
    }
  }

  package var closes: Bool { rawValue >= MemcachedError.lineTooLong.rawValue }
}
