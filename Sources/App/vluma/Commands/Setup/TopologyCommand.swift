import ArgumentParser
import JobConfiguration
import JobsRabbitMQ
import RabbitMQ

struct TopologyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topology", abstract: "Compare the broker with queues.yaml, or bring it up to date.",
    subcommands: [Plan.self, Apply.self])

  struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what the broker lacks. Exit status 1 where an exchange or queue has other arguments.")

    func run() async throws {
      let plan = try await TopologyCommand.with { topology, broker in try await topology.plan(broker) }
      for name in plan.missing { print("create   \(name)") }
      for name in plan.present { print("ok       \(name)") }
      for difference in plan.different { print("DIFFERS  \(difference.name): \(difference.detail)") }
      if !plan.different.isEmpty { throw ExitCode.failure }
    }
  }

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Create missing exchanges and queues. Existing ones with other arguments are reported, never changed. Safe on \
        many nodes at once.
        """)

    func run() async throws {
      let plan = try await TopologyCommand.with { topology, broker in try await topology.apply(broker) }
      for name in plan.missing { print("created  \(name)") }
      let count = plan.present.count + plan.missing.count
      print("The broker has all that queues.yaml asks for (\(count) exchanges and queues).")
    }
  }

  private static func with(
    _ body: (JobsRabbitMQ.Topology, RabbitMQAdministration) async throws -> TopologyPlan
  ) async throws -> TopologyPlan {
    let builder = try AppBuilder()
    let topology = JobsRabbitMQ.Topology(try builder.configuration())
    return try await RabbitMQAdministration.with(try builder.environment.rabbitMQ()) {
      try await body(topology, $0)
    }
  }
}
