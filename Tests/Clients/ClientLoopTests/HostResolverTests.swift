import Foundation
import TestServers
import Testing

@testable import ClientLoop

@Suite(.timeLimit(.minutes(1)))
struct HostResolverTests {
  /// Asks on a thread of its own, as the clients do.
  private func ask(
    _ resolver: HostResolver, _ host: String, for time: Duration,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) async -> Result<[String], any Error> {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          returning: Result { try resolver.addresses(of: host, until: .now + time, isCancelled: isCancelled) })
      }
    }
  }

  @Test(arguments: ["127.0.0.1", "::1", "10.0.0.255"]) func `an address is its own`(_ address: String) throws {
    let resolver = HostResolver { _ in .failure(HostResolver.Failure(description: "asked")) }
    #expect(try resolver.addresses(of: address, until: .now) == [address])
  }

  @Test func `a silent name server holds nobody longer than the deadline, and its look-up is shared`() async throws {
    let lookUps = Locked(0)
    let gate = DispatchSemaphore(value: 0)
    let resolver = HostResolver { _ in
      lookUps.change { $0 += 1 }
      gate.wait()
      return .success(["192.0.2.1"])
    }
    let start = ContinuousClock.now
    for _ in 0..<3 {
      let result = await ask(resolver, "silent.example", for: .milliseconds(100))
      #expect(throws: HostResolver.Failure.self) { try result.get() }
    }
    #expect(.now - start < .seconds(10))
    #expect(lookUps.value == 1)
    // One for it, and one for the next, where it has ended before that one asks.
    gate.signal()
    gate.signal()
    #expect(try await ask(resolver, "silent.example", for: .seconds(30)).get() == ["192.0.2.1"])
  }

  @Test func `a cancelled caller does not wait for the deadline`() async throws {
    let gate = DispatchSemaphore(value: 0)
    defer { gate.signal() }
    let resolver = HostResolver { _ in
      gate.wait()
      return .success([])
    }
    let result = await ask(resolver, "silent.example", for: .seconds(50)) { true }
    #expect(throws: HostResolver.Failure.self) { try result.get() }
  }

  @Test func `the system knows localhost, and says what it does not know`() async throws {
    let known = try await ask(.system, "localhost", for: .seconds(20)).get()
    #expect(!known.isEmpty)
    #expect(Set(known).isSubset(of: ["127.0.0.1", "::1"]))
    let unknown = await ask(.system, "no-such-host.invalid", for: .seconds(20))
    #expect(throws: HostResolver.Failure.self) { try unknown.get() }
  }
}
