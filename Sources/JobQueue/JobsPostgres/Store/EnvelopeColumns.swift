internal import Foundation
internal import Jobs

/// Envelopes as arrays, a column each, for statements that write many rows at once.
struct EnvelopeColumns {
  var ids: [UUID] = []
  var runs: [Int] = []
  var pools: [String] = []
  var envelopes: [String] = []
  var bodies: [Data] = []

  init(_ jobs: [(JobEnvelope, PoolName)]) throws {
    let encoder = JSONEncoder()
    for (envelope, pool) in jobs {
      ids.append(envelope.id.uuid)
      runs.append(envelope.run)
      pools.append(pool.rawValue)
      envelopes.append(String(decoding: try encoder.encode(envelope), as: UTF8.self))
      bodies.append(envelope.body)
    }
  }
}
