import TestServers
import Testing

@testable import RabbitMQ

@Suite(.timeLimit(.minutes(1)))
struct SubscriptionStateModelTests {
  @Test(arguments: 1...40)
  func `whatever happens, in the end the broker has one consumer with the requested prefetch`(_ seed: Int) {
    var driver = SubscriptionDriver(prefetch: 3, seed: UInt64(seed))
    driver.attach()
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &driver.random) {
      case 0..<4:
        let prefetch = Int.random(in: 0...3, using: &driver.random)
        driver.setPrefetch(prefetch)
      case 4: driver.state.handle(.restartRequested)
      case 5: driver.state.handle(.channelLost(.deadlineExceeded, generation: driver.generation))
      case 6:
        let older = Int.random(in: 0..<driver.generation, using: &driver.random)
        driver.state.handle(.channelLost(.deadlineExceeded, generation: older))
      case 7:
        guard let consumer = driver.consumers.randomElement(using: &driver.random) else { continue }
        driver.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: driver.generation))
      default:
        if case .rebuild? = driver.work().last { driver.attach() }
        #expect(driver.consumers.count <= 1)
      }
    }
    while case .rebuild? = driver.work().last { driver.attach() }
    #expect(driver.state.isAttached)
    let requested = driver.state.prefetch > 0 ? [driver.state.prefetch] : []
    #expect(driver.consumers.map(\.prefetch) == requested)
  }
}
