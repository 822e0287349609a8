extension Sample {
  /// Messages without a choice in them.
  static let messages = [
    Sample(
      "in_text",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA= type=text at=1749416383 from=16505551234
      name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_text_br_reply_without_ninth_digit",
      """
      message wamid.BR8DIGITS type=text at=1795414356 from=553188888888 name=João
      answers=wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA= account=102290129340398
      number=106540352242922 display=551130031234
      """),
    Sample(
      "in_bsuid_username_no_phone",
      """
      message wamid.BSUID1 type=text at=1795414356 user=BR.13491208655302741918 name=Maria account=102290129340398
      number=106540352242922 display=551130031234
      """),
    Sample(
      "in_image",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA= type=image at=1744344496 from=16505551234
      name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_audio_voice",
      """
      message wamid.xyzxyz type=audio at=1697043473 from=972987654321 user=US.13491208655302741918 name=Test Name
      account=1234567890987654321 number=1122334455667 display=972123456789
      """),
    Sample(
      "in_document",
      """
      message wamid.xyzxyz type=document at=1697043666 from=972987654321 user=US.13491208655302741918 name=Test Name
      account=1234567890987654321 number=1122334455667 display=972123456789
      """),
    Sample(
      "in_location",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTU2MjZEMDBGRkE3MENEMDE0RQA= type=location at=1744344496
      from=16505551234 name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_edit",
      """
      message wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA= type=edit at=1749854575 from=16505551234
      account=102290129340398 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_system_user_changed_number",
      """
      message wamid.HBgLMTk4MzU1NTE5NzQVAgASGAoxMTgyMDg2MjY3AA== type=system at=1750269342 from=16505551234
      account=102290129340398 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_unsupported",
      """
      message wamid.HBgLMTQyMDU1NTA3NDkVAgASGBI5N0MwRjg0RTVBNUI1RDA2OTkA type=unsupported at=1750090702
      from=16505551234 name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "in_unsupported_131060",
      """
      message wamid.HBgLMTQyMDU1NTA3NDkVAgASGBI5N0MwRjg0RTVBNUI1RDA2OTkA type=unsupported at=1750090702
      from=16505551234 name=Sheena Nelson account=419561257915477 number=106540352242922 display=15550783881
      """),
    Sample(
      "sig_escaped_unicode_body",
      "message wamid.X type=text at=1700000000 from=5511987654321 account=1"),
  ]
}
