import Jobs
import Testing

/// Which pool a job goes to that waits where nobody works any more.
struct JobMovePlanTests {
  private let routes: [JobKind: PoolName] = [
    "booking.validate": "validate", "booking.resolve": "resolve", "booking.cancel": "resolve",
  ]

  @Test(arguments: [("booking.validate", "validate"), ("booking.resolve", "resolve"), ("booking.cancel", "resolve")])
  func `a job goes to the pool that does its kind, and so does its letter`(kind: String, pool: String) {
    let plan = JobMovePlan(routes: routes)
    #expect(plan.verdict(for: JobKind(rawValue: kind)) == .goes(to: PoolName(rawValue: pool)))
    #expect(plan.verdict(forLetterOf: JobKind(rawValue: kind)) == .goes(to: PoolName(rawValue: pool)))
  }

  @Test func `a job of a kind that nobody does stays, and so does one without a kind`() {
    let plan = JobMovePlan(routes: routes)
    #expect(plan.verdict(for: "booking.swap") == .stays(.nobodyDoes("booking.swap")))
    #expect(plan.verdict(for: nil) == .stays(.noKind))
    #expect(plan.verdict(forLetterOf: "booking.swap") == .stays(.nobodyDoes("booking.swap")))
    #expect(plan.verdict(forLetterOf: nil) == .stays(.noKind))
  }

  @Test func `a pool that was asked for gets no job that it would bury`() {
    let plan = JobMovePlan(routes: routes, to: "resolve")
    #expect(plan.verdict(for: "booking.cancel") == .goes(to: "resolve"))
    #expect(plan.verdict(for: "booking.validate") == .stays(.doneElsewhere("booking.validate", "validate")))
    #expect(plan.verdict(for: "booking.swap") == .stays(.nobodyDoes("booking.swap")))
  }

  @Test(arguments: ["booking.validate", "booking.swap", nil] as [String?])
  func `a pool that was asked for gets every dead letter`(_ kind: String?) {
    let plan = JobMovePlan(routes: routes, to: "resolve")
    #expect(plan.verdict(forLetterOf: kind.map(JobKind.init(rawValue:))) == .goes(to: "resolve"))
  }

  @Test func `the targets are the pools that do something, each with its kinds`() {
    let all = JobMovePlan(routes: routes).targets(from: "old")
    #expect(all.map { $0.pool } == ["resolve", "validate"])
    #expect(all.map { $0.kinds } == [["booking.cancel", "booking.resolve"], ["booking.validate"]])
    #expect(JobMovePlan(routes: routes, to: "validate").targets(from: "old").map { $0.pool } == ["validate"])
  }

  @Test func `a pool is not a target of its own jobs`() {
    #expect(JobMovePlan(routes: routes).targets(from: "resolve").map { $0.pool } == ["validate"])
    #expect(JobMovePlan(routes: routes, to: "resolve").targets(from: "resolve").isEmpty)
  }

  @Test func `reasons say what is left, without a value of a job`() {
    #expect(JobMovePlan.Reason.nobodyDoes("a.b").description == "of kind a.b, which no pool of queues.yaml does")
    #expect(JobMovePlan.Reason.doneElsewhere("a.b", "c").description == "of kind a.b, which c does")
    #expect(JobMovePlan.Reason.noKind.description == "without a kind")
  }
}
