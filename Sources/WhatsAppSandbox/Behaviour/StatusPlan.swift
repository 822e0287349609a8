/// The statuses of an accepted message: when they happen, and when and in which order they are posted.
struct StatusPlan: Sendable, Equatable {
  /// One status webhook. All times count from acceptance.
  struct Step: Sendable, Equatable {
    let status: MessageStatus
    /// The time that the webhook states.
    let happensAfter: Duration
    let postedAfter: Duration
    /// When it is posted a second time; nil: it is posted once.
    let repeatedAfter: Duration?
  }

  /// In the order in which they are posted.
  let steps: [Step]

  init(_ behaviour: SandboxBehaviour, draw: SeededDraw, configuration: SandboxConfiguration) {
    let statuses = Self.statuses(behaviour, draw, readShare: configuration.readShare)
    var elapsed = Duration.zero
    var times: [Duration] = []
    for status in statuses {
      elapsed += draw.duration(in: configuration.statusDelay, "delay of \(status.rawValue)")
      times.append(elapsed)
    }
    let isReordered = draw.unit("order") < configuration.reorderedShare
    let order = isReordered ? Self.reordered(statuses, draw) : statuses
    var steps: [Step] = []
    for (status, posted) in zip(order, times) {
      let isDuplicated = draw.unit("doubling of \(status.rawValue)") < configuration.duplicateShare
      let repeatDelay = draw.duration(in: configuration.statusDelay, "pause before repeating \(status.rawValue)")
      let happens = statuses.firstIndex(of: status).map { times[$0] } ?? posted
      steps.append(
        Step(
          status: status, happensAfter: happens, postedAfter: posted,
          repeatedAfter: isDuplicated ? posted + repeatDelay : nil
        ))
    }
    self.steps = steps
  }

  /// The statuses in the order in which they happen.
  private static func statuses(_ behaviour: SandboxBehaviour, _ draw: SeededDraw, readShare: Double) -> [MessageStatus]
  {
    switch behaviour {
    case .withoutStatus, .cutAfterWithoutStatus: []
    case .failLater: [.sent, .failed]
    default: draw.unit("reading") < readShare ? [.sent, .delivered, .read] : [.sent, .delivered]
    }
  }

  /// Another order, in which `sent` is not the first.
  private static func reordered(_ statuses: [MessageStatus], _ draw: SeededDraw) -> [MessageStatus] {
    guard statuses.count > 1 else { return statuses }
    var order = Array(statuses.dropFirst())
    if draw.unit("swap") < 0.5 { order.reverse() }
    let position = 1 + Int(draw.unit("place") * Double(order.count))
    order.insert(statuses[0], at: min(position, order.count))
    return order
  }
}
