/// The small parts: ring, pool, table, error.

import MartletBytes
import Testing

@testable import MartletLoop

@Suite struct RingTests {
  @Test("A ring gives in the order in which it took, through every growth and wrap")
  func order() {
    var ring = Ring<String>(capacity: 2)
    var taken = 0
    var given = 0
    for step in 0..<200 {
      for _ in 0..<(step % 7) {
        ring.append("\(taken)")
        taken += 1
      }
      for _ in 0..<(step % 5) {
        if let text = ring.popFirst() {
          #expect(text == "\(given)")
          given += 1
        }
      }
      let count = ring.count
      #expect(count == taken - given)
    }
    let isEmpty = ring.isEmpty
    #expect(!isEmpty)  // what is left is destroyed with the ring
  }
}

@Suite struct BufferPoolTests {
  @Test("The pool gives back what it took last, empty, and keeps no more than its bounds")
  func bounds() {
    var pool = BufferPool()
    for _ in 0..<1000 { pool.give(ByteBuffer(capacity: LoopLimits.bufferBytesMin)) }
    let kept = pool.count
    #expect(kept == LoopLimits.pooledBuffersMax)
    var large = BufferPool()
    for _ in 0..<1000 { large.give(ByteBuffer(capacity: LoopLimits.pooledBufferBytesMax)) }
    let bytes = large.bytes
    #expect(bytes <= LoopLimits.pooledBytesMax)
    var small = BufferPool()
    small.give(ByteBuffer(capacity: LoopLimits.pooledBufferBytesMax * 2))
    small.give(ByteBuffer())
    let none = small.count
    #expect(none == 0)
    var buffer = ByteBuffer(capacity: 20_000)
    buffer.append("text")
    small.give(buffer)
    let again = small.take()
    let (count, capacity, left) = (again.count, again.capacity, small.bytes)
    #expect(count == 0 && capacity == 20_000 && left == 0)
  }
}

@Suite struct UVErrorTests {
  @Test("An error says what was attempted, why it failed, and by what name libuv knows that")
  func description() {
    let error = UVError(code: UVError.addressInUse, attempted: "listen on 127.0.0.1:80")
    #expect(error.description == "cannot listen on 127.0.0.1:80: address already in use (EADDRINUSE)")
    #expect(UVError(code: -99_999, attempted: "x").description.hasPrefix("cannot x: Unknown system error"))
  }
}
