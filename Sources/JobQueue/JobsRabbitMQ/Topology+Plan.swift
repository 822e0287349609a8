package import JobConfiguration
package import RabbitMQ

/// Thrown when the broker has a name of the topology with other arguments; nothing is changed then.
package struct TopologyMismatch: Error, CustomStringConvertible {
  /// At least one.
  package let differences: [TopologyPlan.Difference]

  package init(differences: [TopologyPlan.Difference]) { self.differences = differences }

  /// What to do, and a line for each difference. Safe to log: it holds names and arguments only.
  package var description: String {
    "the broker has other arguments than queues.yaml asks for; nothing was changed. Drain and delete what differs, or "
      + "give the pool another name:\n"
      + differences.map { "  \($0.name): \($0.detail)" }.joined(separator: "\n")
  }
}

extension Topology {
  /// Compares the broker with the topology and changes nothing.
  ///
  /// What exists is declared again: the broker answers 406 when arguments differ, and otherwise does nothing.
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

  /// Creates what is missing, and all bindings; throws ``TopologyMismatch`` before anything is changed. Several nodes
  /// may do this at once.
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
