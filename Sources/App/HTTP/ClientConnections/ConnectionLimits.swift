internal import NIOCore

/// The bounds of one client's connection, in bytes and time. `Connections.md` shows where each applies.
package struct ConnectionLimits: Sendable {
  /// Without a request under way. Nginx's default: longer than what load balancers in front keep (60 s).
  var idle = TimeAmount.seconds(75)

  /// From a request's first byte to the end of its head.
  var head = TimeAmount.seconds(5)
  /// Request line and all header fields. A half head costs about that much memory.
  var headBytes = 16 << 10
  var headFieldBytes = 8 << 10
  var headFields = 100

  /// From the end of the head to the end of the body.
  var body = TimeAmount.seconds(30)
  /// A body that has not ended must grow by `paceBytes` within each `pace`.
  var pace = TimeAmount.seconds(5)
  var paceBytes = 4 << 10
  /// What chunk sizes, extensions and trailers may take beside the body: this, and half of the body's bytes.
  var framingBytes = 16 << 10

  /// From the end of the request to the end of the answer. Everything that answers has shorter deadlines of its own.
  var answer = TimeAmount.seconds(60)
  /// How long a client may take no byte of an answer that waits for it.
  var unread = TimeAmount.seconds(10)
  /// From the end of an answer until the client has taken all of it.
  var delivery = TimeAmount.seconds(60)

  /// How long, and how many bytes, we still read and drop after our side is closed: a client that is still sending
  /// would otherwise lose the answer to a reset.
  var linger = TimeAmount.seconds(2)
  var lingerBytes = 256 << 10

  /// What is kept of requests that a client sent before it had the answer to the one before.
  var pipelinedBytes = 64 << 10

  /// How long a request may take to end once the process stops.
  var drain: TimeAmount

  /// - Parameter grace: how long the process may take to stop; connections take 10 s of it at most.
  package init(grace: Duration = .seconds(30)) { drain = TimeAmount(min(grace, .seconds(10))) }
}
