// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 mode, warnings are errors, and imports are private unless they say
/// otherwise. Failpoints (places where a test may kill the process) exist in debug builds only.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .define("FAILPOINTS", .when(configuration: .debug)),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationEssentialsCompat", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let environment = Target.Dependency.product(name: "Configuration", package: "swift-configuration")

let package = Package(
  name: "AgendVluma",
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // The C libraries: a module map and a shim each.
    .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    // No pkgConfig: SwiftPM refuses the flags that hiredis names and warns about them.
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CEventFD"),

    // Clients, each one connection per thread.
    .target(name: "Wires", dependencies: ["CEventFD", deque], swiftSettings: settings),
    .target(name: "RabbitMQ", dependencies: ["CRabbitMQ", "Wires", deque, logging], swiftSettings: settings),
    .target(name: "Postgres", dependencies: ["CLibPQ", "Wires", crypto, deque, logging], swiftSettings: settings),
    .target(name: "Redis", dependencies: ["CHiredis", "Wires", deque, logging], swiftSettings: settings),
    .target(name: "Curl", dependencies: ["CCurl", "Wires"], swiftSettings: settings),

    // The engine: vocabulary and ports, configuration, processing, and the adapters of its ports.
    .target(name: "Jobs", dependencies: [logging], swiftSettings: settings),
    .target(name: "JobConfiguration", dependencies: ["Jobs", yams], swiftSettings: settings),
    .target(
      name: "JobProcessing", dependencies: ["Jobs", "JobConfiguration", "Wires", deque, lifecycle, logging, metrics],
      swiftSettings: settings),
    .target(name: "JobsRabbitMQ", dependencies: ["Jobs", "JobConfiguration", "RabbitMQ"], swiftSettings: settings),
    .target(name: "JobsTesting", dependencies: ["Jobs", "Wires", logging], swiftSettings: settings),
    .target(name: "JobsPostgres", dependencies: ["Jobs", "Postgres", logging], swiftSettings: settings),
    .target(name: "RateLimiting", dependencies: ["Jobs", "Redis"], swiftSettings: settings),

    // The domain: pure rules, and its SQL.
    .target(name: "Scheduling", swiftSettings: settings),
    .target(name: "WhatsApp", dependencies: [crypto], swiftSettings: settings),
    .target(name: "WhatsAppCloud", dependencies: ["Curl", "WhatsApp"], swiftSettings: settings),
    .target(name: "Reporting", swiftSettings: settings),
    .target(
      name: "Stores", dependencies: ["Reporting", "Scheduling", "WhatsApp", "Postgres"], swiftSettings: settings),
    .target(
      name: "Workers", dependencies: ["Jobs", "Reporting", "Scheduling", "Stores", "WhatsApp", logging],
      path: "workers", swiftSettings: settings),

    // The front, the operators' side, and the program.
    .target(
      name: "Ingest",
      dependencies: [
        "Jobs", "Reporting", "Scheduling", "Stores", "Redis", "WhatsApp", "Wires", "Workers", crypto, deque, httpTypes,
        hummingbird, hummingbirdCore, logging, nio, nioFoundation, nioHTTPTypes,
      ],
      swiftSettings: settings),
    .target(name: "Operations", dependencies: ["Jobs", httpTypes, hummingbird, metrics, nio], swiftSettings: settings),
    // A stand-in for Meta's Cloud API; it shares no code with WhatsApp, so that neither can hide the other's mistakes.
    .target(
      name: "WhatsAppSandbox",
      dependencies: ["Curl", crypto, httpTypes, hummingbird, lifecycle, logging, nio, nioFoundation],
      swiftSettings: settings),
    .executableTarget(
      name: "vluma",
      dependencies: [
        "Curl", "Ingest", "JobConfiguration", "JobProcessing", "Jobs", "JobsPostgres", "JobsRabbitMQ", "Operations",
        "Postgres", "RabbitMQ", "RateLimiting", "Redis", "Reporting", "Scheduling", "Stores", "WhatsApp",
        "WhatsAppCloud", "WhatsAppSandbox", "Wires", "Workers", arguments, deque, environment, hummingbird,
        hummingbirdCore, lifecycle, logging,
        metrics, .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ], swiftSettings: settings),

    // Tests: pure ones, services on in-memory ports, real servers, and faults.
    .target(
      name: "TestServers", dependencies: ["JobsPostgres", "Postgres", "Wires"], path: "Tests/TestServers",
      swiftSettings: settings),
    .testTarget(name: "WiresTests", dependencies: ["Wires", "TestServers"], swiftSettings: settings),
    .testTarget(name: "RabbitMQTests", dependencies: ["RabbitMQ", "TestServers", logging], swiftSettings: settings),
    .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestServers", logging], swiftSettings: settings),
    .testTarget(name: "RedisTests", dependencies: ["Redis", "TestServers", logging], swiftSettings: settings),
    .testTarget(name: "CurlTests", dependencies: ["Curl", "TestServers"], swiftSettings: settings),
    .testTarget(name: "JobsTests", dependencies: ["Jobs", "TestServers"], swiftSettings: settings),
    .testTarget(
      name: "JobConfigurationTests", dependencies: ["JobConfiguration", "Jobs", "TestServers"], swiftSettings: settings),
    .testTarget(
      name: "JobsTestingTests", dependencies: ["Jobs", "JobsTesting", "TestServers"], swiftSettings: settings),
    .testTarget(
      name: "JobProcessingTests",
      dependencies: [
        "JobConfiguration", "JobProcessing", "Jobs", "JobsTesting", "TestServers", "Wires", deque, lifecycle, logging,
      ], swiftSettings: settings),
    .testTarget(
      name: "JobsPostgresTests",
      dependencies: ["Jobs", "JobsPostgres", "JobsTesting", "Postgres", "TestServers", logging], swiftSettings: settings
    ),
    .testTarget(
      name: "JobsRabbitMQTests",
      dependencies: [
        "JobConfiguration", "Jobs", "JobsRabbitMQ", "JobsTesting", "RabbitMQ", "Stores", "TestServers", "Workers",
        logging,
      ], exclude: ["Recorded"], swiftSettings: settings),
    .testTarget(
      name: "RateLimitingTests", dependencies: ["Jobs", "RateLimiting", "Redis", "TestServers", logging],
      swiftSettings: settings),
    .testTarget(
      name: "WhatsAppTests", dependencies: ["WhatsApp", "TestServers"], exclude: ["Payloads"], swiftSettings: settings),
    .testTarget(
      name: "WhatsAppCloudTests", dependencies: ["Curl", "WhatsApp", "WhatsAppCloud", "TestServers"],
      swiftSettings: settings),
    .testTarget(name: "OperationsTests", dependencies: ["Jobs", "Operations"], swiftSettings: settings),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "TestServers"], swiftSettings: settings),
    .testTarget(
      name: "WhatsAppSandboxTests",
      dependencies: [
        "Curl", "WhatsAppSandbox", "TestServers", crypto, httpTypes, hummingbird, lifecycle, logging, nio,
      ], swiftSettings: settings),
    .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "TestServers"], swiftSettings: settings),
    .target(
      name: "TestPlatform",
      dependencies: [
        "Curl", "Postgres", "RabbitMQ", "Scheduling", "Stores", "TestServers", "WhatsApp", "WhatsAppSandbox", "Wires",
        logging,
      ], path: "Tests/TestPlatform", swiftSettings: settings),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "Curl", "Postgres", "RabbitMQ", "Stores", "TestPlatform", "TestServers", "WhatsApp", "WhatsAppSandbox",
      ], swiftSettings: settings),
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "Curl", "Postgres", "RabbitMQ", "TestPlatform", "TestServers", "WhatsAppSandbox", "Wires", logging,
      ],
      swiftSettings: settings),
  ]
)
