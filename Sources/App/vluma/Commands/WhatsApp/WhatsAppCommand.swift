import ArgumentParser

struct WhatsAppCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whatsapp", abstract: "Numbers that businesses send from, and suspended sending.",
    subcommands: [Number.self, Suspensions.self, Lift.self])
}
