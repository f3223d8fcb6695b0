/// The blocks of a page, copied, while the page is laid out anew. Engine.
///
/// One of the four homes of unsafe code. Invariant: `lines` holds `blockCount` blocks from `init` to `deinit`,
/// and begins at a multiple of their size, as blocks do.

internal import MartletBytes

@safe
struct PageCopy: ~Copyable {
  private let lines: UnsafeMutableRawPointer
  let blockCount: Int
  private let count: Int

  init(_ page: Page) {
    blockCount = page.blockCount
    count = page.count
    unsafe lines = .allocate(byteCount: blockCount * TablePool.blockBytes, alignment: TablePool.blockBytes)
    for index in 0..<blockCount {
      unsafe (lines + index * TablePool.blockBytes).copyMemory(from: PageCopy.block(index, of: page), byteCount: TablePool.blockBytes)
    }
  }

  deinit { unsafe lines.deallocate() }

  @unsafe
  private static func block(_ index: Int, of page: Page) -> UnsafeMutableRawPointer {
    unsafe page.blocks + Int(page.block(index)) * TablePool.blockBytes
  }

  /// Puts everything back as it was; the page has its `blockCount` blocks again.
  func restore(_ page: Page) {
    for index in 0..<blockCount {
      unsafe PageCopy.block(index, of: page).copyMemory(from: lines + index * TablePool.blockBytes, byteCount: TablePool.blockBytes)
    }
    page.count = count
  }

  /// Clears the page and puts the copied slots with tags from `first` to `end` into it. False if one found no place.
  func layOut(in page: Page, from first: UInt32, to end: UInt32) -> Bool {
    for index in 0..<page.blockCount {
      unsafe PageCopy.block(index, of: page).initializeMemory(as: UInt8.self, repeating: 0, count: TablePool.blockBytes)
    }
    page.count = 0
    for number in 0..<blockCount * Page.linesPerBlock {
      let line = line(number)
      for index in 0..<Line.slotCount {
        let slot = line[index]
        guard slot.isFull, slot.tag >= first, slot.tag < end else { continue }
        if !page.insert(slot, tick: line.tick(index)) { return false }
      }
    }
    return true
  }

  private func line(_ number: Int) -> Line {
    let (block, index) = number.quotientAndRemainder(dividingBy: Page.linesPerBlock)
    return unsafe Line(base: lines + (block * TablePool.blockBytes + index * Line.bytes))
  }

  /// How many slots have tags from `first` to `end`.
  func count(from first: UInt32, to end: UInt32) -> Int {
    var count = 0
    for number in 0..<blockCount * Page.linesPerBlock {
      let line = line(number)
      for index in 0..<Line.slotCount where line[index].isFull && line[index].tag >= first && line[index].tag < end { count += 1 }
    }
    return count
  }
}
