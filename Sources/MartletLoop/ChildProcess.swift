/// Another program, started beside this one and ended with it: what comparisons need of a shell, and no more.
///
/// Thread rule: one thread per value. Nothing is read from the program; what it prints goes to a file, or nowhere.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package struct ChildProcess: ~Copyable {
  package let process: Int32
  /// How it ended: an exit status, or 128 and the signal; nil while it runs.
  package private(set) var status: Int32?

  /// The number of the process that this is.
  package static var ownProcess: Int32 { getpid() }

  /// Keeps the calling thread from going on, for programs that have nothing else to do.
  package static func pause(seconds: Double) { usleep(UInt32(seconds * 1e6)) }

  /// Starts a program, looked for along PATH, with the environment of this process. Its input is empty; standard output and error go to
  /// `output`, written anew, or nowhere.
  package init(_ command: [String], output: String? = nil) throws(UVError) {
    precondition(!command.isEmpty, "a program has a name")
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // C strings of this call's own; the array of pointers to them ends with nil, as execve(2) wants.
    var words: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var process: pid_t = 0
    let code = unsafe posix_spawnp(&process, command[0], &actions, nil, words, environ)
    guard code == 0 else { throw UVError(code: -code, attempted: "start \(command[0])") }
    self.process = process
  }

  /// Whether it still runs; afterwards `status` says how it ended.
  package mutating func isRunning() -> Bool {
    if status == nil { reap(waiting: false) }
    return status == nil
  }

  /// Waits for its end.
  package mutating func wait() -> Int32 {
    if status == nil { reap(waiting: true) }
    return status ?? 0
  }

  package func signal(_ number: Int32) {
    if status == nil { _ = kill(process, number) }
  }

  /// Asks it to end, and ends it after so long.
  package mutating func end(withinSeconds seconds: Double = 3) {
    signal(SIGTERM)
    for _ in 0..<Int(seconds * 100) {
      if !isRunning() { return }
      usleep(10_000)
    }
    signal(SIGKILL)
    _ = wait()
  }

  deinit { if status == nil { ChildProcess.endNow(process) } }

  private static func endNow(_ process: Int32) {
    var ended: Int32 = 0
    _ = kill(process, SIGKILL)
    while unsafe waitpid(process, &ended, 0) == -1 && errno == EINTR {}
  }

  private mutating func reap(waiting: Bool) {
    var ended: Int32 = 0
    while true {
      let found = unsafe waitpid(process, &ended, waiting ? 0 : WNOHANG)
      if found == -1 && errno == EINTR { continue }
      if found == process { status = ended & 0x7F == 0 ? ended >> 8 & 0xFF : 128 + ended & 0x7F }
      if found == -1 { status = -1 }  // somebody else has waited for it
      return
    }
  }
}
