/// The names of the Codable road: `MartletJSON.Encoder` and `MartletJSON.Decoder`.
///
/// They stand in a namespace because each plain name is taken where users work: `JSONEncoder` by Foundation, and a top-level `Encoder`
/// would hide the standard library's protocol in every file that imports this module, so that `encode(to encoder: any Encoder)`
/// would no longer compile there. The namespace has the module's name; where the module itself is meant, Swift 6.3 says
/// `MartletJSON::JSONWriter`.

public enum MartletJSON {}
