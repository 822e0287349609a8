internal import CRabbitMQ
internal import Foundation

extension [String: RabbitMQValue] {
  /// Lends the values as an AMQP table; it is valid during the call only.
  func withTable<Result>(_ body: (amqp_table_t) throws -> Result) rethrows -> Result {
    var arena = ByteArena()
    let sorted = self.sorted { $0.key < $1.key }
    let ranges = sorted.map { (key: arena.add($0.key), text: $0.value.string.map { arena.add($0) }) }
    return try arena.withPointers { bytes in
      var entries: [amqp_table_entry_t] = []
      for (entry, range) in zip(sorted, ranges) {
        var field = amqp_field_value_t()
        switch entry.value {
        case .string:
          field.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
          if let text = range.text { field.value.bytes = bytes(text) }
        case .integer(let number):
          field.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
          field.value.i64 = number
        case .bool(let flag):
          field.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
          field.value.boolean = flag ? 1 : 0
        case .unsupported: field.kind = UInt8(AMQP_FIELD_KIND_VOID.rawValue)
        }
        entries.append(amqp_table_entry_t(key: bytes(range.key), value: field))
      }
      return try entries.withUnsafeMutableBufferPointer {
        try body(amqp_table_t(num_entries: Int32($0.count), entries: $0.baseAddress))
      }
    }
  }

  /// Copies a received table.
  init(_ table: amqp_table_t) {
    self = [:]
    guard let entries = table.entries else { return }
    for index in 0..<Int(table.num_entries) {
      self[String(entries[index].key)] = RabbitMQValue(entries[index].value)
    }
  }
}

extension RabbitMQValue {
  /// Copies a received value; brokers and other clients use several integer kinds.
  init(_ field: amqp_field_value_t) {
    let value = field.value
    switch amqp_field_value_kind_t(UInt32(field.kind)) {
    case AMQP_FIELD_KIND_UTF8, AMQP_FIELD_KIND_BYTES: self = .string(String(value.bytes))
    case AMQP_FIELD_KIND_BOOLEAN: self = .bool(value.boolean != 0)
    case AMQP_FIELD_KIND_I8: self = .integer(Int64(value.i8))
    case AMQP_FIELD_KIND_U8: self = .integer(Int64(value.u8))
    case AMQP_FIELD_KIND_I16: self = .integer(Int64(value.i16))
    case AMQP_FIELD_KIND_U16: self = .integer(Int64(value.u16))
    case AMQP_FIELD_KIND_I32: self = .integer(Int64(value.i32))
    case AMQP_FIELD_KIND_U32: self = .integer(Int64(value.u32))
    case AMQP_FIELD_KIND_I64: self = .integer(value.i64)
    case AMQP_FIELD_KIND_U64, AMQP_FIELD_KIND_TIMESTAMP: self = .integer(Int64(clamping: value.u64))
    default: self = .unsupported
    }
  }
}

extension String {
  /// Copies received bytes, which are not NUL-terminated.
  init(_ bytes: amqp_bytes_t) {
    self.init(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
  }
}
