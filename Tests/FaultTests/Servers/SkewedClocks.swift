import Foundation

/// The clocks of a run's nodes: a preloaded library adds an offset from a file to the time of day, so that a clock
/// jumps while the process runs. Monotonic clocks stay right, as they do where an operator or NTP sets the time.
///
/// libfaketime is not suitable: it moves the timers of monotonic clocks too, so that a Swift program sleeps for an
/// hour, or not at all.
struct SkewedClocks: Sendable {
  private let folder: URL

  init() async throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "vluma-clocks-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let source = folder.appending(path: "clock.c")
    try Data(Self.source.utf8).write(to: source)
    try await runTool(
      URL(filePath: "/usr/bin/env"), ["clang", "-shared", "-fPIC", "-O1", "-w", "-o", library.path, source.path],
      environment: ProcessInfo.processInfo.environment)
  }

  /// The environment of a node's process; its clock is right until ``set(_:ahead:)``.
  func environment(of node: String) throws -> [String: String] {
    let file = file(of: node)
    if !FileManager.default.fileExists(atPath: file.path) { try Data(count: 8).write(to: file) }
    return ["LD_PRELOAD": library.path, "VLUMA_TEST_CLOCK": file.path]
  }

  /// Sets a node's clock ahead by `hours`, at once.
  func set(_ node: String, ahead hours: Int) throws {
    let file = try FileHandle(forUpdating: file(of: node))
    defer { try? file.close() }
    // In place: the process has mapped this file.
    try file.write(contentsOf: withUnsafeBytes(of: Int64(hours) * 3_600) { Data($0) })
  }

  /// Deletes the files; running processes keep them mapped.
  func remove() { try? FileManager.default.removeItem(at: folder) }

  private var library: URL { folder.appending(path: "clock.so") }
  private func file(of node: String) -> URL { folder.appending(path: node) }

  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static volatile int64_t *offset;

    __attribute__((constructor)) static void open_offset(void) {
      const char *path = getenv("VLUMA_TEST_CLOCK");
      int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
      if (file < 0) return;
      void *page = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
      if (page != MAP_FAILED) offset = page;
      close(file);
    }

    int clock_gettime(clockid_t clock, struct timespec *now) {
      int status = (int)syscall(SYS_clock_gettime, clock, now);
      if (status == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
      return status;
    }

    int gettimeofday(struct timeval *restrict now, void *restrict zone) {
      struct timespec precise;
      int status = clock_gettime(CLOCK_REALTIME, &precise);
      now->tv_sec = precise.tv_sec;
      now->tv_usec = precise.tv_nsec / 1000;
      return status;
    }

    time_t time(time_t *now) {
      struct timespec precise;
      clock_gettime(CLOCK_REALTIME, &precise);
      if (now) *now = precise.tv_sec;
      return precise.tv_sec;
    }
    """
}
