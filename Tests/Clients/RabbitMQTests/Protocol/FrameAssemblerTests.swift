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

  @Test func `a body that is too large is hashed and not kept, and the next message is whole`() {
    var assembler = FrameAssembler(bodyMax: 4)
    assembler.announce(delivery)
    #expect(assembler.header(properties("a"), bodySize: 5) == nil)
    #expect(feed(&assembler, Data("ab".utf8)) == nil)
    let content = feed(&assembler, Data("cde".utf8))
    #expect(content?.body == Data())
    #expect(content?.properties == properties("a"))
    // sha256sum of "abcde"
    let hash = "36bbe50ed96841d10443bcb670d6554f0a34b761be67ec9c4a8ad2c0c44ca42c"
    #expect(content?.omittedBody == OmittedBody(size: 5, sha256: hash))
    assembler.announce(delivery)
    #expect(assembler.header(properties("b"), bodySize: 4) == nil)
    let next = feed(&assembler, [1, 2, 3, 4])
    #expect(next?.body == Data([1, 2, 3, 4]))
    #expect(next?.omittedBody == nil)
  }

  @Test(arguments: [Int.max, 1 << 40]) func `a forged size allocates nothing and traps nowhere`(_ size: Int) {
    for bodyMax in [RabbitMQMessage.bodyMax, .max] {
      var assembler = FrameAssembler(bodyMax: bodyMax)
      assembler.announce(delivery)
      #expect(assembler.header(properties("a"), bodySize: size) == nil)
      #expect(feed(&assembler, [1, 2, 3]) == nil)
    }
  }

  @Test func `bytes beyond the announced size are dropped`() {
    var assembler = FrameAssembler()
    assembler.announce(delivery)
    _ = assembler.header(properties("a"), bodySize: 2)
    #expect(feed(&assembler, [1, 2, 3, 4])?.body == Data([1, 2]))
  }
}
