// What the parser makes of bytes given in pieces, as a connection gives them; and a plain parser to compare it with.

import MartletBytes
import MartletCacheProtocols

struct Reading: Equatable {
  var commands: [[[UInt8]]] = []
  var failure: RESPProtocolError?
  /// How often the parser was asked.
  var calls = 0
}

let limits = RESPLimits(bulkBytesMax: 1 << 20)

/// Feeds `pieces` one after another, keeping what was not consumed, and asking again only where that was said to make sense.
///
/// `readsUsual`: as a session does, what can be read in one go is. What the parser says of names must be true then.
func read(_ pieces: [[UInt8]], limits: RESPLimits = limits, isAuthenticated: Bool = true, readsUsual: Bool = true) -> Reading {
  var parser = RESPParser()
  var noted: (name: [UInt8], count: Int)?
  func note(_ name: RESPCommand.Name, _ command: [[UInt8]]) {
    switch name {
    case .other: break
    case .noted: noted = (command[0], command.count)
    case .same: precondition(noted?.name == command[0] && noted?.count == command.count, "another command than the one noted")
    }
  }
  var reading = Reading()
  var waiting: [UInt8] = []
  var wanted = 1
  for piece in pieces {
    waiting += piece
    if waiting.count < wanted { continue }
    var start = 0
    let input = waiting
    var slices = UniqueArray<RESPSlice>()
    loop: while true {
      slices.removeAll()
      if readsUsual, isAuthenticated, !parser.isUnderWay {
        var usual = UniqueArray<RESPCommand>()
        start = parser.parseUsual(input.rawSpan, from: start, limits: limits, into: &slices, &usual, argumentsMax: 8, commandsMax: 3)
        for index in 0..<usual.count {
          let command = usual[index]
          let places = slices.span.extracting(Int(command.first)..<Int(command.first + command.count))
          let arguments = RESPArguments(places, of: input.rawSpan)
          reading.commands.append((0..<arguments.count).map { arguments[$0].copied() })
          note(command.name, reading.commands[reading.commands.count - 1])
        }
        slices.removeAll()
        if !usual.isEmpty { continue }
      }
      reading.calls += 1
      do {
        let outcome = try parser.parse(
          input.rawSpan, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &slices)
        switch outcome {
        case .command(let end):
          let arguments = RESPArguments(slices.span, of: input.rawSpan)
          if arguments.count > 0 { reading.commands.append((0..<arguments.count).map { arguments[$0].copied() }) }
          start = end
        case .inlineCommand(let end):
          let arguments = RESPArguments(slices.span, of: parser.unquoted.bytes)
          if arguments.count > 0 { reading.commands.append((0..<arguments.count).map { arguments[$0].copied() }) }
          start = end
        case .incomplete(let bytesWanted):
          precondition(slices.isEmpty, "arguments of a command that is not complete")
          precondition(bytesWanted > input.count - start, "wants what it has")
          wanted = bytesWanted
          break loop
        }
      } catch {
        reading.failure = error
        return reading
      }
    }
    waiting.removeFirst(min(start, waiting.count))
  }
  return reading
}

func read(_ text: String) -> Reading { read([Array(text.utf8)]) }

func words(_ reading: Reading) -> [[String]] { reading.commands.map { $0.map { String(decoding: $0, as: UTF8.self) } } }

func multibulk(_ arguments: [[UInt8]]) -> [UInt8] {
  var bytes = Array("*\(arguments.count)\r\n".utf8)
  for argument in arguments { bytes += Array("$\(argument.count)\r\n".utf8) + argument + [13, 10] }
  return bytes
}

/// Multibulk only, as slowly and plainly as can be: reads what is complete, stops at what is not.
func naiveRead(_ input: [UInt8], limits: RESPLimits = limits) -> Reading {
  var reading = Reading()
  var rest = input[...]
  func line() -> [UInt8]? {
    guard let end = rest.firstIndex(of: 13), end + 1 < rest.endIndex else { return nil }
    defer { rest = rest[(end + 2)...] }
    return Array(rest[..<end])
  }
  func number(_ line: [UInt8]) -> Int? {
    let text = String(decoding: line.dropFirst(), as: UTF8.self)
    return Int(text).flatMap { String($0) == text ? $0 : nil }
  }
  while rest.first == UInt8(ascii: "*") {
    guard let head = line() else { return reading }
    guard let count = number(head), count <= limits.argumentsMax else {
      reading.failure = .multibulkLength
      return reading
    }
    var arguments: [[UInt8]] = []
    while arguments.count < count {
      guard let first = rest.first else { return reading }
      guard first == UInt8(ascii: "$") else {
        reading.failure = .expectedBulk(first)
        return reading
      }
      guard let head = line() else { return reading }
      guard let size = number(head), size >= 0, size <= limits.bulkBytesMax else {
        reading.failure = .bulkLength
        return reading
      }
      guard rest.count >= size + 2 else { return reading }
      arguments.append(Array(rest.prefix(size)))
      rest = rest.dropFirst(size + 2)
    }
    if !arguments.isEmpty { reading.commands.append(arguments) }
  }
  return reading
}
