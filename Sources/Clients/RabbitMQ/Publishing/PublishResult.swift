/// The result of publishing one message.
package enum PublishResult: Sendable, Equatable {
  /// basic.ack: a queue holds the message.
  case confirmed
  /// basic.return: no queue is bound under the routing key, nothing was kept.
  case returned
  /// Nothing was kept: basic.nack (queue full or without a leader), or the broker closed the channel over this message
  /// alone, or its exchange is missing.
  case nacked
  /// Nothing was kept, and never will be: the protocol cannot carry the message (then it was not written), or the
  /// broker takes none of its size.
  case refused
  /// The deadline passed, the publisher stopped, or too many messages were waiting, before the message was first
  /// written: nothing was kept.
  case expired
  /// Written, and not confirmed by the deadline or before the publisher stopped: kept or not. Publish it again under
  /// the same id.
  case lost
}
