internal import Foundation
package import Jobs

/// The rules of ``Jobs/PoolDirectory``: what operators set holds everywhere, and who is alive is known to all.
///
/// Each rule wants a fresh directory.
package struct PoolDirectoryConformance: Sendable {
  private let directory: any PoolDirectory

  /// A directory under test.
  package init(directory: any PoolDirectory) { self.directory = directory }

  /// All rules.
  package static var rules: [ConformanceRule<Self>] {
    [
      Rule("what nobody has set is not there") { try await $0.beginsEmpty() },
      Rule("a change is returned, kept and seen by all") { try await $0.keepsChanges() },
      Rule("a change starts from what was set before") { try await $0.changesInPlace() },
      Rule("changes made at once all count") { try await $0.changesAtOnce() },
      Rule("a renewed lease shows this node and the others, with their latest reports") { try await $0.showsNodes() },
      Rule("a lease that was given up is gone at once, and giving up none is no error") { try await $0.releases() },
      Rule("a lease that is not renewed ends") { try await $0.expires() },
      Rule("watchers hear of changes, of new nodes and of nodes that leave") { try await $0.tellsWatchers() },
      Rule("watching ends with its task") { try await $0.stopsWatching() },
    ]
  }

  private typealias Rule = ConformanceRule<Self>

  private func node(_ id: String, _ pools: [String: PoolReport] = [:]) -> NodeReport {
    NodeReport(id: id, startedAt: Date(timeIntervalSince1970: 1_790_000_000), pools: pools)
  }

  private func beginsEmpty() async throws {
    let (settings, nodes) = try await directory.overview()
    try requireEqual(settings, [:], "the settings")
    try requireEqual(nodes, [], "the nodes")
  }

  private func keepsChanges() async throws {
    let sized = try await directory.change("one", by: "test") { $0.size = 7 }
    try requireEqual(sized, PoolSetting(size: 7), "the changed setting")
    let paused = try await directory.change("two", by: "test") { $0.isPaused = true }
    try requireEqual(paused, PoolSetting(isPaused: true), "the other changed setting")
    let expected: [PoolName: PoolSetting] = ["one": sized, "two": paused]
    try requireEqual(try await directory.overview().settings, expected, "the settings from outside")
    let kinds: Set<JobKind> = ["test.one", "test.two"]
    let partly = try await directory.change("three", by: "test") { $0.pausedKinds = kinds }
    try requireEqual(partly, PoolSetting(pausedKinds: kinds), "the setting with paused kinds")
    let all = try await directory.overview().settings
    try requireEqual(all, expected.merging(["three": partly]) { $1 }, "the settings with paused kinds")
    _ = try await directory.change("three", by: "test") { $0.pausedKinds = [] }
    let seen = try await directory.renewLease(node("a"), lease: .seconds(60)).settings.filter { $0.key != "three" }
    try requireEqual(seen, expected, "the settings a node sees")
  }

  private func changesInPlace() async throws {
    _ = try await directory.change("one", by: "test") { $0.size = 7 }
    let paused = try await directory.change("one", by: "test") { $0.isPaused = true }
    try requireEqual(paused, PoolSetting(size: 7, isPaused: true), "the setting after the second change")
    let reset = try await directory.change("one", by: "test") { $0 = PoolSetting() }
    try requireEqual(reset, PoolSetting(), "the setting after it was taken back")
    let (settings, _) = try await directory.overview()
    try requireEqual(settings["one"] ?? PoolSetting(), PoolSetting(), "the setting as it is kept")
  }

  private func changesAtOnce() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 } }
      }
      try await group.waitForAll()
    }
    try requireEqual(try await directory.overview().settings["one"]?.size, 20, "the size after twenty steps")
  }

  private func showsNodes() async throws {
    let taken = Date(timeIntervalSince1970: 1_790_000_050)
    let first = node(
      "a", ["one": PoolReport(localConcurrency: 1, running: 2, lastFetchedEnqueuedAt: taken), "two": PoolReport()])
    let alone = try await directory.renewLease(first, lease: .seconds(60)).nodes
    try requireEqual(alone, [first], "the nodes with one alive")
    let second = node("b", ["one": PoolReport(localConcurrency: 3)])
    let both = try await directory.renewLease(second, lease: .seconds(60)).nodes
    try requireEqual(both.sorted { $0.id < $1.id }, [first, second], "the nodes with two alive")
    let changed = node("a", ["one": PoolReport(localConcurrency: 9, running: 1)])
    _ = try await directory.renewLease(changed, lease: .seconds(60))
    let seen = try await directory.overview().nodes.sorted { $0.id < $1.id }
    try requireEqual(seen, [changed, second], "the nodes after a renewal")
  }

  private func releases() async throws {
    _ = try await directory.renewLease(node("a"), lease: .seconds(60))
    _ = try await directory.renewLease(node("b"), lease: .seconds(60))
    try await directory.releaseLease("a")
    try await directory.releaseLease("nobody")
    try requireEqual(try await directory.overview().nodes.map(\.id), ["b"], "the nodes after one gave its lease up")
    let back = try await directory.renewLease(node("a"), lease: .seconds(60)).nodes.map(\.id)
    try requireEqual(Set(back), ["a", "b"], "the nodes after it came back")
  }

  private func expires() async throws {
    _ = try await directory.renewLease(node("a"), lease: .milliseconds(100))
    _ = try await directory.renewLease(node("b"), lease: .seconds(60))
    try await waitUntil("the silent node is gone") { try await directory.overview().nodes.map(\.id) == ["b"] }
    let seen = try await directory.renewLease(node("b"), lease: .seconds(60)).nodes.map(\.id)
    try requireEqual(seen, ["b"], "the nodes the other one sees")
  }

  private func tellsWatchers() async throws {
    let calls = Locked(0)
    let watching = Task { await directory.watch { calls.change { $0 += 1 } } }
    defer { watching.cancel() }
    // The watch begins when it begins: until then changes may go unheard.
    try await waitUntil("the watcher hears anything") {
      _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 }
      return calls.value > 0
    }
    try await requireCall(calls, "a change") {
      _ = try await directory.change("one", by: "test") { $0.isPaused.toggle() }
    }
    try await requireCall(calls, "a new node") { _ = try await directory.renewLease(node("a"), lease: .seconds(60)) }
    try await requireCall(calls, "a node that leaves") { try await directory.releaseLease("a") }
    // Or one that watches and releases would answer itself for ever.
    try await quiet(calls)
    let before = calls.value
    for _ in 0..<5 { try await directory.releaseLease("a") }
    try await quiet(calls)
    try requireEqual(calls.value, before, "the calls after a lease was given up that was gone already")
  }

  /// Requires that the watcher is told of `event`, after everything before it has been heard.
  private func requireCall(_ calls: Locked<Int>, _ what: String, _ event: () async throws -> Void) async throws {
    try await quiet(calls)
    let before = calls.value
    try await event()
    try await waitUntil("the watcher hears of \(what)") { calls.value > before }
  }

  /// Waits until the watcher was not called during some round trips.
  private func quiet(_ calls: Locked<Int>) async throws {
    try await waitUntil("the watcher has heard everything") {
      let before = calls.value
      for _ in 0..<20 {
        await Task.yield()
        _ = try await directory.overview()
      }
      return calls.value == before
    }
  }

  private func stopsWatching() async throws {
    let (heard, ended) = (Locked(false), Locked(false))
    let watching = Task {
      await directory.watch { heard.change { $0 = true } }
      ended.change { $0 = true }
    }
    try await waitUntil("the watcher hears anything") {
      _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 }
      return heard.value
    }
    watching.cancel()
    try await waitUntil("the watch has ended") { ended.value }
  }
}
