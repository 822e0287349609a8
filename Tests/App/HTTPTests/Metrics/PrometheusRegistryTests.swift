import CoreMetrics
import Testing

@testable import HTTP

struct PrometheusRegistryTests {
  private let registry = PrometheusRegistry(help: ["jobs_total": "Jobs that were processed."])

  @Test func `an empty registry writes nothing`() { #expect(registry.exposition().isEmpty) }

  @Test func `a counter has its help, and one series for each set of labels`() {
    registry.makeCounter(label: "jobs.total", dimensions: [("kind", "b")]).increment(by: 2)
    registry.makeCounter(label: "jobs.total", dimensions: [("kind", "a")]).increment(by: 1)
    registry.makeCounter(label: "jobs.total", dimensions: [("kind", "b")]).increment(by: 3)
    #expect(
      registry.exposition() == """
        # HELP jobs_total Jobs that were processed.
        # TYPE jobs_total counter
        jobs_total{kind="a"} 1
        jobs_total{kind="b"} 5

        """)
  }

  @Test func `a counter can be reset`() {
    let counter = registry.makeCounter(label: "resets", dimensions: [])
    counter.increment(by: 7)
    counter.reset()
    #expect(registry.exposition() == "# TYPE resets counter\nresets 0\n")
  }

  @Test(arguments: [(Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"), (3, "3")])
  func `a gauge keeps its last value, whatever it is`(_ value: Double, _ text: String) {
    let gauge = registry.makeRecorder(label: "size", dimensions: [], aggregate: false)
    gauge.record(17.5)
    gauge.record(value)
    #expect(registry.exposition() == "# TYPE size gauge\nsize \(text)\n")
  }

  @Test func `a timer becomes a histogram in seconds`() {
    let timer = registry.makeTimer(label: "duration", dimensions: [("kind", "a")])
    timer.recordNanoseconds(5_000_000)
    timer.recordNanoseconds(80_000_000)
    timer.recordNanoseconds(20_000_000_000)
    let lines = registry.exposition().split(separator: "\n")
    #expect(lines.first == "# TYPE duration histogram")
    #expect(lines.contains(#"duration_bucket{kind="a",le="0.005"} 1"#))
    #expect(lines.contains(#"duration_bucket{kind="a",le="0.075"} 1"#))
    #expect(lines.contains(#"duration_bucket{kind="a",le="0.1"} 2"#))
    #expect(lines.contains(#"duration_bucket{kind="a",le="10"} 2"#))
    #expect(lines.contains(#"duration_bucket{kind="a",le="+Inf"} 3"#))
    #expect(lines.contains(#"duration_sum{kind="a"} 20.085"#))
    #expect(lines.last == #"duration_count{kind="a"} 3"#)
  }

  @Test func `infinite and NaN values reach only the last bucket of a histogram`() {
    let recorder = registry.makeRecorder(label: "odd", dimensions: [], aggregate: true)
    recorder.record(Double.infinity)
    recorder.record(Double.nan)
    let lines = registry.exposition().split(separator: "\n")
    #expect(lines.contains(#"odd_bucket{le="10"} 0"#))
    #expect(lines.contains(#"odd_bucket{le="+Inf"} 2"#))
    #expect(lines.contains("odd_sum NaN"))
    #expect(lines.last == "odd_count 2")
  }

  @Test func `labels are escaped, and other characters of a name become underscores`() {
    registry.makeCounter(label: "a-b.c/ü:d", dimensions: [("text", "\"x\"\\\n")]).increment(by: 1)
    #expect(registry.exposition() == "# TYPE a_b_c___d counter\na_b_c___d{text=\"\\\"x\\\"\\\\\\n\"} 1\n")
  }

  @Test func `the first use of a name decides its kind`() {
    registry.makeCounter(label: "mixed", dimensions: [("n", "1")]).increment(by: 2)
    registry.makeTimer(label: "mixed", dimensions: [("n", "2")]).recordNanoseconds(3_000_000_000)
    registry.makeRecorder(label: "mixed", dimensions: [("n", "1")], aggregate: false).record(Int64(4))
    #expect(
      registry.exposition() == """
        # TYPE mixed counter
        mixed{n="1"} 6
        mixed{n="2"} 3

        """)
  }

  @Test func `families are sorted by name`() {
    for name in ["b", "c", "a"] { registry.makeCounter(label: name, dimensions: []).increment(by: 1) }
    let types = registry.exposition().split(separator: "\n").filter { $0.hasPrefix("#") }
    #expect(types == ["# TYPE a counter", "# TYPE b counter", "# TYPE c counter"])
  }
}
