// libFuzzer target for the paths of JSON commands; run by scripts/fuzz, which compiles it together with the sources of MartletBytes and
// MartletJSON. Not part of the package.
//
// The input up to the first line feed is a path, what follows it a document. What must hold for any of both: no crash, no read out of bounds
// (both are copied to memory of their exact size), offsets of errors within the path; a path reads the same from its `$` text; what it finds
// lies in the document and is a value by itself, of the kind that was told; without it, the document still is one.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONPath(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0, let start = unsafe start else { return 0 }
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let end = input.firstIndex(of: 0x0A) ?? input.count
  let path = Array(input[..<end])
  let document = Array(input[min(end + 1, input.count)...])
  do throws(JSONError) {
    let read = try JSONPath(path.rawSpan)
    let again = try JSONPath(read.text.rawSpan)
    precondition(again.steps == read.steps && (read.isRoot || !again.isBare), "another path than the one it was made from")
    locate(read, in: document)
  } catch {
    precondition(error.offset >= 0 && error.offset <= path.count, "an error outside of the path")
  }
  return 0
}

private func locate(_ path: JSONPath, in document: [UInt8]) {
  do throws(JSONError) {
    guard let place = try path.locate(in: document.rawSpan) else { return }
    let parent = try path.locateParent(in: document.rawSpan)
    precondition(parent != nil, "a value that is in nothing")
    try JSONScanner.validate(document.rawSpan[place.value])
    var reader = JSONReader(document.rawSpan[place.value])
    let kind = try reader.peek()
    precondition(kind == place.kind, "another kind than was told")
    precondition(place.extent.lowerBound <= place.value.lowerBound && place.extent.upperBound >= place.value.upperBound)
    if path.isRoot { return }
    var rest = ByteBuffer()
    rest.append(document.rawSpan[0..<place.extent.lowerBound])
    rest.append(document.rawSpan[place.extent.upperBound..<document.count])
    try JSONScanner.validate(rest.bytes)
  } catch {
    // The document was none to begin with, or one broken by taking a valid part away.
    var isValid = true
    do throws(JSONError) { try JSONScanner.validate(document.rawSpan) } catch { isValid = false }
    precondition(!isValid, "what a path finds is no value by itself, or leaves none behind")
  }
}
