import ArgumentParser
import Jobs

struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: """
      Pause a pool, or kinds of its jobs, on all nodes. Running jobs finish; the others stay queued, or parked where \
      only a kind is paused.
      """)

  @Argument(help: "The pool's name in queues.yaml.")
  var pool: String
  @Option(name: .customLong("kind"), help: "Only jobs of this kind; may be given several times.")
  var kinds: [String] = []

  func run() async throws {
    let kinds = Set(kinds.map(JobKind.init(rawValue:)))
    try await changePool(pool, validate: { try $0.requireKinds(kinds) }) { setting in
      if kinds.isEmpty { setting.isPaused = true } else { setting.pausedKinds.formUnion(kinds) }
    }
  }
}
