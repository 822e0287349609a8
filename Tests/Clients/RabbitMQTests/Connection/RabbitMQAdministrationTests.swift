import RabbitMQ
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQAdministrationTests {
  @Test func `a wrong password is a refused login, and the error does not repeat it`() async throws {
    let configuration = try rabbitMQ(password: "wrong-hunter2")
    let error = await #expect(throws: RabbitMQError.self) {
      try await RabbitMQAdministration.with(configuration) { _ in }
    }
    guard case .loginRefused(let server, let reason) = error else {
      Issue.record("\(String(describing: error)) is not loginRefused")
      return
    }
    #expect(server == configuration.serverName)
    #expect(!reason.isEmpty)
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func `an unknown virtual host is a refused login`() async throws {
    let url = try TestEnvironment.rabbitMQ().with(path: "/" + TestEnvironment.uniqueName("none"))
    let configuration = try RabbitMQConfiguration(url: url)
    let error = await #expect(throws: RabbitMQError.self) {
      try await RabbitMQAdministration.with(configuration) { _ in }
    }
    guard case .loginRefused = error else {
      Issue.record("\(String(describing: error)) is not loginRefused")
      return
    }
  }

  @Test func `a server that is away is a failed connection`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    proxy.stop()
    let error = await #expect(throws: RabbitMQError.self) {
      try await RabbitMQAdministration.with(rabbitMQ(port: proxy.port)) { _ in }
    }
    guard case .connectionFailed(let server, _) = error else {
      Issue.record("\(String(describing: error)) is not connectionFailed")
      return
    }
    #expect(server.hasSuffix(":\(proxy.port)"))
  }

  @Test func `a server that accepts and says nothing is a failed connection within the connect timeout`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    proxy.freeze()
    var changed = try rabbitMQ(port: proxy.port)
    changed.connectTimeout = .seconds(1)
    let configuration = changed
    let took = await duration {
      let error = await #expect(throws: RabbitMQError.self) {
        try await RabbitMQAdministration.with(configuration) { _ in }
      }
      guard case .connectionFailed = error else {
        Issue.record("\(String(describing: error)) is not connectionFailed")
        return
      }
    }
    #expect(took < .seconds(6))
  }

  @Test func `of several nodes one that answers is found`() async throws {
    let dead = try TestEnvironment.rabbitMQ().proxy()
    dead.stop()
    let real = try TestEnvironment.rabbitMQ()
    let login = try rabbitMQ()
    let url = "amqp://\(login.user):\(login.password)@127.0.0.1:\(dead.port),\(real.host):\(real.port)/"
    for _ in 0..<4 {
      let exists = try await RabbitMQAdministration.with(RabbitMQConfiguration(url: url)) {
        try await $0.exchangeExists("amq.direct")
      }
      #expect(exists)
    }
  }

  @Test func `a queue that does not exist has no depth, and the next call works`() async throws {
    try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
      #expect(try await administration.queueDepth(TestEnvironment.uniqueName("none")) == nil)
      #expect(try await administration.exchangeExists("amq.direct"))
      #expect(try await !administration.exchangeExists(TestEnvironment.uniqueName("none")))
    }
  }

  @Test func `depth counts messages and consumers`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b"])
      try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
        try await eventually("two messages, no consumer") {
          guard let depth = try await administration.queueDepth(queue) else { return false }
          return depth.messages == 2 && depth.consumers == 0
        }
        _ = try await collect(queue) { $0.count == 2 }
        try await eventually("no message") { try await administration.queueDepth(queue)?.messages == 0 }
      }
    }
  }

  @Test func `declaring again alike is fine, and with other arguments is 406`() async throws {
    try await withQueue { queue in
      try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
        try await administration.declareQueue(queue, arguments: quorum)
        let error = await #expect(throws: RabbitMQError.self) {
          try await administration.declareQueue(queue, arguments: ["x-queue-type": .string("classic")])
        }
        #expect(error?.code == RabbitMQError.preconditionFailed)
        // Only that channel is closed.
        try await administration.declareQueue(queue, arguments: quorum)
      }
    }
  }

  @Test func `a message is routed by a binding, and one with another key is returned`() async throws {
    let exchange = TestEnvironment.uniqueName("exchange")
    try await withQueue { queue in
      try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
        try await administration.declareExchange(exchange, type: "direct")
        #expect(try await administration.exchangeExists(exchange))
        let error = await #expect(throws: RabbitMQError.self) {
          try await administration.declareExchange(exchange, type: "fanout")
        }
        #expect(error?.code == RabbitMQError.preconditionFailed)
        try await administration.bind(queue: queue, to: exchange, routingKey: "key")
        try await administration.bind(queue: queue, to: exchange, routingKey: "key")
        try await withPublisher(rabbitMQ()) { publisher async throws in
          let bound = message("bound", to: "key", exchange: exchange)
          #expect(await publisher.publish([bound], deadline: .now + .seconds(20)) == [.confirmed])
          let unbound = message("unbound", to: "other", exchange: exchange)
          #expect(await publisher.publish([unbound], deadline: .now + .seconds(20)) == [.returned])
        }
        try await administration.deleteExchange(exchange)
        #expect(try await !administration.exchangeExists(exchange))
      }
    }
  }

  @Test func `a queue with messages is not deleted as an empty one`() async throws {
    try await withQueue(["x-queue-type": .string("classic")]) { queue in
      try await fill(queue, ["a"])
      try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
        let error = await #expect(throws: RabbitMQError.self) {
          try await administration.deleteQueue(queue, onlyIfEmpty: true)
        }
        #expect(error?.code == RabbitMQError.preconditionFailed)
        _ = try await collect(queue) { $0.count == 1 }
        try await administration.deleteQueue(queue, onlyIfEmpty: true)
        #expect(try await administration.queueDepth(queue) == nil)
      }
    }
  }

  @Test func `more calls than there are channel numbers`() async throws {
    try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
      for _ in 0..<2_100 { #expect(try await administration.exchangeExists("amq.direct")) }
    }
  }
}
