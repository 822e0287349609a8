import Foundation
import Testing

@testable import RabbitMQ

struct FrameAssemblerTests {
  private let delivery = FrameAssembler.Announcement.delivery(
    tag: 7, redelivered: true, exchange: "exchange", routingKey: "key")

  private func properties(_ id: String) -> RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = id
    properties.headers = ["n": .integer(1)]
    return properties
  }

  private func feed(_ assembler: inout FrameAssembler, _ bytes: some Sequence<UInt8>) -> FrameAssembler.Content? {
    Array(bytes).withUnsafeBytes { assembler.body($0) }
  }

  @Test func `a message without a body is complete at its header`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    let content = assembler.header(properties("a"), bodySize: 0)
    #expect(content == FrameAssembler.Content(announcement: delivery, properties: properties("a"), body: Data()))
  }

  @Test func `a body in one frame`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    #expect(assembler.header(properties("a"), bodySize: 3) == nil)
    let whole = FrameAssembler.Content(announcement: delivery, properties: properties("a"), body: Data([1, 2, 3]))
    #expect(feed(&assembler, [1, 2, 3]) == whole)
  }

  @Test func `a body in many frames keeps its order`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    let body = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(assembler.header(properties("a"), bodySize: body.count) == nil)
    for byte in body.dropLast() { #expect(feed(&assembler, [byte]) == nil) }
    #expect(feed(&assembler, body.suffix(1))?.body == Data(body))
  }

  @Test func `nothing of one message is left in the next`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    _ = assembler.header(properties("a"), bodySize: 2)
    _ = feed(&assembler, [1, 2])
    let returned = FrameAssembler.Announcement.returned(exchange: "", routingKey: "nowhere")
    assembler.announce(returned)
    #expect(assembler.header(RabbitMQProperties(), bodySize: 1) == nil)
    let whole = FrameAssembler.Content(announcement: returned, properties: RabbitMQProperties(), body: Data([9]))
    #expect(feed(&assembler, [9]) == whole)
  }

  @Test func `a complete message is returned once`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    _ = assembler.header(properties("a"), bodySize: 1)
    #expect(feed(&assembler, [1]) != nil)
    #expect(feed(&assembler, [2]) == nil)
  }

  @Test func `content that nothing announced is no message`() {
    var assembler = FrameAssembler()
    #expect(assembler.header(properties("a"), bodySize: 1) == nil)
    #expect(feed(&assembler, [1]) == nil)
    assembler.announce(delivery)
    #expect(assembler.header(properties("b"), bodySize: 1) == nil)
    #expect(feed(&assembler, [2])?.body == Data([2]))
  }
}
