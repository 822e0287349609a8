import TestServers
import Testing

@testable import RabbitMQ

@Suite(.timeLimit(.minutes(1)))
struct SubscriptionStateModelTests {
  @Test(arguments: 1...40)
  func `whatever happens, in the end the broker has one consumer with the wished prefetch`(_ seed: Int) {
    var line = SubscriptionLine(prefetch: 3, seed: UInt64(seed))
    line.attach()
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &line.random) {
      case 0..<4:
        let prefetch = Int.random(in: 0...3, using: &line.random)
        line.wish(prefetch)
      case 4: line.state.handle(.restartAsked)
      case 5: line.state.handle(.channelLost(.deadlineExceeded, generation: line.generation))
      case 6:
        let older = Int.random(in: 0..<line.generation, using: &line.random)
        line.state.handle(.channelLost(.deadlineExceeded, generation: older))
      case 7:
        guard let consumer = line.consumers.randomElement(using: &line.random) else { continue }
        line.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: line.generation))
      default:
        if case .rebuild? = line.work().last { line.attach() }
        #expect(line.consumers.count <= 1)
      }
    }
    while case .rebuild? = line.work().last { line.attach() }
    #expect(line.state.isAttached)
    let wished = line.state.prefetch > 0 ? [line.state.prefetch] : []
    #expect(line.consumers.map(\.prefetch) == wished)
  }
}
