/// The two loops that see whole lines at once: which slots of a line hold a tag, which ticks of a block are due.
///
/// The plain algorithms stand here too (`matchesScalar`, `dueScalar`): slot by slot, tick by tick. On x86_64 the same is done sixteen bytes
/// at a time (SSE2, which every such machine has), without branches: where in a line an entry stands cannot be predicted. Tests hold both
/// together.

internal import MartletBytes

#if arch(x86_64)
  import _Builtin_intrinsics.intel
#endif

/// Slots of a line that hold a tag: slot n as bit 2n, which is what comparing sixteen bytes at a time gives.
struct SlotMatches {
  private(set) var bits: UInt32

  @inline(__always)
  init(bits: UInt32) { self.bits = bits }

  @inline(__always) var isEmpty: Bool { bits == 0 }
  /// The lowest slot; there is one.
  @inline(__always) var first: Int { bits.trailingZeroBitCount &>> 1 }
  @inline(__always)
  mutating func removeFirst() { bits &= bits &- 1 }
  fileprivate mutating func remove(_ index: Int) { bits &= ~(1 << UInt32(2 * index)) }
}

extension Line {
  /// The full slots with `tag`.
  @inline(__always)
  func matches(_ tag: UInt32) -> SlotMatches {
    #if arch(x86_64)
      var matches = matchesSSE2(tag)
    #else
      var matches = matchesScalar(tag)
    #endif
    // An empty slot looks like one of tag 0.
    if tag == 0 { for index in 0..<Line.slotCount where !self[index].isFull { matches.remove(index) } }
    return matches
  }

  /// Slots with `tag`, empty ones too if that is 0.
  @inline(__always)
  func matchesScalar(_ tag: UInt32) -> SlotMatches {
    var bits: UInt32 = 0
    for index in 0..<Line.slotCount { bits |= (self[index].tag == tag ? 1 : 0) &<< UInt32(truncatingIfNeeded: 2 &* index) }
    return SlotMatches(bits: bits)
  }

  #if arch(x86_64)
    @inline(__always)
    func matchesSSE2(_ tag: UInt32) -> SlotMatches {
      // The upper half of what is shifted is 0 and of this is 1: so upper halves never agree, and each slot gives one lane of 32 bits.
      let wanted = _mm_set1_epi64x(Int64(tag) | 1 << 32)
      let low = _mm_packs_epi32(equal(0, wanted), equal(1, wanted))
      let high = _mm_packs_epi32(equal(2, wanted), equal(3, wanted))
      return SlotMatches(bits: UInt32(truncatingIfNeeded: _mm_movemask_epi8(_mm_packs_epi16(low, high))))
    }

    /// Two slots at once. A line is 64 bytes.
    @inline(__always)
    private func equal(_ pair: Int, _ wanted: SIMD2<Int64>) -> SIMD2<Int64> {
      let slots = unsafe base.load(fromByteOffset: pair &* 16, as: SIMD2<Int64>.self)
      return _mm_cmpeq_epi32(_mm_srli_epi64(slots, Int32(Slot.tagOffset)), wanted)
    }
  #endif
}

extension DueCodes {
  /// The ticks that are due, tick n as bit n.
  @inline(__always)
  func matches(_ notes: BlockNotes) -> UInt64 {
    #if arch(x86_64)
      return matchesSSE2(notes)
    #else
      return matchesScalar(notes)
    #endif
  }

  @inline(__always)
  func matchesScalar(_ notes: BlockNotes) -> UInt64 {
    var matches: UInt64 = 0
    for index in 0..<BlockNotes.tickCount { matches |= (contains(notes[index]) ? 1 : 0) &<< UInt64(truncatingIfNeeded: index) }
    return matches
  }

  #if arch(x86_64)
    @inline(__always)
    func matchesSSE2(_ notes: BlockNotes) -> UInt64 {
      var matches: UInt64 = 0
      for index in 0..<count {
        let first = _mm_set1_epi8(CChar(truncatingIfNeeded: ranges[index].first))
        let length = _mm_set1_epi8(CChar(truncatingIfNeeded: ranges[index].last &- ranges[index].first))
        for part in 0..<4 {
          let codes = unsafe notes.base.load(fromByteOffset: part &* 16, as: SIMD2<Int64>.self)
          // Below the first it is a large number.
          let distance = _mm_sub_epi8(codes, first)
          let isWithin = _mm_cmpeq_epi8(_mm_min_epu8(distance, length), distance)
          matches |= UInt64(truncatingIfNeeded: _mm_movemask_epi8(isWithin)) &<< UInt64(truncatingIfNeeded: part &* 16)
        }
      }
      // Behind the ticks stand the overflow counters.
      return matches & (1 << UInt64(BlockNotes.tickCount) - 1)
    }
  #endif
}
