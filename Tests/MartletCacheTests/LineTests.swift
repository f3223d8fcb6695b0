// What is read of lines and notes sixteen bytes at a time, against the plain loops.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Lines of the table")
struct LineTests {
  /// A block of memory like the table's.
  @safe
  struct Block: ~Copyable {
    private let base: UnsafeMutableRawPointer

    init() {
      unsafe base = .allocate(byteCount: TablePool.blockBytes, alignment: TablePool.blockBytes)
      unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: TablePool.blockBytes)
    }

    deinit { unsafe base.deallocate() }

    func line(_ number: Int) -> Line { unsafe Line(base: base + number * Line.bytes) }
    var notes: BlockNotes { unsafe BlockNotes(base: base + BlockNotes.offset) }
  }

  @Test("The slots with a tag are found, in every place, and empty ones are not")
  func slots() {
    var random = SplitMix64(seed: 11)
    let block = Block()
    for _ in 0..<3000 {
      let line = block.line(random.below(Page.linesPerBlock))
      // Few tags, so that they meet; the least and the greatest among them.
      let tags: [UInt32] = [0, 1, 2, 1 << 24, 1 << 25 - 1]
      for index in 0..<Line.slotCount {
        let slot = Slot(location: 1 + random.below(1 << 37 - 1), tag: tags[random.below(5)], uses: UInt64(random.below(4)))
        line[index] = random.below(4) == 0 ? .empty : slot
      }
      for tag in tags {
        let expected = (0..<Line.slotCount).filter { line[$0].isFull && line[$0].tag == tag }
        var matches = line.matches(tag)
        var found: [Int] = []
        while !matches.isEmpty {
          found.append(matches.first)
          matches.removeFirst()
        }
        #expect(found == expected)
        #if arch(x86_64)
          #expect(line.matchesSSE2(tag).bits == line.matchesScalar(tag).bits)
        #endif
      }
    }
  }

  @Test("Ticks that are due are found, round the end of the codes too, and overflow counters are not taken for ticks")
  func dueTicks() {
    var random = SplitMix64(seed: 4)
    let block = Block()
    for _ in 0..<3000 {
      let rings = [CodeRing(first: 1, count: 192), CodeRing(first: 193, count: 63)]
      var due = DueCodes()
      var isDue = [Bool](repeating: false, count: 256)
      for ring in rings {
        let done = Int64(random.below(1000)) - 500
        let tick = done + Int64([0, 1, 2, 3, 62, 63, 100, 300][random.below(8)])
        due.insert(ring, after: done, through: tick)
        if tick > done { for one in done + 1...tick { isDue[Int(ring.code(one))] = true } }
      }
      #expect(!isDue[0])
      var expected: UInt64 = 0
      for index in 0..<BlockNotes.tickCount {
        let code = UInt8(random.below(256))
        block.notes[index] = code
        if isDue[Int(code)] { expected |= 1 << UInt64(index) }
      }
      for line in 0..<Page.linesPerBlock { block.line(line).overflow = UInt8(random.below(25)) }
      #expect(due.matches(block.notes) == expected)
      #expect(due.matchesScalar(block.notes) == expected)
    }
  }

  @Test("A tick is that of its slot")
  func places() {
    let block = Block()
    for number in 0..<Page.linesPerBlock {
      for index in 0..<Line.slotCount {
        block.line(number).setTick(index, 7)
        var codes = DueCodes()
        codes.insert(CodeRing(first: 7, count: 1), after: 0, through: 1)
        let due = codes.matches(block.notes)
        #expect(due.nonzeroBitCount == 1)
        let (line, place) = block.notes.slot(ofTick: due.trailingZeroBitCount)
        #expect(unsafe line.base == block.line(number).base && place == index)
        block.line(number).setTick(index, 0)
      }
    }
  }
}
