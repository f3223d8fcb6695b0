import MartletServer
import Testing

@testable import CacheServer

@Suite("CacheServerProcess")
struct CacheServerProcessTests {
  @Test("Entries get the limit of the process less what it holds at rest and sets aside, and no less than half")
  func entryBytes() {
    #expect(CacheServerProcess.entryBytesMax(memory: .mebibytes(512), residentAtRest: 12 << 20) == (512 - 12 - 4) << 20)
    #expect(CacheServerProcess.entryBytesMax(memory: .mebibytes(32), residentAtRest: 12 << 20) == 16 << 20)
    #expect(CacheServerProcess.entryBytesMax(memory: .mebibytes(32), residentAtRest: 60 << 20) == 16 << 20)
  }
}
