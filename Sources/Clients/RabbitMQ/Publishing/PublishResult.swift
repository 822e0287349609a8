/// The result of publishing one message.
package enum PublishResult: Sendable, Equatable {
  /// basic.ack: a queue holds the message.
  case confirmed
  /// basic.return: no queue is bound under the routing key, nothing was kept.
  case returned
  /// Nothing was kept: basic.nack (queue full or without a leader), or the broker closed the channel over this message
  /// alone (missing exchange), or the protocol cannot carry it (then it was never written).
  case nacked
  /// The deadline passed, or the publisher stopped, before the message was first written: nothing was kept.
  case expired
  /// Written, and not confirmed by the deadline or before the publisher stopped: kept or not. Publish it again under
  /// the same id.
  case lost
}
