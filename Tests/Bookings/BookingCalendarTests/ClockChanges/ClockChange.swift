import Testing

/// Hours that hold every day, and the slots of an hour they come to on a day when the clocks change.
struct ClockChange: Sendable, CustomTestStringConvertible {
  let zone: String
  let hours: [String]
  let from: String
  let to: String
  let slots: [String]

  init(_ zone: String, _ hours: String..., from: String, to: String, slots: [String]) {
    self.zone = zone
    self.hours = hours
    self.from = from
    self.to = to
    self.slots = slots
  }

  var testDescription: String { "\(hours.joined(separator: ", ")) in \(zone) from \(from)" }
}

extension ClockChange {
  static let springs = [
    ClockChange(
      "America/New_York", "00:00-06:00", from: "2026-03-08T05:00", to: "2026-03-09T04:00",
      slots: ["2026-03-08T05:00", "2026-03-08T06:00", "2026-03-08T07:00", "2026-03-08T08:00", "2026-03-08T09:00"]),
    ClockChange(
      "America/New_York", "02:30-05:00", from: "2026-03-08T05:00", to: "2026-03-09T04:00", slots: ["2026-03-08T07:30"]),
    ClockChange(
      "America/New_York", "09:00-12:00", from: "2026-03-08T05:00", to: "2026-03-09T04:00",
      slots: ["2026-03-08T13:00", "2026-03-08T14:00", "2026-03-08T15:00"]),
    ClockChange(
      "Europe/Berlin", "01:30-05:00", from: "2026-03-28T23:00", to: "2026-03-29T22:00",
      slots: ["2026-03-29T00:30", "2026-03-29T01:30"]),
    ClockChange(
      "Australia/Lord_Howe", "00:00-06:00", from: "2026-10-03T13:30", to: "2026-10-04T13:00",
      slots: ["2026-10-03T13:30", "2026-10-03T14:30", "2026-10-03T15:30", "2026-10-03T16:30", "2026-10-03T17:30"]),
    ClockChange(
      "Australia/Lord_Howe", "09:00-12:00", from: "2026-10-03T13:30", to: "2026-10-04T13:00",
      slots: ["2026-10-03T22:00", "2026-10-03T23:00", "2026-10-04T00:00"]),
    ClockChange(
      "America/Sao_Paulo", "00:00-03:00", from: "2018-11-03T12:00", to: "2018-11-04T12:00",
      slots: ["2018-11-04T03:00", "2018-11-04T04:00"]),
    ClockChange(
      "America/Sao_Paulo", "22:00-24:00", "00:00-03:00", from: "2018-11-03T12:00", to: "2018-11-04T12:00",
      slots: ["2018-11-04T01:00", "2018-11-04T02:00", "2018-11-04T03:00", "2018-11-04T04:00"]),
    ClockChange(
      "America/Sao_Paulo", "22:00-02:00", from: "2018-11-03T12:00", to: "2018-11-04T12:00",
      slots: ["2018-11-04T01:00", "2018-11-04T02:00", "2018-11-04T03:00"]),
  ]

  static let autumns = [
    ClockChange(
      "America/New_York", "00:00-04:00", from: "2026-11-01T04:00", to: "2026-11-02T05:00",
      slots: ["2026-11-01T04:00", "2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00", "2026-11-01T08:00"]),
    ClockChange(
      "America/New_York", "01:30-05:00", from: "2026-11-01T04:00", to: "2026-11-02T05:00",
      slots: ["2026-11-01T06:30", "2026-11-01T07:30", "2026-11-01T08:30"]),
    ClockChange(
      "America/New_York", "09:00-12:00", from: "2026-11-01T04:00", to: "2026-11-02T05:00",
      slots: ["2026-11-01T14:00", "2026-11-01T15:00", "2026-11-01T16:00"]),
    ClockChange(
      "Europe/Berlin", "01:30-05:00", from: "2026-10-24T22:00", to: "2026-10-25T23:00",
      slots: ["2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"]),
    ClockChange(
      "Australia/Lord_Howe", "00:00-03:00", from: "2026-04-04T13:00", to: "2026-04-05T13:30",
      slots: ["2026-04-04T13:00", "2026-04-04T14:00", "2026-04-04T15:00"]),
    ClockChange(
      "Australia/Lord_Howe", "01:30-05:00", from: "2026-04-04T13:00", to: "2026-04-05T13:30",
      slots: ["2026-04-04T15:00", "2026-04-04T16:00", "2026-04-04T17:00"]),
    ClockChange(
      "America/Sao_Paulo", "22:00-24:00", from: "2018-02-17T12:00", to: "2018-02-18T12:00",
      slots: ["2018-02-18T00:00", "2018-02-18T01:00", "2018-02-18T02:00"]),
    ClockChange(
      "America/Sao_Paulo", "23:00-24:00", from: "2018-02-17T12:00", to: "2018-02-18T12:00", slots: ["2018-02-18T02:00"]),
    ClockChange(
      "America/Sao_Paulo", "22:00-02:00", from: "2018-02-17T12:00", to: "2018-02-18T12:00",
      slots: ["2018-02-18T00:00", "2018-02-18T01:00", "2018-02-18T02:00", "2018-02-18T03:00", "2018-02-18T04:00"]),
  ]
}
