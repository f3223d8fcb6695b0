/// What a comparison will do and who takes part, read from options and folders and checked before anything is started.

import MartletBytes
import MartletJSON
import MartletLoop

struct ComparisonPlan: Sendable {
  let workloads: [Workload]
  let effort: Effort
  /// The cores of the servers and of the client; nil where there is no choice.
  let serverCore: Int?
  let clientCore: Int?
  let conditions: Conditions
  /// Who is wanted, whether there or not.
  let rivals: [Entry]
  private let program: String

  struct Entry: Sendable {
    let rival: Rival
    let folder: String
    /// Why it does not take part; nil if it does.
    var absence: String?
    var name: String { rival.name }
  }

  init(_ options: CompareOptions) throws(BenchError) {
    if options.tiny && options.record { throw .usage("--record: numbers of --tiny mean nothing") }
    let all = try Self.readRivals(options.rivals)
    let names = all.map(\.name)
    for name in options.against ?? [] where !names.contains(name) {
      throw .usage("--against: no rival '\(name)' in \(options.rivals)/Rivals; there are \(names.joined(separator: ", "))")
    }
    var rivals = all.filter { options.against?.contains($0.name) ?? true }
    workloads = try Self.readWorkloads(options)
    effort = options.tiny ? .tiny : options.quick ? .quick : .full
    // To show that it works, whatever else the machine does, a core of its own is in the way.
    let hasChoice = !options.tiny && ProcessorCount.available > 1 && Programs.find("taskset") != nil
    (serverCore, clientCore) = hasChoice ? (0, 1) : (nil, nil)
    program = Programs.own
    var versions = [(name: ServerPlan.ours, version: Programs.firstLine([program, "version"]))]
    for index in rivals.indices where rivals[index].absence == nil {
      let version = Programs.firstLine(rivals[index].rival.version)
      if version == Programs.unknown {  // what is compared must have a name
        rivals[index].absence = "its version is not told by: \(rivals[index].rival.version.joined(separator: " "))"
      } else {
        versions.append((rivals[index].name, version))
      }
    }
    self.rivals = rivals
    conditions = Conditions(
      machine: .current, date: utcText(SteadyClock().unixTime(at: .now)),
      commit: options.commit ?? Programs.firstLine(["git", "-C", options.rivals, "describe", "--always", "--dirty"]), versions: versions,
      pinning: hasChoice ? "servers on core 0, one thread each; client on core 1" : "one thread each, on whatever core the system likes",
      effort: effort, noise: 1)
    try conditions.requireComplete()
  }

  /// Who takes part in a workload; nil stands for ourselves, who begin.
  func entries(of workload: Workload) -> [Entry?] { [nil] + rivals.filter { $0.absence == nil && $0.rival.canTake(workload) } }

  var schedule: ComparisonSchedule { ComparisonSchedule(workloads.map { ($0, entries(of: $0).count) }, effort) }

  /// Rivals that do not take part, each with its reason.
  var absent: [(name: String, reason: String)] { rivals.compactMap { entry in entry.absence.map { (entry.name, $0) } } }

  func serverPlan(_ entry: Entry?, _ workload: Workload, scratch: String) throws(BenchError) -> ServerPlan {
    guard let port = Programs.freePort() else { throw .failure("no port is free") }
    guard let entry else { return .martlet(workload, port: port, scratch: scratch, program: program) }
    return try ServerPlan(entry.rival, folder: entry.folder, port: port, scratch: scratch)
  }

  // MARK: Folders

  private static func readRivals(_ benchmarks: String) throws(BenchError) -> [Entry] {
    guard let names = Folder.names(benchmarks + "/Rivals") else { throw .usage("--rivals: no folder \(benchmarks)/Rivals") }
    var entries: [Entry] = []
    for name in names {
      let (folder, built) = ("\(benchmarks)/Rivals/\(name)", "\(benchmarks)/.build/\(name)")
      guard let text = SmallFile.read(folder + "/rival.json") else { continue }
      var rival: Rival = try decode(text, folder + "/rival.json")
      rival.settle(in: folder, built: built)
      entries.append(Entry(rival: rival, folder: folder, absence: rival.absence(built: built)))
    }
    return entries
  }

  private static func readWorkloads(_ options: CompareOptions) throws(BenchError) -> [Workload] {
    let folder = options.rivals + "/Workloads"
    let files = (Folder.names(folder) ?? []).filter { $0.hasSuffix(".json") }
    guard !files.isEmpty else { throw .usage("--rivals: no workloads in \(folder)") }
    let names = files.map { String($0.dropLast(5)) }
    for name in options.workloads ?? [] where !names.contains(name) {
      throw .usage("--workloads: no workload '\(name)' in \(folder); there are \(names.joined(separator: ", "))")
    }
    var workloads: [Workload] = []
    for name in names where options.workloads?.contains(name) ?? true {
      let path = "\(folder)/\(name).json"
      guard let text = SmallFile.read(path) else { throw .usage("cannot read \(path)") }
      var workload: Workload = try decode(text, path)
      workload.id = name
      if workload.refused != nil && workload.body == nil { throw .usage("\(path): 'refused' goes with 'body'") }
      _ = try LoadOptions(workload.texts(target: "\(workload.scheme)://127.0.0.1:1", effort: .tiny, clientCore: nil))
      workloads.append(workload)
    }
    return workloads
  }

  private static func decode<Value: Decodable>(_ text: borrowing ByteBuffer, _ path: String) throws(BenchError) -> Value {
    do { return try MartletJSON.Decoder().decode(Value.self, from: text.bytes) } catch { throw .usage("\(path): \(error)") }
  }
}
