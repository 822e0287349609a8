import Jobs

/// A pool that queues.yaml does not have.
struct UnknownPool: Error, CustomStringConvertible {
  let name: PoolName
  let known: [PoolName]
  var description: String {
    "queues.yaml has no pool \"\(name)\"; it has \(known.map(\.rawValue).joined(separator: ", "))"
  }
}
