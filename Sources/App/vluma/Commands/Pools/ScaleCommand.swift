import ArgumentParser
import JobConfiguration
import Jobs

struct ScaleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Set how many jobs of a pool run at a time, over all nodes together.",
    discussion: "Takes effect within a second, survives restarts, and is audited. Shrinking lets running jobs finish.")

  @Argument(help: "The pool's name in queues.yaml.")
  var pool: String
  @Argument(help: "The size, within the pool's min and max in queues.yaml.")
  var size: Int

  func run() async throws {
    let size = size
    try await changePool(
      pool,
      validate: { entry in
        let limits = entry.workers
        guard (limits.min...limits.max).contains(size) else {
          throw ValidationError("\(pool) may have \(limits.min) to \(limits.max) workers (queues.yaml), not \(size).")
        }
      }, change: { $0.size = size })
  }
}
