// libFuzzer target for what RESTORE takes; run by scripts/fuzz, which compiles it together with the sources of MartletBytes and
// MartletCacheProtocols. Not part of the package.
//
// What must hold for any input: no crash, no read out of bounds (it is copied to memory of its exact size), nothing beyond the bound. A
// fuzzer finds no checksum, so each input is read as it is and again with the footer that belongs to it; taken as a value, it comes back as it
// was from what DUMP gives.

private let bytesMax = 4096

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRDBString(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0, let start = unsafe start else { return 0 }
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  _ = read(input)
  _ = read(input + RDBString.footer(of: input.rawSpan, RawSpan()))
  _ = read([0] + input + RDBString.footer(of: ([0] + input).rawSpan, RawSpan()))
  precondition(read(dump(input)) == (input.count > bytesMax ? nil : input), "what was dumped is not what comes back")
  return 0
}

private func read(_ payload: [UInt8]) -> [UInt8]? {
  do throws(RDBString.Failure) {
    let value = try RDBString.read(payload.rawSpan, bytesMax: bytesMax)
    precondition(value.count <= bytesMax, "more than the bound")
    return value.copied()
  } catch {
    return nil
  }
}

private func dump(_ value: [UInt8]) -> [UInt8] {
  var output = ByteBuffer()
  if !RDBString.appendInteger(value.rawSpan, to: &output) {
    RDBString.appendHead(ofCount: value.count, to: &output)
    output.append(value)
  }
  RDBString.appendFooter(from: 0, to: &output)
  return output.copied()
}
