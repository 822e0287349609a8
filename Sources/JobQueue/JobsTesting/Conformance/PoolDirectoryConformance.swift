internal import Foundation
package import Jobs

/// The rules of ``Jobs/PoolDirectory``: every node sees operators' settings and all live nodes.
///
/// Each rule needs a new directory.
package struct PoolDirectoryConformance: Sendable {
  private let directory: any PoolDirectory

  package init(directory: any PoolDirectory) { self.directory = directory }

  package static var rules: [ConformanceRule<Self>] {
    [
      Rule("a new directory has no settings and no nodes") { try await $0.startsEmpty() },
      Rule("a change is returned, stored and seen by all nodes") { try await $0.keepsChanges() },
      Rule("a change starts from the earlier setting") { try await $0.changesInPlace() },
      Rule("concurrent changes all count") { try await $0.changesConcurrently() },
      Rule("a renewal returns this node and the others, with their latest reports") { try await $0.showsNodes() },
      Rule("a released lease ends at once, and releasing no lease is no error") { try await $0.releases() },
      Rule("a lease that is not renewed ends") { try await $0.expires() },
      Rule("watchers are called for changes, new nodes and released leases") { try await $0.callsWatchers() },
      Rule("a watch ends with its task") { try await $0.stopsWatching() },
    ]
  }

  private typealias Rule = ConformanceRule<Self>

  private func node(
    _ id: String, _ pools: [String: PoolReport] = [:], resources: NodeResources? = nil
  ) -> NodeReport {
    NodeReport(id: id, startedAt: Date(timeIntervalSince1970: 1_790_000_000), pools: pools, resources: resources)
  }

  private func startsEmpty() async throws {
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
    try requireEqual(try await directory.overview().settings, expected, "the settings in the overview")
    let kinds: Set<JobKind> = ["test.one", "test.two"]
    let withKinds = try await directory.change("three", by: "test") { $0.pausedKinds = kinds }
    try requireEqual(withKinds, PoolSetting(pausedKinds: kinds), "the setting with paused kinds")
    let all = try await directory.overview().settings
    try requireEqual(all, expected.merging(["three": withKinds]) { $1 }, "the settings with paused kinds")
    _ = try await directory.change("three", by: "test") { $0.pausedKinds = [] }
    let seen = try await directory.renewLease(node("a"), lease: .seconds(60)).settings.filter { $0.key != "three" }
    try requireEqual(seen, expected, "the settings a node sees")
  }

  private func changesInPlace() async throws {
    _ = try await directory.change("one", by: "test") { $0.size = 7 }
    let paused = try await directory.change("one", by: "test") { $0.isPaused = true }
    try requireEqual(paused, PoolSetting(size: 7, isPaused: true), "the setting after the second change")
    let reset = try await directory.change("one", by: "test") { $0 = PoolSetting() }
    try requireEqual(reset, PoolSetting(), "the setting after it was reset")
    let (settings, _) = try await directory.overview()
    try requireEqual(settings["one"] ?? PoolSetting(), PoolSetting(), "the stored setting")
  }

  private func changesConcurrently() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 } }
      }
      try await group.waitForAll()
    }
    try requireEqual(try await directory.overview().settings["one"]?.size, 20, "the size after twenty steps")
  }

  private func showsNodes() async throws {
    let enqueuedAt = Date(timeIntervalSince1970: 1_790_000_050)
    let first = node(
      "a",
      ["one": PoolReport(localConcurrency: 1, running: 2, lastFetchedEnqueuedAt: enqueuedAt), "two": PoolReport()],
      resources: NodeResources(openDescriptors: 12, descriptorsMax: 1_024))
    let alone = try await directory.renewLease(first, lease: .seconds(60)).nodes
    try requireEqual(alone, [first], "the nodes with one alive")
    let second = node("b", ["one": PoolReport(localConcurrency: 3)])
    let both = try await directory.renewLease(second, lease: .seconds(60)).nodes
    try requireEqual(both.sorted { $0.id < $1.id }, [first, second], "the nodes with two alive")
    let changed = node(
      "a", ["one": PoolReport(localConcurrency: 9, running: 1)], resources: NodeResources(descriptorsMax: 2_048))
    _ = try await directory.renewLease(changed, lease: .seconds(60))
    let seen = try await directory.overview().nodes.sorted { $0.id < $1.id }
    try requireEqual(seen, [changed, second], "the nodes after a renewal")
    let bare = node("a", resources: NodeResources(clientsMax: 7))
    _ = try await directory.renewLease(bare, lease: .seconds(60))
    let last = try await directory.overview().nodes.sorted { $0.id < $1.id }
    try requireEqual(last, [bare, second], "the nodes with one that runs no pools")
  }

  private func releases() async throws {
    _ = try await directory.renewLease(node("a"), lease: .seconds(60))
    _ = try await directory.renewLease(node("b"), lease: .seconds(60))
    try await directory.releaseLease("a")
    try await directory.releaseLease("unknown")
    try requireEqual(try await directory.overview().nodes.map(\.id), ["b"], "the nodes after one released its lease")
    let back = try await directory.renewLease(node("a"), lease: .seconds(60)).nodes.map(\.id)
    try requireEqual(Set(back), ["a", "b"], "the nodes after it returned")
  }

  private func expires() async throws {
    _ = try await directory.renewLease(node("a"), lease: .milliseconds(100))
    _ = try await directory.renewLease(node("b"), lease: .seconds(60))
    try await waitUntil("the end of the lease") { try await directory.overview().nodes.map(\.id) == ["b"] }
    let seen = try await directory.renewLease(node("b"), lease: .seconds(60)).nodes.map(\.id)
    try requireEqual(seen, ["b"], "the nodes that the other one sees")
  }

  private func callsWatchers() async throws {
    let calls = Locked(0)
    let watching = Task { await directory.watch { calls.change { $0 += 1 } } }
    defer { watching.cancel() }
    // Changes before the watch has begun may go unnoticed.
    try await waitUntil("the first call of the watcher") {
      _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 }
      return calls.value > 0
    }
    try await requireCall(calls, "a change") {
      _ = try await directory.change("one", by: "test") { $0.isPaused.toggle() }
    }
    try await requireCall(calls, "a new node") { _ = try await directory.renewLease(node("a"), lease: .seconds(60)) }
    try await requireCall(calls, "a released lease") { try await directory.releaseLease("a") }
    // Otherwise a node that releases its lease whenever it is called would call itself for ever.
    try await waitUntilQuiet(calls)
    let before = calls.value
    for _ in 0..<5 { try await directory.releaseLease("a") }
    try await waitUntilQuiet(calls)
    try requireEqual(calls.value, before, "the calls after a released lease was released again")
  }

  /// Requires that the watcher is called for `event`, after all earlier calls.
  private func requireCall(_ calls: Locked<Int>, _ what: String, _ event: () async throws -> Void) async throws {
    try await waitUntilQuiet(calls)
    let before = calls.value
    try await event()
    try await waitUntil("a call of the watcher for \(what)") { calls.value > before }
  }

  /// Waits until the watcher is not called during some round trips.
  private func waitUntilQuiet(_ calls: Locked<Int>) async throws {
    try await waitUntil("the last call of the watcher") {
      let before = calls.value
      for _ in 0..<20 {
        await Task.yield()
        _ = try await directory.overview()
      }
      return calls.value == before
    }
  }

  private func stopsWatching() async throws {
    let (wasCalled, ended) = (Locked(false), Locked(false))
    let watching = Task {
      await directory.watch { wasCalled.change { $0 = true } }
      ended.change { $0 = true }
    }
    try await waitUntil("the first call of the watcher") {
      _ = try await directory.change("one", by: "test") { $0.size = ($0.size ?? 0) + 1 }
      return wasCalled.value
    }
    watching.cancel()
    try await waitUntil("the end of the watch") { ended.value }
  }
}
