import Foundation
import JobOperations
import Jobs

/// The JSON of `vluma queues --json`: what is unknown is null.
struct StatusDocument: Encodable {
  struct Pool: Encodable {
    let name: String
    @NullIfUnknown var queued: Int?
    @NullIfUnknown var running: Int?
    @NullIfUnknown var scheduled: Int?
    @NullIfUnknown var dead: Int?
    @NullIfUnknown var size: Int?
    @NullIfUnknown var localConcurrency: Int?
    @NullIfUnknown var isPaused: Bool?
    let pausedKinds: [String]
    @NullIfUnknown var nodes: Int?
    @NullIfUnknown var oldestAgeSeconds: Double?
  }

  struct Tier: Encodable {
    let name: String
    @NullIfUnknown var retrying: Int?
  }

  struct Gauge: Encodable {
    let name: String
    let help: String
    @NullIfUnknown var label: [String]?
    let value: Double
  }

  struct Node: Encodable {
    struct Pool: Encodable {
      let localConcurrency: Int
      let running: Int
      @NullIfUnknown var lastFetchedEnqueuedAt: Date?
    }

    let id: String
    let startedAt: Date
    let pools: [String: Pool]
  }

  let pools: [Pool]
  let tiers: [Tier]
  @NullIfUnknown var unroutable: Int?
  @NullIfUnknown var outbox: Int?
  @NullIfUnknown var outboxOldestSeconds: Double?
  @NullIfUnknown var nodes: [Node]?
  let gauges: [Gauge]
  let errors: [String]

  init(_ status: PlatformStatus) {
    pools = status.pools.map {
      Pool(
        name: $0.name.rawValue, queued: $0.queued, running: $0.running, scheduled: $0.scheduled, dead: $0.dead,
        size: $0.size, localConcurrency: $0.localConcurrency, isPaused: $0.isPaused,
        pausedKinds: $0.pausedKinds.map(\.rawValue), nodes: $0.nodes, oldestAgeSeconds: $0.oldestAgeSeconds)
    }
    tiers = status.tiers.map { Tier(name: $0.name, retrying: $0.retrying) }
    unroutable = status.unroutable
    outbox = status.outbox
    outboxOldestSeconds = status.outboxOldestSeconds
    nodes = status.nodes?.map { node in
      let pools = node.pools.mapValues {
        Node.Pool(
          localConcurrency: $0.localConcurrency, running: $0.running, lastFetchedEnqueuedAt: $0.lastFetchedEnqueuedAt)
      }
      return Node(id: node.id, startedAt: node.startedAt, pools: pools)
    }
    gauges = status.gauges.map { Gauge(name: $0.name, help: $0.help, label: $0.label, value: $0.value) }
    errors = status.errors
  }
}
