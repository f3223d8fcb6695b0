/// The names of every option, once: flag `--body-limit`, environment `MARTLET_BODY_LIMIT`, configuration key `body-limit`.

public enum Setting: String, CaseIterable, Sendable {
  case http
  case resp
  case memcached
  case threads
  case memory
  case eviction
  case token
  case tokenFile = "token-file"
  case insecure
  case config
  case logLevel = "log-level"
  case connections
  case bodyLimit = "body-limit"
  case drain
  case drainDelay = "drain-delay"
  case enableDebug = "enable-debug"

  public var flag: String { "--\(rawValue)" }

  public var environmentName: String {
    "MARTLET_" + String(rawValue.uppercased().map { $0 == "-" ? "_" : $0 })
  }

  /// Whether the option is a switch: a flag without a value.
  public var isSwitch: Bool { self == .insecure || self == .enableDebug }
}

/// Where a value was given, strongest first: flags beat environment beats file beats defaults.
public enum SettingSource: Hashable, Sendable {
  case flag
  case environment
  case file(path: String)

  /// How an error names the place: `--memory`, `MARTLET_MEMORY`, `/etc/martlet.json: "memory"`.
  func place(_ setting: Setting) -> String {
    switch self {
    case .flag: setting.flag
    case .environment: setting.environmentName
    case .file(let path): "\(path): \"\(setting.rawValue)\""
    }
  }
}

/// What a person gave is wrong: one line that says what, where, and how to mend it. Exit status 2.
public struct UsageError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Settings as text, each with its source, before they are understood.
public struct RawSettings: Sendable {
  struct Value: Sendable {
    var text: String
    var source: SettingSource
  }

  private var values: [Setting: Value] = [:]

  public init() {}

  subscript(setting: Setting) -> Value? { values[setting] }

  /// Keeps `text` unless a stronger source has given the setting already: call in order of strength.
  public mutating func offer(_ text: String, for setting: Setting, from source: SettingSource) {
    if values[setting] == nil { values[setting] = Value(text: text, source: source) }
  }

  /// Offers every `MARTLET_` variable that `value` knows; an empty one counts as unset. Unknown names are left alone: the
  /// environment belongs to others too.
  public mutating func offer(environment value: (String) -> String?) {
    for setting in Setting.allCases {
      if let text = value(setting.environmentName), !text.isEmpty { offer(text, for: setting, from: .environment) }
    }
  }
}
