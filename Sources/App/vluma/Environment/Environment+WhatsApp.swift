import CloudAPI
import Curl
import Foundation
import HTTP
import WhatsApp
import Workers

extension Environment {
  static let apiURL = Variable(
    name: "WHATSAPP_API_URL", meaning: "the base URL of the Cloud API", fallback: "https://graph.facebook.com")
  static let apiVersion = Variable(name: "WHATSAPP_API_VERSION", meaning: "the Cloud API's version", fallback: "v23.0")
  static let token = Variable(
    name: "WHATSAPP_TOKEN", meaning: "the API's bearer token; needed where the pool of whatsapp.send_template runs",
    fallback: nil, isSecret: true)
  static let appSecret = Variable(
    name: "WHATSAPP_APP_SECRET", meaning: "signs webhooks; without it ingest answers them 503", fallback: "none",
    isSecret: true)
  static let verifyToken = Variable(
    name: "WHATSAPP_VERIFY_TOKEN", meaning: "verifies the webhook subscription; goes with WHATSAPP_APP_SECRET",
    fallback: "none", isSecret: true)
  static let phoneNumberID = Variable(
    name: "WHATSAPP_PHONE_NUMBER_ID", meaning: "default sender number",
    fallback: "none: businesses without a number send nothing")
  static let inDoubtPolicy = Variable(
    name: "WHATSAPP_IN_DOUBT_POLICY",
    meaning:
      "what to do with a message in doubt after WHATSAPP_IN_DOUBT_SECONDS: resend (three times at most) or give_up",
    fallback: "resend")
  static let inDoubtSeconds = Variable(
    name: "WHATSAPP_IN_DOUBT_SECONDS",
    meaning:
      "how long a message in doubt waits for a status, 1 to 86400; webhooks of later events must have arrived too",
    fallback: "600")
  static let whatsApp = [
    apiURL, apiVersion, token, appSecret, verifyToken, phoneNumberID, inDoubtPolicy, inDoubtSeconds,
  ]

  /// The secrets that webhooks are checked with; nil where no webhooks are expected.
  func whatsAppSecrets() throws(Invalid) -> WhatsAppSecrets? {
    switch (value(Self.appSecret), value(Self.verifyToken)) {
    case (nil, nil): return nil
    case (let secret?, let token?): return WhatsAppSecrets(appSecret: secret, verifyToken: token)
    case (nil, _): throw Invalid(variable: Self.appSecret.name, problem: "is not set, but \(Self.verifyToken.name) is")
    case (_, nil): throw Invalid(variable: Self.verifyToken.name, problem: "is not set, but \(Self.appSecret.name) is")
    }
  }

  /// How messages are sent.
  ///
  /// - Parameter isNeeded: true where this process sends messages; only then a token is required.
  func whatsAppSettings(isNeeded: Bool) throws(Invalid) -> WhatsAppSettings {
    let resends: Int
    switch effective(Self.inDoubtPolicy) {
    case "resend": resends = SendTemplateWorker.InDoubtPolicy().resends
    case "give_up": resends = 0
    case let other:
      throw Invalid(variable: Self.inDoubtPolicy.name, problem: "must be resend or give_up, not \"\(other)\"")
    }
    let inDoubtSeconds = try integer(Self.inDoubtSeconds, 1...86_400)
    let number = value(Self.phoneNumberID)
    if let number, number.wholeMatch(of: /[0-9]{1,32}/) == nil {
      throw Invalid(variable: Self.phoneNumberID.name, problem: "must be the number's id, which has digits only")
    }
    return WhatsAppSettings(
      api: isNeeded ? try cloudAPI() : UnconfiguredCloudAPI(), defaultNumber: number,
      policy: .init(quiet: TimeInterval(inDoubtSeconds), resends: resends))
  }

  private func cloudAPI() throws(Invalid) -> CloudAPIClient {
    let token = try required(Self.token)
    guard !token.contains(where: \.isWhitespace) else {
      throw Invalid(variable: Self.token.name, problem: "contains a space or a line break")
    }
    let url = effective(Self.apiURL)
    guard url.wholeMatch(of: /https?:\/\/[^\/?#\s]+(\/[^?#\s]*[^\/?#\s])?/) != nil else {
      throw Invalid(variable: Self.apiURL.name, problem: "must be an http or https URL without a slash at its end")
    }
    let version = effective(Self.apiVersion)
    guard version.wholeMatch(of: /v[0-9]{1,3}\.[0-9]{1,2}/) != nil else {
      throw Invalid(variable: Self.apiVersion.name, problem: "must be a version such as v23.0, not \"\(version)\"")
    }
    return CloudAPIClient(http: CurlClient(), url: url, version: version, token: token)
  }
}
