import Testing

/// Runs with faults from seeds: the short ones of every `scripts/test`, or those of `scripts/faults`.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct FaultRunTests {
  @Test(arguments: FaultRunOptions.seeds)
  func `whatever fails, nothing is lost, duplicated or unexpected`(seed: UInt64) async {
    // The time limit of scripts/faults is over: the remaining seeds are skipped.
    if FaultRunOptions.isOver { return }
    let run = FaultRun(schedule: FaultRunOptions.schedule(seed), hasUnreliableProvider: FaultRunOptions.isLong)
    let report = await run.run()
    // Not the report itself: a failure would print its line a second time.
    let (isClean, violations) = (report.isClean, report.violations)
    #expect(isClean, "seed \(seed): \(violations)")
  }
}
