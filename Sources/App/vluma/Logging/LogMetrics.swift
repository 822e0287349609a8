import Metrics

/// The metrics of the process' own log.
enum LogMetrics {
  private static let droppedLines = "vluma_log_lines_dropped_total"

  /// What each metric measures, by name.
  static let help = [droppedLines: "Log lines dropped because they could not be written to standard error."]

  /// Counts lines that were dropped: the log's reader has stopped, is gone, or its disk is full.
  static func dropped(_ count: Int) { Counter(label: droppedLines).increment(by: count) }
}
