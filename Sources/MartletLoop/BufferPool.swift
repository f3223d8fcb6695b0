/// Byte buffers between uses, the last used first: it is still in the cache.
///
/// Bounded twice: by the number kept, and by the size of each, so that one large reply does not keep its memory for ever.

import MartletBytes

@safe
struct BufferPool: ~Copyable {
  /// Owned from `init` to `deinit`; the first `count` are initialised.
  private let buffers: UnsafeMutablePointer<ByteBuffer>
  private(set) var count = 0

  init() { unsafe buffers = .allocate(capacity: LoopLimits.pooledBuffersMax) }

  deinit {
    unsafe buffers.deinitialize(count: count)
    unsafe buffers.deallocate()
  }

  /// An empty buffer with memory.
  mutating func take() -> ByteBuffer {
    guard count > 0 else { return ByteBuffer(capacity: LoopLimits.bufferBytesMin) }
    count &-= 1
    return unsafe (buffers + count).move()
  }

  /// Takes back a buffer whose bytes are no longer needed.
  mutating func give(_ buffer: consuming ByteBuffer) {
    guard buffer.capacity >= LoopLimits.bufferBytesMin, buffer.capacity <= LoopLimits.pooledBufferBytesMax,
      count < LoopLimits.pooledBuffersMax
    else { return }
    buffer.removeAll()
    unsafe (buffers + count).initialize(to: buffer)
    count &+= 1
  }
}
