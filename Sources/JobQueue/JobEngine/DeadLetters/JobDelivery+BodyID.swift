internal import Foundation
internal import Jobs

extension JobDelivery {
  /// An id made from the body, for a message without a readable one: a second copy of the message is the same letter.
  var bodyID: JobID {
    // Two FNV-1a-like hashes of 64 bits each; nothing secret depends on them.
    var high: UInt64 = 0xcbf2_9ce4_8422_2325
    var low: UInt64 = 0x8422_2325_cbf2_9ce4
    for byte in body {
      high = (high ^ UInt64(byte)) &* 0x100_0000_01b3
      low = (low &+ UInt64(byte)) &* 0x9e37_79b9_7f4a_7c15
    }
    return withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) {
      JobID(UUID(uuid: $0.loadUnaligned(as: uuid_t.self)))
    }
  }
}
