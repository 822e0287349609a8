package import CoreMetrics
internal import Foundation
internal import Synchronization

/// Collects what the process measures and writes it in Prometheus' text format (0.0.4).
///
/// Install it once per process with `MetricsSystem.bootstrap`. A `Counter` becomes a counter, a `Gauge` a gauge, an
/// aggregating `Recorder` or a `Timer` a histogram in seconds.
package final class PrometheusRegistry: MetricsFactory {
  private struct Series: Hashable {
    let name: String
    let labels: String
  }

  private enum Kind: String { case counter, gauge, histogram }

  private struct State {
    var kinds: [String: Kind] = [:]
    var cells: [Series: Cell] = [:]
  }

  private let state = Mutex(State())

  private let help: [String: String]

  /// An empty registry; series appear as they are first measured.
  ///
  /// - Parameter help: what each metric measures, in a sentence, by name.
  package init(help: [String: String] = [:]) { self.help = help }

  /// The counter of that label and those dimensions, the same one each time. In the label all but ASCII letters and
  /// digits become `_`.
  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    cell(label, dimensions, .counter)
  }

  /// A histogram where values are to be aggregated, otherwise a gauge that keeps the last one; the same one each time.
  package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    cell(label, dimensions, aggregate ? .histogram : .gauge)
  }

  /// A histogram in seconds, the same one each time.
  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    cell(label, dimensions, .histogram)
  }

  /// Does nothing: a series stays until the process ends, as Prometheus expects of counters.
  package func destroyCounter(_ handler: any CounterHandler) {}
  /// Does nothing: the series stays until the process ends.
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Does nothing: the series stays until the process ends.
  package func destroyTimer(_ handler: any TimerHandler) {}

  private func cell(_ label: String, _ dimensions: [(String, String)], _ kind: Kind) -> Cell {
    let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let series = Series(name: name, labels: PrometheusText.text(dimensions))
    return state.withLock { state in
      if let known = state.cells[series] { return known }
      let cell = Cell(isHistogram: kind == .histogram, isGauge: kind == .gauge)
      if state.kinds[name] == nil { state.kinds[name] = kind }
      state.cells[series] = cell
      return cell
    }
  }

  /// The whole exposition, families sorted by name.
  package func exposition() -> String {
    let (kinds, cells) = state.withLock { ($0.kinds, $0.cells) }
    var text = PrometheusText()
    for (name, family) in Dictionary(grouping: cells, by: \.key.name).sorted(by: { $0.key < $1.key }) {
      text.family(name, help: help[name], type: kinds[name, default: .gauge].rawValue)
      for (series, cell) in family.sorted(by: { $0.key.labels < $1.key.labels }) {
        cell.write(name: name, labels: series.labels, to: &text)
      }
    }
    return text.string
  }
}

/// One series' numbers.
private final class Cell: CounterHandler, RecorderHandler, TimerHandler {
  /// OpenTelemetry's advice for durations of messaging, in seconds.
  static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

  private struct Numbers {
    var value = 0.0
    var count = 0
    var buckets: [Int]
  }

  private let isGauge: Bool
  private let isHistogram: Bool
  private let numbers: Mutex<Numbers>

  init(isHistogram: Bool, isGauge: Bool) {
    self.isHistogram = isHistogram
    self.isGauge = isGauge
    numbers = Mutex(Numbers(buckets: Array(repeating: 0, count: isHistogram ? Self.bounds.count : 0)))
  }

  func increment(by amount: Int64) { numbers.withLock { $0.value += Double(amount) } }
  func reset() { numbers.withLock { $0.value = 0 } }
  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func record(_ value: Double) {
    numbers.withLock { numbers in
      guard !isGauge else { return numbers.value = value }
      numbers.value += value
      numbers.count += 1
      if let index = Self.bounds.firstIndex(where: { value <= $0 }) { numbers.buckets[index] += 1 }
    }
  }

  func write(name: String, labels: String, to text: inout PrometheusText) {
    let numbers = numbers.withLock { $0 }
    guard isHistogram else { return text.sample(name, labelText: labels, value: numbers.value) }
    let prefix = labels.isEmpty ? "" : "\(labels),"
    var total = 0
    for (bound, count) in zip(Self.bounds, numbers.buckets) {
      total += count
      text.sample("\(name)_bucket", labelText: "\(prefix)le=\"\(PrometheusText.text(bound))\"", value: Double(total))
    }
    text.sample("\(name)_bucket", labelText: "\(prefix)le=\"+Inf\"", value: Double(numbers.count))
    text.sample("\(name)_sum", labelText: labels, value: numbers.value)
    text.sample("\(name)_count", labelText: labels, value: Double(numbers.count))
  }
}
