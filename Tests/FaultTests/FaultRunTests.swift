import Testing

/// Runs with faults drawn from seeds: the short ones of every `scripts/test`, or those that `scripts/faults` asks for.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct FaultRunTests {
  @Test(arguments: FaultPlan.seeds)
  func `whatever goes wrong, nothing is lost, doubled, or appears from nowhere`(seed: UInt64) async {
    // The minutes that scripts/faults was given are over: the rest of its seeds are not begun.
    if FaultPlan.isOver { return }
    let run = FaultRun(schedule: FaultPlan.schedule(seed), hasUnreliableProvider: FaultPlan.isLong)
    let report = await run.run()
    // Not the report itself: a failure would print its line a second time.
    let (isClean, complaints) = (report.isClean, report.complaints)
    #expect(isClean, "seed \(seed): \(complaints)")
  }
}
