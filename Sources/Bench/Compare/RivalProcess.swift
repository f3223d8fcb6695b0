/// A server of a comparison while it runs: started on its own core and port, asked until it answers rightly, ended with its scratch.

import MartletBytes
import MartletLoop

/// What is started, with the placeholders filled in.
struct ServerPlan: Sendable {
  let name: String
  let command: [String]
  let target: String
  /// Whether the members of its JSON stand in another order each time.
  let anyOrder: Bool
  /// Where its output goes, and what else it writes.
  let scratch: String

  /// This program itself, serving one protocol on one thread.
  static func martlet(_ workload: Workload, port: UInt16, scratch: String, program: String) -> ServerPlan {
    var command = [program, "serve", "--threads", "1", "--memory", "1GiB", "--log-level", "warning"]
    for listener in ["http", "resp", "memcached"] {
      command += ["--\(listener)", listener == workload.scheme ? "127.0.0.1:\(port)" : "off"]
    }
    if workload.ours == .library { command = [program, "bench", "serve", "--http", "127.0.0.1:\(port)"] }
    return ServerPlan(name: ours, command: command, target: "\(workload.scheme)://127.0.0.1:\(port)", scratch: scratch)
  }

  static let ours = "martlet"

  /// A rival, its files written to the scratch; why not.
  init(_ rival: Rival, folder: String, port: UInt16, scratch: String) throws(BenchError) {
    func filled(_ text: String) -> String {
      text.replacing("{port}", with: "\(port)").replacing("{folder}", with: folder).replacing("{scratch}", with: scratch)
    }
    for file in rival.files ?? [] {
      guard let template = SmallFile.read("\(folder)/\(file)") else { throw .failure("cannot read \(folder)/\(file)") }
      guard SmallFile.write(filled(template.text), to: "\(scratch)/\(file)") else { throw .failure("cannot write \(scratch)/\(file)") }
    }
    name = rival.name
    command = rival.command.map(filled)
    target = "\(rival.scheme)://127.0.0.1:\(port)"
    anyOrder = rival.anyOrder ?? false
    self.scratch = scratch
  }

  private init(name: String, command: [String], target: String, scratch: String) {
    (self.name, self.command, self.target, self.scratch, anyOrder) = (name, command, target, scratch, false)
  }
}

struct RivalProcess: ~Copyable {
  let plan: ServerPlan
  private var child: ChildProcess
  var process: Int32 { child.process }

  /// How long a server may take until it answers, in seconds.
  static var startSeconds: Double { 10 }
  /// Between one look and the next: what start-up times are precise to.
  static var pauseSeconds: Double { 0.001 }
  /// How long it may answer wrongly, as some do while they are about to be ready.
  static var wrongSeconds: Double { 1 }

  /// What it has answered a path with.
  private(set) var reply: [UInt8] = []
  /// From its start to its first right answer.
  private(set) var startNanoseconds: UInt64 = 0
  /// Resident memory after that.
  private(set) var idleBytes = 0
  private let core: Int?

  /// Starts it, on one core if there is a choice, and waits until `workload` is answered rightly.
  static func start(
    _ plan: ServerPlan, core: Int?, answering workload: Workload, unless interruption: Interruption
  ) throws(BenchError) -> RivalProcess {
    var server = try RivalProcess(plan, core: core)
    try server.becomeReady(workload, interruption)
    if let refused = workload.refused { try server.expectRefusal(of: refused, workload) }
    return server
  }

  /// Ends it, and starts it again as it was.
  mutating func restart(answering workload: Workload, unless interruption: Interruption) throws(BenchError) {
    child.end()
    child = try Self.launch(plan, core: core)
    try becomeReady(workload, interruption)
  }

  private init(_ plan: ServerPlan, core: Int?) throws(BenchError) {
    child = try Self.launch(plan, core: core)
    self.plan = plan
    self.core = core
  }

  private static func launch(_ plan: ServerPlan, core: Int?) throws(BenchError) -> ChildProcess {
    let pinned = core.map { ["taskset", "-c", "\($0)"] } ?? []
    // Whatever ends this process ends its servers, even what cannot be handled.
    let bound = Programs.find("setpriv") == nil ? [] : ["setpriv", "--pdeathsig", "KILL"]
    do throws(UVError) {
      return try ChildProcess(bound + pinned + plan.command, output: "\(plan.scratch)/\(plan.name).log")
    } catch { throw .failure("\(error)") }
  }

  private mutating func becomeReady(_ workload: Workload, _ interruption: Interruption) throws(BenchError) {
    let begun = MonotonicTime.now
    let options = try oneRequest(workload)
    reply = try awaitAnswer(options, since: begun, interruption)
    startNanoseconds = MonotonicTime.now.nanoseconds(since: begun)
    idleBytes = ServerMemory(process: process).residentBytes ?? 0
  }

  private func oneRequest(_ workload: Workload, _ change: (inout LoadOptionTexts) -> Void = { _ in }) throws(BenchError) -> LoadOptions {
    var texts = workload.texts(target: plan.target, effort: .tiny, clientCore: nil)
    (texts.requests, texts.connections, texts.preload, texts.rate) = (1, 1, false, nil)
    change(&texts)
    return try LoadOptions(texts)
  }

  private func expectRefusal(of body: String, _ workload: Workload) throws(BenchError) {
    for status in [422, 400] {
      let report = try LoadRun(try oneRequest(workload) { ($0.body, $0.status, $0.anyBody) = (body, status, true) }).run()
      if report.failure == nil { return }
    }
    throw .failure("a body that breaks a rule is not refused with 422 or 400: \(body)")
  }

  private mutating func awaitAnswer(
    _ options: LoadOptions, since begun: MonotonicTime, _ interruption: Interruption
  ) throws(BenchError) -> [UInt8] {
    while true {
      guard child.isRunning() else { throw .failure("it ended with \(child.status ?? 0) before it answered: \(lastWords)") }
      var trouble: BenchError
      var patience = Self.startSeconds
      do throws(BenchError) {
        let report = try LoadRun(options).run()
        if report.wasInterrupted { throw .interrupted }
        guard let failure = report.failure else {
          if child.isRunning() { return report.pathReply }
          continue  // somebody else has answered on its port
        }
        trouble = failure
        patience = Self.wrongSeconds
      } catch { trouble = error }
      if interruption.hasCome || trouble.kind == .interruption { throw .interrupted }
      if MonotonicTime.now >= begun.advanced(bySeconds: patience) {
        throw .failure("no right answer within \(short(patience)) s: \(trouble)")
      }
      ChildProcess.pause(seconds: Self.pauseSeconds)
    }
  }

  /// Why it does not run any more; nil while it does.
  mutating func death() -> String? { child.isRunning() ? nil : "it ended with \(child.status ?? 0): \(lastWords)" }

  mutating func end() { child.end() }

  private var lastWords: String {
    let lines = SmallFile.read("\(plan.scratch)/\(plan.name).log")?.text.split(separator: "\n") ?? []
    return lines.last.map(String.init) ?? "it said nothing"
  }
}

extension String {
  /// Every occurrence of `word` replaced, from the left.
  func replacing(_ word: String, with other: String) -> String {
    var result = ""
    var rest = self[...]
    while let range = rest.firstRange(of: word) {
      result += rest[..<range.lowerBound]
      result += other
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
