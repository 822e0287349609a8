import Testing

/// Runs with faults drawn from seeds: the short ones of every `scripts/test`, or those that `scripts/faults` asks for.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct FaultRunTests {
  @Test(arguments: FaultRunOptions.seeds)
  func `whatever goes wrong, nothing is lost, doubled, or appears from nowhere`(seed: UInt64) async {
    // The minutes that scripts/faults was given are over: the rest of its seeds are not begun.
    if FaultRunOptions.isOver { return }
    let run = FaultRun(schedule: FaultRunOptions.schedule(seed), hasUnreliableProvider: FaultRunOptions.isLong)
    let report = await run.run()
    // Not the report itself: a failure would print its line a second time.
    let (isClean, violations) = (report.isClean, report.violations)
    #expect(isClean, "seed \(seed): \(violations)")
  }
}
