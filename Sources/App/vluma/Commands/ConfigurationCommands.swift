import ArgumentParser
import JobConfiguration
import JobsRabbitMQ
import RabbitMQ

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check queues.yaml and report every problem it has at once.")

  @Flag(name: .customLong("env"), help: "List the environment variables instead.")
  var listsEnvironment = false

  func run() async throws {
    if listsEnvironment {
      for variable in Environment.all {
        print("\(variable.name)\n  \(variable.meaning)\n  default: \(variable.fallback ?? "none; required")")
      }
      return
    }
    let builder = try AppBuilder()
    let configuration = try builder.configuration()
    print(
      "\(builder.environment.queuesFile()): \(configuration.pools.count) pools, \(configuration.routes.count) job kinds, no problems."
    )
  }
}

struct TopologyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topology", abstract: "Compare the broker with queues.yaml, or bring it up to date.",
    subcommands: [Plan.self, Apply.self])

  struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what the broker lacks. Exit status 1 where something is there with other arguments.")

    func run() async throws {
      let plan = try await TopologyCommand.with { topology, broker in try await topology.plan(broker) }
      for name in plan.missing { print("make     \(name)") }
      for name in plan.present { print("keep     \(name)") }
      for difference in plan.different { print("DIFFERS  \(difference.name): \(difference.detail)") }
      if !plan.different.isEmpty { throw ExitCode.failure }
    }
  }

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Make what the broker lacks. Changes nothing where something is there with other arguments. Safe on many nodes at once."
    )

    func run() async throws {
      let plan = try await TopologyCommand.with { topology, broker in try await topology.apply(broker) }
      for name in plan.missing { print("made     \(name)") }
      print(
        "The broker has all that queues.yaml asks for (\(plan.present.count + plan.missing.count) exchanges and queues)."
      )
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
