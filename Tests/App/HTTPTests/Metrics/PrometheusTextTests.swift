import Testing

@testable import HTTP

struct PrometheusTextTests {
  @Test(arguments: [
    (0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.25, "0.25"), (999_999_999_999_999, "999999999999999"),
    (1e15, "1000000000000000.0"), (-1e15, "-1000000000000000.0"), (1e300, "1e+300"),
    (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
    (.leastNonzeroMagnitude, "5e-324"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
  ])
  func `every number has its text`(_ value: Double, _ text: String) {
    #expect(PrometheusText.string(value) == text)
  }

  @Test func `a label's value is escaped`() {
    let labels = [("path", #"C:\jobs"#), ("text", "say \"hello\"\nagain")]
    #expect(PrometheusText.string(labels) == #"path="C:\\jobs",text="say \"hello\"\nagain""#)
    #expect(PrometheusText.string([]).isEmpty)
  }

  @Test func `a family has its help, its type and its samples`() {
    var text = PrometheusText()
    text.family("jobs", help: #"Jobs in C:\queue"# + "\nof a pool.", type: "gauge")
    text.sample("jobs", labels: [("pool", "a")], value: 1)
    text.sample("jobs", value: 2.5)
    #expect(
      text.string == #"""
        # HELP jobs Jobs in C:\\queue\nof a pool.
        # TYPE jobs gauge
        jobs{pool="a"} 1
        jobs 2.5

        """#)
  }

  @Test func `help may be missing, and an unknown value is left out`() {
    var text = PrometheusText()
    text.family("jobs", help: nil, type: "counter")
    text.sample("jobs", labels: [("pool", "a")], value: nil)
    text.sample("jobs", value: nil)
    #expect(text.string == "# TYPE jobs counter\n")
  }
}
