/// What is compared with whom, as options say it.

public struct CompareOptions: Sendable {
  /// Names of rivals; nil: all that are there.
  public var against: [String]?
  /// Names of workloads' files without `.json`; nil: all that are there.
  public var workloads: [String]?
  /// The folder with `Rivals` and `Workloads`.
  public var rivals = "./Benchmarks"
  public var quick = false
  /// Shows only that everything works.
  public var tiny = false
  public var report = "bench-report"
  /// Keeps the report as a record beside the workloads, if everyone had a result.
  public var record = false
  /// Where git does not tell it.
  public var commit: String?

  public init() {}
}
