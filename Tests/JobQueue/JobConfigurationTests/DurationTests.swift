import Jobs
import TestServers
import Testing

@testable import JobConfiguration

struct DurationTests {
  @Test(
    arguments: zip(
      ["200ms", "30s", "2m", "1h", "7d", "1.5s", "0.5m", "0s", "0ms", "1500ms", "90m", "1.25h"],
      [200, 30_000, 120_000, 3_600_000, 604_800_000, 1_500, 30_000, 0, 0, 1_500, 5_400_000, 4_500_000]))
  func `a number and its unit are a duration`(_ text: String, _ milliseconds: Int) {
    #expect(YAMLReader.duration(text) == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    "", "s", "ms", "5", "-1s", "5 s", " 5s", "5s ", "5S", "5sec", "five s", "s5", "1h30m", "1,5s", "infs", "nand",
    "1..5s",
  ])
  func `what is no duration is refused`(_ text: String) {
    #expect(YAMLReader.duration(text) == nil)
  }

  @Test func `a duration longer than a number can hold is refused, not fatal`() async {
    await #expect(processExitsWith: .success) {
      #expect(YAMLReader.duration("1e300s") == nil)
      #expect(YAMLReader.duration("99999999999999999999d") == nil)
    }
  }

  @Test(
    arguments: zip(
      [0, 1, 200, 1_000, 1_500, 30_000, 60_000, 90_000, 3_600_000, 5_400_000, 86_400_000, 604_800_000],
      ["0ms", "1ms", "200ms", "1s", "1500ms", "30s", "1m", "90s", "1h", "90m", "1d", "7d"]))
  func `a duration is written in its largest whole unit`(_ milliseconds: Int, _ text: String) {
    #expect(Duration.milliseconds(milliseconds).compactText == text)
  }

  @Test func `every hour of a month is written as hours or days`() {
    for hours in 1...(31 * 24) {
      let text = hours.isMultiple(of: 24) ? "\(hours / 24)d" : "\(hours)h"
      #expect(Duration.seconds(hours * 3_600).compactText == text)
    }
  }

  @Test func `a duration that is written is read as the same`() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<2_000 {
      let unit = [1, 1_000, 60_000, 3_600_000, 86_400_000].randomElement(using: &random) ?? 1
      let duration = Duration.milliseconds(Int.random(in: 0...3_000_000_000 / unit, using: &random) * unit)
      #expect(YAMLReader.duration(duration.compactText) == duration)
    }
  }
}
