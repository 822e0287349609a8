/// What a name in a request may hold.
enum PersonName {
  /// The text without the characters that Unicode lets readers leave out (Default_Ignorable_Code_Point): zero-width and
  /// bidirectional ones, fillers, tags. Two names that look the same are the same, and none can turn a message around.
  static func withoutInvisible(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint }))
  }

  /// Last labels of the addresses that messengers turn into links most often, and of Brazil's.
  private static let topLevelDomains: Set<String> = [
    "app", "ar", "biz", "br", "cc", "cl", "click", "club", "cn", "co", "com", "cyou", "de", "dev", "digital", "edu",
    "es", "eu", "fr", "fun", "gg", "gov", "icu", "info", "io", "it", "link", "live", "lol", "ly", "me", "mobi", "mov",
    "mx", "name", "net", "one", "online", "org", "page", "pro", "pt", "ru", "shop", "site", "space", "store", "tech",
    "tk", "to", "top", "tv", "uk", "us", "vip", "website", "wiki", "work", "world", "ws", "xyz", "zip",
  ]

  /// Whether a messenger would show a part of it as a link.
  static func containsLink(_ text: String) -> Bool {
    text.split(whereSeparator: \.isWhitespace).contains { word in
      let word = word.lowercased()
      if word.contains("://") || word.hasPrefix("www.") || word.contains("@") { return true }
      // An address ends before its port or path: `example.com:80/x`. Marks around it belong to the sentence.
      let address = word.prefix { !"/:?#".contains($0) }
      let labels = address.split(separator: ".")
      guard labels.count > 1, let last = labels.last else { return false }
      return topLevelDomains.contains(String(last.prefix { $0.isLetter })) || word.contains("/")
    }
  }
}
