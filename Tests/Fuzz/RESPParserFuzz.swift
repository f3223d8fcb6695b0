// libFuzzer target for requests of RESP; run by scripts/fuzz, which compiles it together with the sources of MartletBytes and
// MartletCacheProtocols. Not part of the package.
//
// What must hold for any input: no crash, no read out of bounds (the input is copied to memory of its exact size), arguments within the
// input, more wanted than there is where a command is incomplete, and the same commands however the input is cut.

/// The first byte of the input decides where the rest is cut a second time.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRESPParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 1, let start = unsafe start else { return 0 }
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let bytes = Array(input[1...])
  let cut = Int(input[0]) * bytes.count / 256
  let whole = read([bytes])
  let usual = read([bytes], readsUsual: true)
  precondition(whole.commands == usual.commands && whole.failure == usual.failure, "what is read in one go is not what is there")
  let parts = read([Array(bytes[..<cut]), Array(bytes[cut...])])
  precondition(whole.commands == parts.commands && whole.failure == parts.failure, "what is read depends on where the input is cut")
  return 0
}

private func read(_ pieces: [[UInt8]], readsUsual: Bool = false) -> (commands: [[[UInt8]]], failure: RESPProtocolError?) {
  var limits = RESPLimits(bulkBytesMax: 512)
  limits.argumentsMax = 64
  limits.inlineBytesMax = 4096  // beyond what the fuzzer gives: when a line is found too long depends on the cut
  var parser = RESPParser()
  var commands: [[[UInt8]]] = []
  var noted: (name: [UInt8], count: Int)?
  var waiting: [UInt8] = []
  for piece in pieces {
    waiting += piece
    let input = waiting
    var start = 0
    var isComplete = true
    while isComplete {
      var slices = UniqueArray<RESPSlice>()
      var usual = UniqueArray<RESPCommand>()
      if readsUsual, !parser.isUnderWay {
        start = parser.parseUsual(input.rawSpan, from: start, limits: limits, into: &slices, &usual, argumentsMax: 8, commandsMax: 3)
      }
      for index in 0..<usual.count {
        let command = usual[index]
        let places = slices.span.extracting(Int(command.first)..<Int(command.first + command.count))
        let arguments = RESPArguments(places, of: input.rawSpan)
        commands.append((0..<arguments.count).map { arguments[$0].copied() })
        if command.name == .noted { noted = (commands[commands.count - 1][0], arguments.count) }
        let isNoted = noted.map { $0.name == commands[commands.count - 1][0] && $0.count == arguments.count } ?? false
        precondition(command.name != .same || isNoted, "another command than the one noted")
      }
      if !usual.isEmpty { continue }
      do {
        switch try parser.parse(input.rawSpan, from: start, limits: limits, into: &slices) {
        case .command(let end):
          precondition(end > start && end <= input.count)
          let arguments = RESPArguments(slices.span, of: input.rawSpan)
          commands.append((0..<arguments.count).map { arguments[$0].copied() })
          start = end
        case .inlineCommand(let end):
          precondition(end > start && end <= input.count)
          let arguments = RESPArguments(slices.span, of: parser.unquoted.bytes)
          commands.append((0..<arguments.count).map { arguments[$0].copied() })
          start = end
        case .incomplete(let bytesWanted):
          precondition(slices.isEmpty && bytesWanted > input.count - start)
          isComplete = false
        }
      } catch {
        return (commands, error)
      }
    }
    waiting.removeFirst(start)
  }
  return (commands, nil)
}
