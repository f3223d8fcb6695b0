/// What strategies of other modules may ask of our encoders and decoders beyond the standard library's protocols: a number as its text.
///
/// For types with more digits than a double has, `Decimal` for one. Every encoder and decoder that a strategy is handed is one of these.

import MartletBytes

package protocol NumberTextEncoder {
  /// Fills the encoder's place with a number, `text` being one by RFC 8259's grammar. Throws `EncodingError` if the road cannot hold it.
  func encode(numberText text: String) throws
}

package protocol NumberTextDecoder {
  /// The number at the decoder's place as it is written. Throws `DecodingError` for other kinds of value, `type` in it.
  func numberText(for type: any Any.Type) throws -> String
}

extension ValueEncoder: NumberTextEncoder {
  package func encode(numberText text: String) throws { stream.fill(slot).write(number: text) }
}

extension ValueDecoder: NumberTextDecoder {
  package func numberText(for type: any Any.Type) throws -> String {
    let token = tape.token(index)
    guard token.kind == .number else { throw tape.mismatch(type, .number, at: index) }
    return tape.withBytes(token) { $0.text }
  }
}
