extension Sample {
  /// Management events, errors without a message, and a body with some of everything.
  static let events = [
    Sample(
      "tpl_status_approved",
      """
      event message_template_status_update at=1751247548 effect=template(order_confirmation,en_US,approved)
      account=102290129340398
      """),
    Sample(
      "tpl_status_paused",
      """
      event message_template_status_update at=1751247548 effect=template(lembrete_consulta,pt_BR,paused)
      account=102290129340398
      """),
    Sample(
      "tpl_status_disabled",
      """
      event message_template_status_update at=1751247548 effect=template(lembrete_consulta,pt_BR,disabled)
      account=102290129340398
      """),
    Sample(
      "tpl_status_rejected",
      """
      event message_template_status_update at=1751247548 effect=template(abandoned_cart,en,rejected)
      account=102290129340398
      """),
    Sample(
      "tpl_quality_yellow",
      "event message_template_quality_update at=1674864290 effect=none account=102290129340398"),
    Sample(
      "tpl_category_changed",
      "event template_category_update at=1750344882 effect=none account=57438975935"),
    Sample(
      "phone_quality_throughput_upgrade",
      "event phone_number_quality_update at=1748454394 effect=none account=102290129340398 display=15550783881"),
    Sample(
      "account_restriction",
      "event account_update at=1641330498 effect=restricted(1641330498) account=102290129340398"),
    Sample(
      "account_disabled_update",
      "event account_update at=1743451903 effect=banned(false) account=102290129340398"),
    Sample(
      "user_preferences_stop",
      """
      event user_preferences effect=marketing(16505551234:stop@1731705721) account=102290129340398
      number=106540352242922 display=15550783881
      """),
    Sample(
      "value_errors_130429",
      "event messages.errors effect=none account=102290129340398 number=106540352242922 display=15550783881"),
    Sample(
      "batch_mixed",
      """
      message wamid.B1 type=text at=1795414356 from=5511987654321 user=BR.13491208655302741918 name=Maria Souza
      account=102290129340398 number=106540352242922 display=551130031234
      """,
      """
      message wamid.B2 type=text at=1795414355 from=5511987654321 user=BR.13491208655302741918 name=Maria Souza
      account=102290129340398 number=106540352242922 display=551130031234
      """,
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= read at=1795414400 to=5511987654321
      account=102290129340398 number=106540352242922 display=551130031234
      """,
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= delivered at=1795414359 to=5511987654321
      account=102290129340398 number=106540352242922 display=551130031234
      """,
      """
      status wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= delivered at=1795414359 to=5511987654321
      account=102290129340398 number=106540352242922 display=551130031234
      """,
      "event field_we_do_not_know effect=none account=102290129340398",
      """
      event message_template_status_update at=1795414361 effect=template(lembrete_consulta,pt_BR,approved)
      account=999999999999999
      """),
  ]
}
