import RabbitMQ
import TestServers
import Testing

/// ``ConnectionLifecycle`` against a real server.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ConnectionSupervisorTests {
  /// The real server behind a proxy, and a port where nothing listens.
  private func hosts(proxy: TCPProxy) throws -> RabbitMQConfiguration {
    let dead = try TestEnvironment.rabbitMQ().proxy()
    dead.stop()
    let login = try rabbitMQ()
    return try RabbitMQConfiguration(
      url: "amqp://\(login.user):\(login.password)@127.0.0.1:\(dead.port),127.0.0.1:\(proxy.port)/")
  }

  @Test func `of several hosts those that are away delay no connection, however often it is lost`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    let configuration = try hosts(proxy: proxy)
    try await withPublisher(configuration) { publisher async throws in
      for _ in 0..<4 {
        try await eventually("it is ready") { publisher.isReady }
        proxy.refuseNew()
        proxy.cutAll()
        try await eventually("the loss is noticed") { !publisher.isReady }
        proxy.acceptNew()
      }
    }
    try await withConsumer(configuration) { consumer async throws in
      try await eventually("it is connected") { consumer.isConnected }
    }
  }

  /// The delays are at least half of 100, 200, 400, 800 and 1,600 ms.
  @Test func `a broker that drops every connection at once is asked less and less often`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    let configuration = try rabbitMQ(port: proxy.port)
    try await withConsumer(configuration) { consumer async throws in
      let took = try await duration {
        for _ in 0..<5 {
          try await eventually("it is connected") { consumer.isConnected }
          proxy.refuseNew()
          proxy.cutAll()
          try await eventually("the loss is noticed") { !consumer.isConnected }
          proxy.acceptNew()
        }
        try await eventually("it is connected") { consumer.isConnected }
      }
      #expect(took >= .milliseconds(1_550))
    }
  }

  @Test func `a connection that delivered something is replaced quickly, however often that happens`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await fill(queue, ["a"])
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 1))
        let took = try await duration {
          for round in 1...10 {
            try await eventually("it has come again") { inbox.count == round }
            proxy.cutAll()
          }
        }
        // Nine delays that double would be more than this, even were each as short as it may be.
        #expect(took < .seconds(10))
      }
    }
  }

  @Test func `a refused login is tried again`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    let configuration = try rabbitMQ(port: proxy.port, password: "wrong")
    try await withConsumer(configuration) { consumer async throws in
      try await eventually("a login was tried") { proxy.bytesFromClient > 100 }
      try await eventually("the login was refused") { proxy.connectionCount == 0 }
      let before = proxy.bytesFromClient
      try await eventually(within: .seconds(20), "it is tried again") { proxy.bytesFromClient > before }
      #expect(!consumer.isConnected)
    }
  }
}
