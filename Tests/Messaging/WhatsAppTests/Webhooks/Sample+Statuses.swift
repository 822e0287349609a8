extension Sample {
  /// What became of sent messages.
  static let statuses = [
    Sample(
      "st_sent_pmp",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= sent at=1795414357 to=5511987654321
      callback=job:01JD8Y4N7W account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_sent_cbp_legacy_conversation",
      """
      status wamid.xyzxyz sent at=1698266945 to=972987654321 account=5467539754836534 number=1122334455667
      display=972123456789
      """),
    Sample(
      "st_delivered_pmp",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= delivered at=1795414359 to=5511987654321
      callback=job:01JD8Y4N7W account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_delivered_free_customer_service",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= delivered at=1795414359 to=5511987654321
      account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_read",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= read at=1795414400 to=5511987654321
      account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_failed_131026",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= failed at=1795414360 to=5511987654321
      error=131026 account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_failed_131047",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= failed at=1795414360 to=5511987654321
      error=131047 account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_failed_131049",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= failed at=1795414360 to=5511987654321
      error=131049 account=102290129340398 number=106540352242922 display=551130031234
      """),
    Sample(
      "st_failed_131050",
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= failed at=1795414360 to=5511987654321
      error=131050 account=102290129340398 number=106540352242922 display=551130031234
      """),
  ]
}
