import ArgumentParser
import Jobs
import JobsPostgres

extension DeadCommand {
  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Retry dead letters: each job is enqueued again as its next run.")

    @OptionGroup var selection: RequiredDeadLetterSelection

    func run() async throws {
      let filter = try selection.filter()
      let result = try await DeadCommand.withIndex { try await $0.retry(filter, by: operatorName()) }
      print("\(result.retried) retried, \(result.skipped) skipped (unreadable, or completed in another run)")
      if result.retried == 0 { throw ExitCode.failure }
    }
  }

  struct Archive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Archive dead letters: they are no longer listed or retried.")

    @OptionGroup var selection: RequiredDeadLetterSelection

    func run() async throws {
      let filter = try selection.filter()
      let count = try await DeadCommand.withIndex { try await $0.archive(filter, by: operatorName()) }
      print("\(count) archived")
      if count == 0 { throw ExitCode.failure }
    }
  }
}
