package import CoreMetrics
internal import Synchronization

/// Collects the metrics of the process and writes them in Prometheus' text format (0.0.4).
///
/// Install it once per process with `MetricsSystem.bootstrap`. A `Counter` becomes a counter, a `Gauge` a gauge, an
/// aggregating `Recorder` or a `Timer` a histogram in seconds. The first use of a name decides its kind. A series stays
/// until the process ends, as Prometheus expects.
package final class PrometheusRegistry: MetricsFactory {
  private struct Key: Hashable {
    let name: String
    let labels: String
  }

  private struct State {
    var kinds: [String: PrometheusSeries.Kind] = [:]
    var series: [Key: PrometheusSeries] = [:]
  }

  private let state = Mutex(State())
  private let help: [String: String]

  /// - Parameter help: a sentence for each metric, by name.
  package init(help: [String: String] = [:]) { self.help = help }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, .counter)
  }

  package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    series(label, dimensions, aggregate ? .histogram : .gauge)
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, .histogram)
  }

  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}

  /// The series of a label and dimensions, the same one each time. In the label all but ASCII letters and digits become
  /// `_`.
  private func series(
    _ label: String, _ dimensions: [(String, String)], _ kind: PrometheusSeries.Kind
  ) -> PrometheusSeries {
    let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    let key = Key(name: name, labels: PrometheusText.string(dimensions))
    return state.withLock { state in
      if let known = state.series[key] { return known }
      let kind = state.kinds[name] ?? kind
      let series = PrometheusSeries(kind)
      state.kinds[name] = kind
      state.series[key] = series
      return series
    }
  }

  /// All series, families sorted by name.
  package func exposition() -> String {
    let (kinds, series) = state.withLock { ($0.kinds, $0.series) }
    var text = PrometheusText()
    for (name, family) in Dictionary(grouping: series, by: \.key.name).sorted(by: { $0.key < $1.key }) {
      text.family(name, help: help[name], type: kinds[name, default: .gauge].rawValue)
      for (key, series) in family.sorted(by: { $0.key.labels < $1.key.labels }) {
        series.write(name: name, labels: key.labels, to: &text)
      }
    }
    return text.string
  }
}
