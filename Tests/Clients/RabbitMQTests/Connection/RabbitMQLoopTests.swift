import CRabbitMQ
import ClientLoop
import Testing

@testable import RabbitMQ

/// A loop whose thread is not started: the test plays it, on a connection whose every write fails.
@Suite(.timeLimit(.minutes(1)))
struct RabbitMQLoopTests {
  private let loop: RabbitMQLoop

  init() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://localhost")
    loop = try RabbitMQLoop(configuration, host: configuration.hosts[0], name: "test")
  }

  @Test func `a write that fails answers every call that was taken with it`() async throws {
    let connection = try #require(amqp_new_connection())
    defer { amqp_destroy_connection(connection) }
    _ = try #require(amqp_tcp_socket_new(connection))  // never opened
    let channels = (1...3).map { RabbitMQChannel(number: $0, loop: loop, delegate: NoOpChannelDelegate()) }
    var replies: [Promise<AMQPReply>] = []
    for channel in channels {
      let call = RabbitMQLoop.Call(
        channel: channel, method: .openChannel, reply: Promise(), deadline: .now + .seconds(10))
      replies.append(call.reply)
      try loop.post {
        $0.opened.append(channel)
        $0.calls.append(call)
      }
    }

    let error = try #require(throws: RabbitMQError.self) { _ = try loop.processMail(on: connection) }
    loop.failAll(error)

    for reply in replies {
      #expect(reply.result != nil)
      await #expect(throws: error) { _ = try await reply.wait() }
    }
    #expect(channels.allSatisfy { !$0.isOpen })
    #expect(throws: error) { try loop.post { $0.wantsPublishing = true } }
  }

  @Test func `the end answers calls that were not taken, and those that come later`() async throws {
    let channel = RabbitMQChannel(number: 1, loop: loop, delegate: NoOpChannelDelegate())
    try loop.post { $0.opened.append(channel) }
    let calling = Task { try await channel.call(.openChannel) }
    loop.failAll(.deadlineExceeded)
    await #expect(throws: RabbitMQError.deadlineExceeded) { try await calling.value }
    #expect(!channel.isOpen)
  }
}
