/// The operator's log: swift-log to standard error, so that standard output stays with the start-up lines.

internal import Logging

enum StandardLog {
  /// Call once per process.
  static func make(level: Logger.Level) -> Logger {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "martlet")
    logger.logLevel = level
    return logger
  }
}
