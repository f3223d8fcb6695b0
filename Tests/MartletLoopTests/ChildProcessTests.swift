import MartletBytes
import Testing

@testable import MartletLoop

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct ChildProcessTests {
  @Test("A program's words go to a file, its status is told")
  func output() throws {
    let folder = try #require(Folder.makeTemporary())
    defer { Folder.remove(folder) }
    var child = try ChildProcess(["sh", "-c", "echo out; echo error >&2; cat; exit 7"], output: folder + "/log")
    let status = child.wait()
    #expect(status == 7)
    #expect(SmallFile.read(folder + "/log")?.text == "out\nerror\n")
    let isRunning = child.isRunning()
    #expect(!isRunning)
    child.signal(SIGKILL)  // nobody's any more: nothing happens
  }

  @Test("A program that is not there is an error that names it")
  func absent() throws {
    let error = #expect(throws: UVError.self) { _ = try ChildProcess(["no-such-program"]) }
    #expect(error?.attempted == "start no-such-program" && error?.name == "ENOENT")
  }

  @Test("A program is asked to end, and ended if it does not", arguments: [false, true])
  func end(deaf: Bool) throws {
    let folder = try #require(Folder.makeTemporary())
    defer { Folder.remove(folder) }
    var child = try ChildProcess(
      ["sh", "-c", "\(deaf ? "trap '' TERM; " : "")echo begun; while :; do sleep 0.05; done"], output: folder + "/log")
    while SmallFile.read(folder + "/log")?.text != "begun\n" { ChildProcess.pause(seconds: 0.005) }
    let isRunning = child.isRunning()
    #expect(isRunning)
    child.end(withinSeconds: deaf ? 0.05 : 30)
    let status = child.status
    #expect(status == 128 + (deaf ? SIGKILL : SIGTERM))
  }

  @Test("A program whose value goes is ended with it")
  func dropped() throws {
    let process = try run()
    #expect(kill(process, 0) == -1 && errno == ESRCH)
    func run() throws -> Int32 { try ChildProcess(["sleep", "1000"]).process }
  }
}
