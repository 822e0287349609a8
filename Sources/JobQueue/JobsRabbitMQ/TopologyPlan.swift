package import RabbitMQ

/// What the broker lacks of a topology, and where it has something else under the same name.
package struct TopologyPlan: Sendable, Equatable {
  /// Exchanges and queues that will be made.
  package var missing: [String] = []
  /// Exchanges and queues that are as they should be.
  package var present: [String] = []
  /// Exchanges and queues that exist with other arguments, and the broker's words on the first difference.
  package var different: [Difference] = []

  /// Something that stands in the way.
  package struct Difference: Sendable, Equatable {
    /// Which one: `exchange NAME` or `queue NAME`.
    package let name: String
    /// The broker's words on the first argument that differs (reply code 406).
    package let detail: String
  }
}

/// Thrown where the broker has something else under a name of the topology; nothing is changed then.
package struct TopologyMismatch: Error, CustomStringConvertible {
  /// Everything that differs, at least one.
  package let differences: [TopologyPlan.Difference]

  /// Made from a plan's ``TopologyPlan/different``.
  package init(differences: [TopologyPlan.Difference]) { self.differences = differences }

  /// What to do about it, and a line for each difference. Safe to log: it holds names and arguments only.
  package var description: String {
    "the broker has other arguments than queues.yaml asks for; nothing was changed. Drain and delete what differs, or give the pool "
      + "another name:\n" + differences.map { "  \($0.name): \($0.detail)" }.joined(separator: "\n")
  }
}

extension Topology {
  /// Compares the broker with the topology, changing nothing.
  ///
  /// A thing that exists is declared again: the broker answers 406 where arguments differ, and otherwise does nothing.
  package func plan(_ broker: RabbitMQAdministration) async throws -> TopologyPlan {
    var plan = TopologyPlan()
    for exchange in exchanges {
      let label = "exchange \(exchange.name)"
      guard try await broker.exchangeExists(exchange.name) else {
        plan.missing.append(label)
        continue
      }
      try await plan.compare(label) {
        try await broker.declareExchange(exchange.name, type: exchange.type, arguments: exchange.arguments)
      }
    }
    for queue in queues {
      let label = "queue \(queue.name)"
      guard try await broker.queueDepth(queue.name) != nil else {
        plan.missing.append(label)
        continue
      }
      try await plan.compare(label) { try await broker.declareQueue(queue.name, arguments: queue.arguments) }
    }
    return plan
  }

  /// Makes what is missing, and all bindings; throws ``TopologyMismatch`` before anything is changed. Ten nodes may do
  /// this at once.
  package func apply(_ broker: RabbitMQAdministration) async throws -> TopologyPlan {
    let plan = try await plan(broker)
    guard plan.different.isEmpty else { throw TopologyMismatch(differences: plan.different) }
    for exchange in exchanges {
      try await broker.declareExchange(exchange.name, type: exchange.type, arguments: exchange.arguments)
    }
    for queue in queues { try await broker.declareQueue(queue.name, arguments: queue.arguments) }
    for binding in bindings {
      try await broker.bind(queue: binding.queue, to: binding.exchange, routingKey: binding.routingKey)
    }
    return plan
  }
}

extension TopologyPlan {
  fileprivate mutating func compare(_ label: String, _ declare: () async throws -> Void) async throws {
    do {
      try await declare()
      present.append(label)
    } catch RabbitMQError.channelClosed(RabbitMQError.preconditionFailed, let reason) {
      different.append(Difference(name: label, detail: reason))
    }
  }
}
