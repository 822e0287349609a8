internal import CoreMetrics
internal import Synchronization

/// The value of one metric with one set of labels.
final class PrometheusSeries: CounterHandler, RecorderHandler, TimerHandler {
  enum Kind: String { case counter, gauge, histogram }

  /// The bounds of a histogram's buckets, in seconds: those OpenTelemetry recommends for durations of messaging.
  private static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

  private struct State {
    /// The counter's or gauge's value, or the sum of a histogram.
    var value = 0.0
    var count = 0
    var buckets: [Int]
  }

  private let kind: Kind
  private let state: Mutex<State>

  init(_ kind: Kind) {
    self.kind = kind
    state = Mutex(State(buckets: Array(repeating: 0, count: kind == .histogram ? Self.bounds.count : 0)))
  }

  func increment(by amount: Int64) { state.withLock { $0.value += Double(amount) } }
  func reset() { state.withLock { $0.value = 0 } }
  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func record(_ value: Double) {
    state.withLock { state in
      switch kind {
      case .gauge: state.value = value
      case .counter: state.value += value
      case .histogram:
        state.value += value
        state.count += 1
        if let index = Self.bounds.firstIndex(where: { value <= $0 }) { state.buckets[index] += 1 }
      }
    }
  }

  func write(name: String, labels: String, to text: inout PrometheusText) {
    let state = state.withLock { $0 }
    guard kind == .histogram else { return text.sample(name, labelText: labels, value: state.value) }
    let prefix = labels.isEmpty ? "" : "\(labels),"
    var total = 0
    for (bound, count) in zip(Self.bounds, state.buckets) {
      total += count
      text.sample("\(name)_bucket", labelText: "\(prefix)le=\"\(PrometheusText.string(bound))\"", value: Double(total))
    }
    text.sample("\(name)_bucket", labelText: "\(prefix)le=\"+Inf\"", value: Double(state.count))
    text.sample("\(name)_sum", labelText: labels, value: state.value)
    text.sample("\(name)_count", labelText: labels, value: Double(state.count))
  }
}
