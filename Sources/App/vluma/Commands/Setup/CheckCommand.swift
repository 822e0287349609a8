import ArgumentParser
import JobConfiguration

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check queues.yaml and report every problem it has at once.")

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
    let counts = "\(configuration.pools.count) pools, \(configuration.routes.count) job kinds"
    print("\(builder.environment.queuesFile()): \(counts), no problems.")
  }
}
