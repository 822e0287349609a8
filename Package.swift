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

/// A target in `Sources/<room>/<name>`.
///
/// - Parameter migrations: names of `.sql` files in its folder `Migrations`; they become part of the binary.
func target(
  _ name: String, in room: String? = nil, _ dependencies: [Target.Dependency] = [], migrations: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: ["Sources", room, name].compactMap(\.self).joined(separator: "/"),
    resources: migrations.map { .embedInCode("Migrations/\($0).sql") }, swiftSettings: settings)
}

/// A test target in `Tests/<room>/<name>`.
func tests(
  _ name: String, in room: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestServers"],
    path: ["Tests", room, name].compactMap(\.self).joined(separator: "/"), exclude: exclude, swiftSettings: settings)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let environment = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationEssentialsCompat", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "AgendVluma",
  products: [
    .library(name: "JobQueue", targets: ["JobQueue", "Jobs", "Postgres"]),
    .library(name: "JobsTesting", targets: ["JobsTesting"]),
    .executable(name: "vluma", targets: ["vluma"]),
  ],
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
    // MARK: Clients. The C libraries are a module map and a shim each; a client has one thread per connection.
    .systemLibrary(
      name: "CRabbitMQ", path: "Sources/Clients/CRabbitMQ", pkgConfig: "librabbitmq",
      providers: [.apt(["librabbitmq-dev"])]),
    .systemLibrary(
      name: "CLibPQ", path: "Sources/Clients/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    // No pkgConfig: SwiftPM refuses the flags that hiredis names and warns about them.
    .systemLibrary(name: "CHiredis", path: "Sources/Clients/CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(
      name: "CCurl", path: "Sources/Clients/CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CEventFD", path: "Sources/Clients/CEventFD"),
    target("ClientLoop", in: "Clients", ["CEventFD", deque, metrics]),
    target("RabbitMQ", in: "Clients", ["CRabbitMQ", "ClientLoop", crypto, deque, logging, metrics]),
    target("Postgres", in: "Clients", ["CLibPQ", "ClientLoop", crypto, logging, metrics]),
    target("Redis", in: "Clients", ["CHiredis", "ClientLoop", deque, logging, metrics]),
    target("Curl", in: "Clients", ["CCurl", "ClientLoop", metrics]),

    // MARK: The job queue. It knows nothing of bookings.
    target("Jobs", in: "JobQueue", [crypto, logging]),
    target("JobConfiguration", in: "JobQueue", ["Jobs", yams]),
    target(
      "JobEngine", in: "JobQueue", ["Jobs", "JobConfiguration", "ClientLoop", deque, lifecycle, logging, metrics]),
    target("JobsRabbitMQ", in: "JobQueue", ["Jobs", "JobConfiguration", "RabbitMQ"]),
    target(
      "JobsPostgres", in: "JobQueue", ["Jobs", "Postgres", logging],
      migrations: ["jobs_0001_initial", "jobs_0002_accepted", "jobs_0003_parked_kinds", "jobs_0004_node_resources"]),
    target("JobsRedis", in: "JobQueue", ["Jobs", "Redis"]),
    target("JobsTesting", in: "JobQueue", ["Jobs", "ClientLoop", logging]),
    target("JobOperations", in: "JobQueue", ["Jobs", "JobConfiguration"]),
    // The facade for other packages: configuration and workers in, one service out.
    target(
      "JobQueue", in: "JobQueue",
      [
        "ClientLoop", "JobConfiguration", "JobEngine", "JobOperations", "Jobs", "JobsPostgres", "JobsRabbitMQ",
        "JobsRedis", "Postgres", "RabbitMQ", "Redis", lifecycle, logging,
      ]),

    // MARK: The product, by feature: pure rules, and the SQL of what is stored.
    target("BookingCalendar", in: "Bookings"),
    target("Bookings", in: "Bookings", ["BookingCalendar", "Jobs", "Postgres"], migrations: ["bookings_0001_initial"]),
    target("WhatsApp", in: "Messaging", ["ClientLoop", crypto]),
    target("CloudAPI", in: "Messaging", ["Curl", "WhatsApp"]),
    target("Messaging", in: "Messaging", ["Jobs", "Postgres", "WhatsApp"], migrations: ["messaging_0001_initial"]),
    target("Reports", ["Postgres"], migrations: ["reports_0001_initial"]),
    .target(
      name: "Workers",
      dependencies: [
        "BookingCalendar", "Bookings", "Jobs", "Messaging", "Postgres", "Reports", "WhatsApp", logging, metrics,
      ],
      path: "workers", swiftSettings: settings),
    // A stand-in for Meta's Cloud API; it shares no code with WhatsApp, so that neither can hide the other's mistakes.
    target(
      "WhatsAppSandbox",
      ["ClientLoop", "Curl", crypto, httpTypes, hummingbird, lifecycle, logging, nio, nioFoundation]),

    // MARK: The program.
    target(
      "HTTP", in: "App",
      [
        "BookingCalendar", "Bookings", "ClientLoop", "JobOperations", "Jobs", "Postgres", "Redis", "Reports",
        "WhatsApp",
        "Workers", crypto, deque, httpTypes, hummingbird, hummingbirdCore, logging, metrics, nio, nioFoundation,
        nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
      ]),
    .executableTarget(
      name: "vluma",
      dependencies: [
        "BookingCalendar", "Bookings", "ClientLoop", "CloudAPI", "Curl", "HTTP", "JobConfiguration", "JobEngine",
        "JobOperations", "JobQueue", "Jobs", "JobsPostgres", "JobsRabbitMQ", "JobsRedis", "Messaging", "Postgres",
        "RabbitMQ",
        "Redis", "Reports", "WhatsApp", "WhatsAppSandbox", "Workers", arguments, deque, environment, hummingbird,
        hummingbirdCore, lifecycle, logging, metrics, signals,
      ], path: "Sources/App/vluma", swiftSettings: settings),

    // MARK: Tests: pure ones, services on in-memory ports, real servers, and faults.
    .target(
      name: "TestServers", dependencies: ["ClientLoop", "JobsPostgres", "Postgres"], path: "Tests/TestServers",
      swiftSettings: settings),
    tests("ClientLoopTests", in: "Clients", ["ClientLoop"]),
    tests("RabbitMQTests", in: "Clients", ["CRabbitMQ", "ClientLoop", "RabbitMQ", logging]),
    tests("PostgresTests", in: "Clients", ["ClientLoop", "Postgres", logging]),
    tests("RedisTests", in: "Clients", ["Redis", logging]),
    tests("CurlTests", in: "Clients", ["CCurl", "Curl"]),
    tests("JobsTests", in: "JobQueue", ["Jobs"]),
    tests("JobConfigurationTests", in: "JobQueue", ["JobConfiguration", "Jobs"]),
    tests("JobsTestingTests", in: "JobQueue", ["Jobs", "JobsTesting"]),
    tests(
      "JobEngineTests", in: "JobQueue",
      ["ClientLoop", "JobConfiguration", "JobEngine", "Jobs", "JobsTesting", deque, lifecycle, logging]),
    tests("JobsPostgresTests", in: "JobQueue", ["Jobs", "JobsPostgres", "JobsTesting", "Postgres", logging]),
    tests(
      "JobsRabbitMQTests", in: "JobQueue",
      ["Bookings", "JobConfiguration", "Jobs", "JobsRabbitMQ", "JobsTesting", "RabbitMQ", "Workers", logging],
      exclude: ["Recorded"]),
    tests("JobsRedisTests", in: "JobQueue", ["Jobs", "JobsRedis", "Redis", logging]),
    tests(
      "JobQueueTests", in: "JobQueue", ["JobQueue", "Jobs", "Postgres", "RabbitMQ", lifecycle, logging]),
    tests("JobOperationsTests", in: "JobQueue", ["JobConfiguration", "JobOperations", "Jobs"]),
    tests("BookingCalendarTests", in: "Bookings", ["BookingCalendar"]),
    tests("WhatsAppTests", in: "Messaging", ["WhatsApp"], exclude: ["Payloads"]),
    tests("CloudAPITests", in: "Messaging", ["CloudAPI", "Curl", "WhatsApp"]),
    tests("ReportsTests", ["Reports"]),
    tests(
      "WhatsAppSandboxTests", ["Curl", "WhatsAppSandbox", crypto, httpTypes, hummingbird, lifecycle, logging, nio]),
    tests(
      "HTTPTests", in: "App",
      [
        "ClientLoop", "HTTP", "JobOperations", "Jobs", "Postgres", httpTypes, hummingbird, logging, metrics, nio,
        nioEmbedded, nioHTTP1,
      ]),
    .target(
      name: "TestPlatform",
      dependencies: [
        "BookingCalendar", "Bookings", "ClientLoop", "Curl", "Messaging", "Postgres", "RabbitMQ", "TestServers",
        "WhatsApp", "WhatsAppSandbox", logging,
      ], path: "Tests/TestPlatform", swiftSettings: settings),
    tests(
      "WorkersTests",
      ["BookingCalendar", "Bookings", "Jobs", "Messaging", "Postgres", "Reports", "WhatsApp", "Workers", logging]),
    tests(
      "IntegrationTests",
      ["Bookings", "Curl", "Messaging", "Postgres", "RabbitMQ", "TestPlatform", "WhatsApp", "WhatsAppSandbox"]),
    tests(
      "FaultTests", ["ClientLoop", "Curl", "Postgres", "RabbitMQ", "TestPlatform", "WhatsAppSandbox", logging]),
  ]
)
