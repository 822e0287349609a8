import CloudAPI
import Curl
import Foundation
import HTTP
import WhatsApp
import Workers

/// How this process speaks with WhatsApp.
struct WhatsAppSettings: Sendable {
  let api: any MessageSender
  /// The number of businesses that have none of their own.
  let defaultNumber: String?
  let policy: SendTemplateWorker.InDoubtPolicy

  /// For looking at workers without letting them work.
  static let none = WhatsAppSettings(api: UnconfiguredCloudAPI(), defaultNumber: nil, policy: .init())
}

/// What a process without a token sends through: nothing.
private struct UnconfiguredCloudAPI: MessageSender {
  func send(_ message: TemplateMessage) async -> SendResult { .notSent(reason: "WHATSAPP_TOKEN is not set") }
}

extension Environment {
  static let apiURL = Variable(
    name: "WHATSAPP_API_URL", meaning: "where the Cloud API is", fallback: "https://graph.facebook.com")
  static let apiVersion = Variable(name: "WHATSAPP_API_VERSION", meaning: "its version", fallback: "v23.0")
  static let token = Variable(
    name: "WHATSAPP_TOKEN", meaning: "the API's bearer token; needed where the pool of whatsapp.send_template runs",
    fallback: nil, isSecret: true)
  static let appSecret = Variable(
    name: "WHATSAPP_APP_SECRET", meaning: "signs webhooks; without it ingest answers them 503", fallback: "none",
    isSecret: true)
  static let verifyToken = Variable(
    name: "WHATSAPP_VERIFY_TOKEN", meaning: "proves that a webhook is wanted; goes with WHATSAPP_APP_SECRET",
    fallback: "none", isSecret: true)
  static let phoneNumberID = Variable(
    name: "WHATSAPP_PHONE_NUMBER_ID", meaning: "the number that businesses without one of their own write from",
    fallback: "none: those write nothing")
  static let inDoubt = Variable(
    name: "WHATSAPP_IN_DOUBT",
    meaning:
      "what to do with a message nobody knows the fate of, after the quiet time: resend (three times at most) or give_up",
    fallback: "resend")
  static let quiet = Variable(
    name: "WHATSAPP_QUIET_SECONDS",
    meaning: "how long a message in doubt waits for a report, 1 to 86400; webhooks of later events must have come too",
    fallback: "600")

  static let whatsApp = [apiURL, apiVersion, token, appSecret, verifyToken, phoneNumberID, inDoubt, quiet]

  /// What webhooks are checked by; nil where none are expected.
  func whatsAppSecrets() throws(Invalid) -> WhatsAppSecrets? {
    switch (value(Self.appSecret), value(Self.verifyToken)) {
    case (nil, nil): return nil
    case (let secret?, let token?): return WhatsAppSecrets(appSecret: secret, verifyToken: token)
    case (nil, _): throw Invalid(variable: Self.appSecret.name, problem: "is not set, but \(Self.verifyToken.name) is")
    case (_, nil): throw Invalid(variable: Self.verifyToken.name, problem: "is not set, but \(Self.appSecret.name) is")
    }
  }

  /// How messages are sent. A process that sends none needs no token.
  func whatsAppSettings(isNeeded: Bool) throws(Invalid) -> WhatsAppSettings {
    let resends: Int
    switch value(Self.inDoubt) ?? "resend" {
    case "resend": resends = SendTemplateWorker.InDoubtPolicy().resends
    case "give_up": resends = 0
    case let other: throw Invalid(variable: Self.inDoubt.name, problem: "must be resend or give_up, not \"\(other)\"")
    }
    let quiet = try integer(Self.quiet, 1...86_400)
    let number = value(Self.phoneNumberID)
    if let number, number.wholeMatch(of: /[0-9]{1,32}/) == nil {
      throw Invalid(variable: Self.phoneNumberID.name, problem: "must be the number's id, which has digits only")
    }
    return WhatsAppSettings(
      api: isNeeded ? try cloudAPI() : UnconfiguredCloudAPI(), defaultNumber: number,
      policy: .init(quiet: TimeInterval(quiet), resends: resends))
  }

  private func cloudAPI() throws(Invalid) -> CloudAPIClient {
    let token = try required(Self.token)
    guard !token.contains(where: \.isWhitespace) else {
      throw Invalid(variable: Self.token.name, problem: "holds a space or a line break")
    }
    let url = value(Self.apiURL) ?? "https://graph.facebook.com"
    guard url.wholeMatch(of: /https?:\/\/[^\/?#\s]+(\/[^?#\s]*[^\/?#\s])?/) != nil else {
      throw Invalid(variable: Self.apiURL.name, problem: "must be an http or https URL without a slash at its end")
    }
    let version = value(Self.apiVersion) ?? "v23.0"
    guard version.wholeMatch(of: /v[0-9]{1,3}\.[0-9]{1,2}/) != nil else {
      throw Invalid(variable: Self.apiVersion.name, problem: "must be a version such as v23.0, not \"\(version)\"")
    }
    return CloudAPIClient(http: CurlClient(), url: url, version: version, token: token)
  }
}
