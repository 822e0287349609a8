import Metrics

/// What the process' log itself is measured by.
enum LogMetrics {
  /// Lines were dropped: the log's reader has stopped, is gone, or its disk is full.
  static func dropped(_ count: Int) { Counter(label: "vluma_log_lines_dropped_total").increment(by: count) }
}
