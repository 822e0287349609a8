import Curl
import Foundation
import Glibc
import TestServers

/// A real nginx on ports of 127.0.0.1 that the system chose: plain HTTP, and HTTPS with HTTP/2.
///
/// `/` says with which method and protocol it was asked, `/upstream` is passed on to a server of the test's, and
/// `/files/` holds the files of its folder. Every answer names its connection in `X-Connection`.
///
/// `@unchecked Sendable`: only the task of its test starts and stops it.
final class Nginx: @unchecked Sendable {
  /// A program that was started.
  private struct Run {
    let process: Process
    let hasEnded: Locked<Bool>
  }

  /// The beginning of its URLs, without a slash at the end.
  let http: String
  let https: String
  let httpsPort: Int
  private let folder: TestFolder
  private var run: Run?

  /// Starts one with this certificate for the length of `body`.
  static func with(
    _ certificate: ServerCertificate, upstream: Int? = nil, in folder: TestFolder, _ body: (Nginx) async throws -> Void
  ) async throws {
    // Between choosing a port and listening on it another program may take it.
    for _ in 1...5 {
      let nginx = try Nginx(certificate, upstream: upstream, in: folder)
      do {
        if try await nginx.start() {
          try await body(nginx)
          await nginx.stop()
          return
        }
      } catch {
        await nginx.stop()
        throw error
      }
    }
    let log = folder.contents("nginx.log").map { String(decoding: $0, as: UTF8.self) } ?? ""
    throw TestError(description: "nginx does not start:\n\(log)")
  }

  private init(_ certificate: ServerCertificate, upstream: Int?, in folder: TestFolder) throws {
    let ports = try freePorts(2)
    (http, https) = ("http://127.0.0.1:\(ports[0])", "https://127.0.0.1:\(ports[1])")
    httpsPort = ports[1]
    self.folder = folder
    let configuration = Self.configuration(
      folder, certificate, http: ports[0], https: ports[1], upstream: upstream ?? ports[0])
    try folder.write(Data(configuration.utf8), to: "nginx.conf")
  }

  /// Starts it on its ports; false where it ended at once.
  func start() async throws -> Bool {
    try? FileManager.default.removeItem(atPath: folder.path("nginx.pid"))
    let hasEnded = Locked(false)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/nginx")
    process.arguments = ["-p", folder.url.path, "-c", folder.path("nginx.conf"), "-e", folder.path("nginx.log")]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.terminationHandler = { _ in hasEnded.change { $0 = true } }
    try await process.runWithSignals()
    run = Run(process: process, hasEnded: hasEnded)
    // It writes its process id once it listens.
    try await eventually(within: .seconds(20), "nginx listens, or ends") {
      hasEnded.value || folder.contents("nginx.pid")?.isEmpty == false
    }
    return !hasEnded.value
  }

  /// Kills it, and waits for its end.
  func stop() async {
    guard let run, !run.hasEnded.value else { return }
    kill(run.process.processIdentifier, SIGKILL)
    try? await eventually("nginx ends") { run.hasEnded.value }
  }

  private static func configuration(
    _ folder: TestFolder, _ certificate: ServerCertificate, http: Int, https: Int, upstream: Int
  ) -> String {
    """
    daemon off;
    master_process off;
    pid \(folder.path("nginx.pid"));
    events { worker_connections 512; }
    http {
      access_log off;
      client_body_temp_path \(folder.path("client_body"));
      proxy_temp_path \(folder.path("proxy"));
      fastcgi_temp_path \(folder.path("fastcgi"));
      uwsgi_temp_path \(folder.path("uwsgi"));
      scgi_temp_path \(folder.path("scgi"));
      server {
        listen 127.0.0.1:\(http);
        listen 127.0.0.1:\(https) ssl http2;
        ssl_certificate \(certificate.file);
        ssl_certificate_key \(certificate.key);
        client_max_body_size 64m;
        keepalive_requests 10000;
        add_header X-Connection $connection always;
        location / { return 200 "$request_method $server_protocol"; }
        location /files/ { alias \(folder.url.path)/; }
        location /upstream {
          proxy_pass http://127.0.0.1:\(upstream);
          proxy_http_version 1.1;
          proxy_next_upstream off;
        }
      }
    }
    """
  }
}

/// Starts an nginx with a good certificate, and a client that trusts it.
func withNginx(upstream: Int? = nil, _ body: (Nginx, CurlClient, TestFolder) async throws -> Void) async throws {
  try await TestFolder.with { folder async throws in
    let authority = try await TestCertificateAuthority("authority", in: folder)
    let certificate = try await authority.issue("server", for: ServerCertificate.goodNames)
    try await Nginx.with(certificate, upstream: upstream, in: folder) { nginx async throws in
      try await body(nginx, CurlClient(certificateAuthorities: authority.certificate), folder)
    }
  }
}
