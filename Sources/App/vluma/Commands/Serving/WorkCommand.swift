import ArgumentParser
import Jobs

struct WorkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "work", abstract: "Run workers.")

  @Option(name: .customLong("pool"), help: "A pool to run; may be given several times. Default: all of queues.yaml.")
  var pools: [String] = []

  func run() async throws { try await AppBuilder().run([.workers], pools: pools.map(PoolName.init(rawValue:))) }
}
