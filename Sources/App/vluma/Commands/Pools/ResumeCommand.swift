import ArgumentParser
import Jobs

struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Resume a paused pool, or only some kinds of its jobs.")

  @Argument(help: "The pool's name in queues.yaml.")
  var pool: String
  @Option(name: .customLong("kind"), help: "Only jobs of this kind; may be given several times.")
  var kinds: [String] = []

  func run() async throws {
    let kinds = Set(kinds.map(JobKind.init(rawValue:)))
    try await changePool(pool, validate: { try $0.requireKinds(kinds) }) { setting in
      if kinds.isEmpty {
        setting.isPaused = false
        setting.pausedKinds = []
      } else {
        setting.pausedKinds.subtract(kinds)
      }
    }
  }
}
