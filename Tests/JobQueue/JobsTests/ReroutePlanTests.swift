import Jobs
import Testing

struct ReroutePlanTests {
  private let routes: [JobKind: PoolName] = [
    "booking.validate": "validate", "booking.resolve": "resolve", "booking.cancel": "resolve",
  ]

  @Test(arguments: [("booking.validate", "validate"), ("booking.resolve", "resolve"), ("booking.cancel", "resolve")])
  func `a job and its dead letter move to the pool that does the kind`(kind: String, pool: String) {
    let plan = ReroutePlan(routes: routes)
    #expect(plan.decision(for: JobKind(rawValue: kind)) == .reroute(to: PoolName(rawValue: pool)))
    #expect(plan.decision(forDeadLetterOf: JobKind(rawValue: kind)) == .reroute(to: PoolName(rawValue: pool)))
  }

  @Test func `a job of a kind that no pool does, or without a kind, stays`() {
    let plan = ReroutePlan(routes: routes)
    #expect(plan.decision(for: "booking.swap") == .keep(.noPool("booking.swap")))
    #expect(plan.decision(for: nil) == .keep(.noKind))
    #expect(plan.decision(forDeadLetterOf: "booking.swap") == .keep(.noPool("booking.swap")))
    #expect(plan.decision(forDeadLetterOf: nil) == .keep(.noKind))
  }

  @Test func `a pool that was asked for gets no job of a kind that it does not do`() {
    let plan = ReroutePlan(routes: routes, to: "resolve")
    #expect(plan.decision(for: "booking.cancel") == .reroute(to: "resolve"))
    #expect(plan.decision(for: "booking.validate") == .keep(.otherPool("booking.validate", "validate")))
    #expect(plan.decision(for: "booking.swap") == .keep(.noPool("booking.swap")))
  }

  @Test(arguments: ["booking.validate", "booking.swap", nil] as [String?])
  func `a pool that was asked for gets every dead letter`(_ kind: String?) {
    let plan = ReroutePlan(routes: routes, to: "resolve")
    #expect(plan.decision(forDeadLetterOf: kind.map(JobKind.init(rawValue:))) == .reroute(to: "resolve"))
  }

  @Test func `the destinations are all pools with kinds`() {
    let all = ReroutePlan(routes: routes).destinations(from: "old")
    #expect(all.map { $0.pool } == ["resolve", "validate"])
    #expect(all.map { $0.kinds } == [["booking.cancel", "booking.resolve"], ["booking.validate"]])
    #expect(ReroutePlan(routes: routes, to: "validate").destinations(from: "old").map { $0.pool } == ["validate"])
  }

  @Test func `a pool is not a destination of its own jobs`() {
    #expect(ReroutePlan(routes: routes).destinations(from: "resolve").map { $0.pool } == ["validate"])
    #expect(ReroutePlan(routes: routes, to: "resolve").destinations(from: "resolve").isEmpty)
  }

  @Test func `reasons continue a sentence and quote nothing from a job`() {
    #expect(ReroutePlan.Reason.noPool("a.b").description == "of kind a.b, which no pool of queues.yaml does")
    #expect(ReroutePlan.Reason.otherPool("a.b", "c").description == "of kind a.b, which c does")
    #expect(ReroutePlan.Reason.noKind.description == "without a kind")
  }
}
